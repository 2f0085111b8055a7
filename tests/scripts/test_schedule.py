"""`baton schedule`: what runs when, read from the databases; nothing is written, and what is wrong is said."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.actors import scheduler
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.scripts.schedule import schedule
from tests.factories import BACKENDS

#: Jobs that the contract names, with the service whose rows they look at.
EXPECTED = {("fire_clocks", "workflow"), ("serve_returned", "workflow"), ("make_waiting_calls", "workflow")}
EXPECTED |= {(job, service) for job in ("deferred", "housekeeping", "heartbeat") for service in SERVICES}


def asked(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(schedule, arguments)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_job_is_listed_with_its_period_before_anything_ran(databases: Any, stub_broker: Any) -> None:
    result = asked("--json")
    document = json.loads(result.stdout)
    jobs = {(job["job"], job["service"]): job for job in document["jobs"]}
    assert jobs.keys() >= EXPECTED
    assert all(job["every_seconds"] > 0 and job["about"] for job in jobs.values())
    assert (jobs["fire_clocks", "workflow"]["when_due"], jobs["fire_clocks", "workflow"]["every_seconds"]) == (True, 5)
    assert {job["state"] for job in jobs.values()} == {"no leader"}
    assert result.exit_code == 1
    for service in SERVICES:
        with db.read_tx(service):
            assert [model for model in runtime_tables(service).all if model.select().exists()] == [], "nothing is written"


def test_what_a_scheduler_does_is_seen_from_another_process(databases: Any, stub_broker: Any) -> None:
    stop = threading.Event()
    running = threading.Thread(target=scheduler.run, args=(databases, ("helpdesk",), stop))
    running.start()
    run = runtime_tables("helpdesk").JobRun
    deadline = time.monotonic() + 90
    while run.select().count() < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    result = asked("--json", "--service", "helpdesk")
    text = asked("--service", "helpdesk").stdout
    stop.set()
    running.join(20)
    document = json.loads(result.stdout)
    [leader] = document["leaders"]
    assert leader["state"] == "leads"
    assert {job["state"] for job in document["jobs"]} == {"ok"}
    assert all(job["last_run_at"] and job["next_run_at"] and job["by"] == leader["holder"] for job in document["jobs"])
    assert result.exit_code == 0
    assert "housekeeping" in text
    assert f"led by {leader['holder']}" in text
    assert asked("--service", "helpdesk").exit_code == 1, "it stopped, and nobody leads"


@pytest.mark.parametrize(("changes", "state"), [({"error": "ValueError: x"}, "failed"), ({}, "late"), (None, "never")])
def test_a_job_that_failed_is_late_or_never_ran_is_said(
    databases: Any, stub_broker: Any, changes: dict[str, str] | None, state: str
) -> None:
    tables = runtime_tables("helpdesk")
    with write_tx("helpdesk") as tx:
        soon, ago = tx.now + timedelta(seconds=9), tx.now - timedelta(seconds=200)
        tables.Lease.insert(name="scheduler", holder="h:1", token=1, expires_at=soon).execute()
        if changes is not None:
            tables.JobRun.insert(name="housekeeping", holder="h:1", started_at=ago, ended_at=ago, **changes).execute()
    document = json.loads(asked("--json", "--service", "helpdesk").stdout)
    [found] = [job for job in document["jobs"] if job["job"] == "housekeeping"]
    assert found["state"] == state


def test_a_database_that_cannot_be_read_is_an_answer(databases: Any, stub_broker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.connection("issues") as connection:
        connection.execute_sql("drop table lease")
    document = json.loads(asked("--json", "--service", "issues").stdout)
    assert document["leaders"][0]["state"] == "unknown"
    assert {job["state"] for job in document["jobs"]} == {"unknown"}


def test_the_columns_stand_below_their_headings_however_long_a_name_is(databases: Any, stub_broker: Any) -> None:
    heading, *rows = asked().stdout.partition("\n\n")[0].splitlines()
    assert rows and {row.index(" s ") < heading.index("service") for row in rows} == {True}
    assert {row[heading.index("service") :].split()[0] for row in rows} <= set(SERVICES)
