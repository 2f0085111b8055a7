"""
The scheduler: wakes what is due. It owns no state; what is due is a row with a time, and every job claims its rows.

APScheduler only ticks, with its memory store: nothing is scheduled for later in it. Several schedulers may run; a service's jobs
run in the one that leads it (`scheduler_lease`), the others stand by. That saves work and is no safeguard: a job that runs twice
at once finds each row once. A service adds its jobs in its actors' module:

    @every(5, "workflow")
    def assign_returned(service: str) -> int: ...

`baton schedule` lists the jobs, when they last ran, and who leads.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import Counter, Gauge, Histogram

from baton.actors import sweeps
from baton.actors.heartbeat import INSTANCE, beat
from baton.actors.scheduler_lease import RENEW_SECONDS, Leadership, NoLongerLeadingError
from baton.models import database as db
from baton.models.database import DatabaseUnavailableError
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, Settings
from baton.models.transaction import Transaction

#: Jobs that run at the same time. More lets one slow database delay the others' jobs less.
THREADS = 8
#: The pause before a job goes on with what is left, and before it looks again at what is due but held by somebody else.
NEXT_SECONDS, HELD_SECONDS = 0.05, 1.0
ROWS = Counter("baton_job_rows_total", "Rows that a scheduled job moved, assigned or deleted", ["job", "service"])
FAILURES = Counter("baton_job_failures_total", "Runs of a scheduled job that failed", ["job", "service"])
SECONDS = Histogram("baton_job_seconds", "Time per run of a scheduled job", ["job"], buckets=(0.001, 0.01, 0.1, 1, 10, 60))
LEADS = Gauge("baton_scheduler_leads", "Whether this process runs a service's jobs", ["service"])
log = structlog.get_logger("baton.scheduler")


@dataclass(frozen=True, slots=True)
class Job:
    """
    What runs every `seconds` for each of `services`: `run(service)` returns how many rows it changed.

    `next_due(service)` says when it is next wanted, if that may be sooner; None: it need not be. `everywhere`: it runs in every
    scheduler, not only in the one that leads.
    """

    name: str
    seconds: float
    run: Callable[[str], int]
    services: tuple[str, ...]
    next_due: Callable[[str], datetime | None] | None = None
    everywhere: bool = False

    @property
    def about(self) -> str:
        """What it does, in a line."""
        lines = (self.run.__doc__ or "").strip().splitlines()
        return lines[0] if lines else ""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a job ran once; `error` is "" if it did not fail."""

    started_at: datetime
    ended_at: datetime
    rows: int
    error: str = ""


def _note_alive(service: str) -> int:
    """Note that this scheduler is alive."""
    beat(service, "scheduler")
    return 0


#: Every job there is. The first three are the runtime's; services add theirs with `every`.
JOBS: list[Job] = [
    Job("deferred", 1, sweeps.release_due_messages, SERVICES),
    Job("housekeeping", 60, sweeps.clean_up, SERVICES),
    Job("heartbeat", 5, _note_alive, SERVICES, everywhere=True),
]


def every(
    seconds: float, *services: str, next_due: Callable[[str], datetime | None] | None = None
) -> Callable[[Callable[[str], int]], Callable[[str], int]]:
    """
    Add the decorated function to JOBS: called with each of the services every `seconds`, it returns the rows it changed.

    With `next_due` it is called when that says, and no later than every `seconds`. It must claim what it changes (`SKIP LOCKED`,
    or an update that checks) and may be run twice at once.
    """

    def add(run: Callable[[str], int]) -> Callable[[str], int]:
        JOBS.append(Job(run.__name__, seconds, run, services, next_due))
        return run

    return add


def run(settings: Settings, services: Sequence[str] = SERVICES, stop: threading.Event | None = None) -> None:
    """Run the jobs of these services until `stop` is set, where this process leads; whatever is due at the start runs at once."""
    stop = stop or threading.Event()
    # Its warnings tell of runs skipped because the one before is still at work; `baton_job_seconds` tells it better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    process = _Process(services)
    process.start()
    log.info("scheduler_started", jobs=sorted({job.name for job in JOBS}), services=list(services))
    while not stop.wait(1.0):
        pass
    process.stop()


