"""`baton schedule`: every job of the scheduler, when it runs, when it last ran, and which scheduler leads. Changes nothing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, get_settings
from baton.pipelines.schedule import job_state


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--service", "services", multiple=True, type=click.Choice(SERVICES), help="Only this service; may be repeated.")
def schedule(as_json: bool, services: tuple[str, ...]) -> None:
    """
    List what the scheduler does and when: each job, its period, how it last ran and when it runs next, and who leads.

    Read from the services' databases, wherever the schedulers run. Exit code 1 when a job failed, is late or has no leader.
    """
    document = read_schedule(services or SERVICES)
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        _show(document)
    if any(job["state"] != "ok" for job in document["jobs"]):
        raise SystemExit(1)


def read_schedule(services: tuple[str, ...]) -> dict[str, Any]:
    """
    Return `leaders`, one for each service, and `jobs`, one for each job and service.

    Instants are ISO 8601 in UTC, None where nothing is known; `state` is ok, failed, late, never, no leader or unknown.
    """
    from baton.scripts.run import WORKERS

    for worker in WORKERS:  # they add their jobs to the scheduler's table
        importlib.import_module(f"baton.actors.{worker}")
    from baton.actors.scheduler import JOBS

    db.configure(get_settings())
    leaders, jobs = [], []
    for service in services:
        leader, runs, now = _read(service)
        leaders.append(leader)
        jobs += [_job(job, service, leader, runs.get(job.name), now) for job in JOBS if service in job.services]
    return {"leaders": leaders, "jobs": sorted(jobs, key=lambda job: job["job"])}


def _read(service: str) -> tuple[dict[str, Any], dict[str, Any], datetime]:
    tables = runtime_tables(service)
    leader: dict[str, Any] = {"service": service, "state": "none", "holder": None, "token": None, "until": None}
    try:
        with db.read_tx(service):
            lease = tables.Lease.select().first()
            runs = {run.name: run for run in tables.JobRun.select()}
            now = db.now(service)
    except Exception as error:  # a database that is away or not migrated is an answer, too
        return {**leader, "state": "unknown", "reason": (str(error).strip().splitlines() or [""])[0]}, {}, db.now(service)
    if lease is not None:
        leads = "leads" if lease.expires_at > now else "none"
        leader |= {"state": leads, "holder": lease.holder, "token": lease.token, "until": lease.expires_at.isoformat()}
    return leader, runs, now


def _job(job: Any, service: str, leader: Mapping[str, Any], ran: Any, now: datetime) -> dict[str, Any]:
    known: dict[str, Any] = {
        "last_run_at": None,
        "took_seconds": None,
        "rows": None,
        "error": "",
        "next_run_at": None,
        "by": None,
    }
    if ran is not None:
        known = {
            "last_run_at": ran.started_at.isoformat(),
            "took_seconds": round((ran.ended_at - ran.started_at).total_seconds(), 3),
            "rows": ran.rows,
            "error": ran.error,
            "next_run_at": ran.next_run_at.isoformat() if ran.next_run_at else None,
            "by": ran.holder,
        }
    return {
        "job": job.name,
        "service": service,
        "about": job.about,
        "every_seconds": job.seconds,
        "when_due": job.next_due is not None,
        "runs": "in every scheduler" if job.everywhere else "in the leader",
        **known,
        "state": _state(leader["state"], ran, now, job.seconds),
    }


def _state(leader: str, ran: Any, now: datetime, seconds: float) -> str:
    if leader == "unknown":
        return "unknown"
    error, ended_ago = ("", 0.0) if ran is None else (ran.error, (now - ran.ended_at).total_seconds())
    return job_state(led=leader == "leads", ran=ran is not None, error=error, ended_seconds_ago=ended_ago, every_seconds=seconds)


def _show(document: Mapping[str, Any]) -> None:
    width = max(len(name) for name in ("job", *(job["job"] for job in document["jobs"])))
    layout = f"{{:{width}}} {{:14}} {{:14}} {{:20}} {{:>8}} {{:>6}}  {{}}"
    click.echo(layout.format("job", "every", "service", "last run (UTC)", "took", "rows", "state"))
    for job in document["jobs"]:
        every = f"{'due, ' if job['when_due'] else ''}{job['every_seconds']:g} s"
        took = "" if job["took_seconds"] is None else f"{job['took_seconds']:.3f} s"
        rows = "" if job["rows"] is None else f"{job['rows']:,}"
        state = f"{job['state']}: {job['error']}" if job["error"] else job["state"]
        last = (job["last_run_at"] or "")[:19].replace("T", " ")
        click.echo(layout.format(job["job"], every, job["service"], last, took, rows, state))
    click.echo()
    for name, about in dict.fromkeys((job["job"], job["about"]) for job in document["jobs"]):
        click.echo(f"{name:{width}} {about}")
    click.echo()
    for leader in document["leaders"]:
        who = f"{leader['holder']} (token {leader['token']}, until {leader['until'][11:19]})" if leader["holder"] else ""
        said = {"leads": f"led by {who}", "none": "nobody leads: start baton scheduler", "unknown": leader.get("reason", "")}
        click.echo(f"{leader['service']:14} {said[leader['state']]}")