class _Process:
    """One scheduler: its ticks, which services it leads, and how their jobs last ran."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = tuple(services)
        self._leaderships = {service: Leadership(service) for service in services}
        self._ran: dict[tuple[str, str], tuple[Job, Ran]] = {}
        # Leases have threads of their own: neither slow jobs nor another service's database may cost a service its leader.
        self._threads = {"default": ThreadPoolExecutor(THREADS), "leases": ThreadPoolExecutor(len(self._services) or 1)}
        self._ticks = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors=self._threads,
            # A late tick runs however late it is (the default drops one that is a second late), several late ones as one.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        now = datetime.now(UTC)
        for service in self._services:
            self._add(self._keep_lease, (service,), f"lease:{service}", RENEW_SECONDS, now, executor="leases")
            for job in JOBS:
                if service in job.services:
                    self._add(self._tick, (job, service), f"{job.name}:{service}", job.seconds, now)
        self._ticks.start()

    def stop(self) -> None:
        # It would wait for the jobs under its lock, which a job needs to say when it is next wanted.
        self._ticks.shutdown(wait=False)
        for threads in self._threads.values():
            threads.shutdown(wait=True)
        for service, leadership in self._leaderships.items():
            leadership.resign()
            LEADS.labels(service).set(0)

    def _add(
        self, run: Callable[..., Any], args: Sequence[Any], name: str, seconds: float, at: datetime, executor: str = "default"
    ) -> None:
        self._ticks.add_job(run, "interval", args=args, id=name, seconds=seconds, next_run_time=at, executor=executor)

    def _keep_lease(self, service: str) -> None:
        leadership = self._leaderships[service]
        led = leadership.token is not None
        try:
            leads = leadership.keep(self._store_runs)
        except DatabaseUnavailableError as error:
            leads = leadership.token is not None
            log.warning("lease_waits", service=service, still_leads=leads, reason=str(error).strip())
        LEADS.labels(service).set(leads)
        if leads and not led:
            for job in JOBS:
                if service in job.services:
                    self._run_at(f"{job.name}:{service}", datetime.now(UTC))

    def _tick(self, job: Job, service: str) -> None:
        with self._leaderships[service].acting() as leads:
            if not leads and not job.everywhere:
                return
            ran = attempt(job, service)
        if leads:
            self._ran[job.name, service] = (job, ran)
        wait = _seconds_until_next(job, service, ran)
        if wait is not None:
            self._run_at(f"{job.name}:{service}", datetime.now(UTC) + timedelta(seconds=wait))

    def _run_at(self, name: str, instant: datetime) -> None:
        with suppress(JobLookupError):  # the scheduler is being shut down
            self._ticks.modify_job(name, next_run_time=instant)

    def _store_runs(self, tx: Transaction) -> None:
        """Keep how this service's jobs ran since the last time, for `baton schedule` and the doctor."""
        table = runtime_tables(tx.service).JobRun
        offset = tx.now - datetime.now(UTC)
        rows = []
        for name, service in [key for key in list(self._ran) if key[1] == tx.service]:
            (job, ran), ticks = self._ran.pop((name, service)), self._ticks.get_job(f"{name}:{service}")
            upcoming = ticks.next_run_time + offset if ticks is not None and ticks.next_run_time else None
            rows.append(
                {"name": name, "holder": INSTANCE, "started_at": ran.started_at, "ended_at": ran.ended_at, "rows": ran.rows,
                 "error": ran.error, "next_run_at": upcoming, "about": job.about, "every_seconds": job.seconds}
            )  # fmt: skip
        if rows:
            columns = [field for field in table._meta.sorted_fields if not field.primary_key]
            table.insert_many(rows).on_conflict(conflict_target=[table.name], preserve=columns).execute()


def _seconds_until_next(job: Job, service: str, ran: Ran) -> float | None:
    """Return when a job is wanted next, if it says so itself: no later than its period; None: at its next tick."""
    if job.next_due is None:
        return None
    try:
        due = job.next_due(service)
    except Exception as error:  # whatever it is, the next run meets it and reports it
        log.warning("next_due_unknown", job=job.name, service=service, reason=str(error).strip()[:200])
        return job.seconds
    wait = job.seconds if due is None else (due - db.now(service)).total_seconds()
    # What is due but was not changed is held by somebody else, or fails: not to be asked for at once.
    return min(
        job.seconds, max(wait, NEXT_SECONDS if ran.rows and not ran.error else HELD_SECONDS if wait <= 0 else NEXT_SECONDS)
    )


def run_job(job: Job, service: str) -> int:
    """Run a job once; a failure is reported and left to the next run. Returns the rows changed."""
    return attempt(job, service).rows


def attempt(job: Job, service: str) -> Ran:
    """Run a job once and return how it went; a failure is reported and left to the next run."""
    started_at, rows, failure = db.now(service), 0, ""
    with SECONDS.labels(job.name).time():
        try:
            rows = job.run(service)
        except (DatabaseUnavailableError, NoLongerLeadingError) as error:
            failure = str(error).strip()
            log.warning("job_waits", job=job.name, service=service, reason=failure)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            log.exception("job_failed", job=job.name, service=service)
    if failure:
        FAILURES.labels(job.name, service).inc()
    if rows:
        ROWS.labels(job.name, service).inc(rows)
        log.debug("job_done", job=job.name, service=service, rows=rows)
    return Ran(started_at, db.now(service), rows, failure[:500])
