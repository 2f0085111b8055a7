"""
The scheduler: wakes what is due. It owns no state; what is due is a row with a time, and every job claims its rows.

APScheduler only ticks, with its memory store: nothing is scheduled for later in it. Several schedulers may run; none leads,
because a job that runs twice at once finds each row once. A service adds its jobs in its actors' module:

    @every(5, "workflow")
    def assign_returned(service: str) -> int: ...
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import Counter, Histogram

from baton.actors import sweeps
from baton.actors.heartbeat import beat
from baton.models.database import DatabaseUnavailableError
from baton.models.settings import SERVICES, Settings

#: Jobs that run at the same time. More lets one slow database delay the others' jobs less.
THREADS = 8
ROWS = Counter("baton_job_rows_total", "Rows that a scheduled job moved, assigned or deleted", ["job", "service"])
FAILURES = Counter("baton_job_failures_total", "Runs of a scheduled job that failed", ["job", "service"])
SECONDS = Histogram("baton_job_seconds", "Time per run of a scheduled job", ["job"], buckets=(0.001, 0.01, 0.1, 1, 10, 60))
log = structlog.get_logger("baton.scheduler")


@dataclass(frozen=True, slots=True)
class Job:
    """What runs every `seconds` for each of `services`: `run(service)` returns how many rows it changed."""

    name: str
    seconds: float
    run: Callable[[str], int]
    services: tuple[str, ...]


def _note_alive(service: str) -> int:
    beat(service, "scheduler")
    return 0


#: Every job there is. The first three are the runtime's; services add theirs with `every`.
JOBS: list[Job] = [
    Job("deferred", 1, sweeps.release_due_messages, SERVICES),
    Job("housekeeping", 60, sweeps.clean_up, SERVICES),
    Job("heartbeat", 5, _note_alive, SERVICES),
]


def every(seconds: float, *services: str) -> Callable[[Callable[[str], int]], Callable[[str], int]]:
    """
    Add the decorated function to JOBS: called with each of the services every `seconds`, it returns the rows it changed.

    It must claim what it changes (`SKIP LOCKED`, or an update that checks) and may be run twice at once.
    """

    def add(run: Callable[[str], int]) -> Callable[[str], int]:
        JOBS.append(Job(run.__name__, seconds, run, services))
        return run

    return add


def run(settings: Settings, services: Sequence[str] = SERVICES, stop: threading.Event | None = None) -> None:
    """Run the jobs of these services until `stop` is set; whatever is due at the start runs at once."""
    stop = stop or threading.Event()
    # Its warnings tell of runs skipped because the one before is still at work; `baton_job_seconds` tells it better.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = _scheduler()
    for job in JOBS:
        for service in set(job.services) & set(services):
            scheduler.add_job(
                run_job,
                "interval",
                args=(job, service),
                id=f"{job.name}:{service}",
                seconds=job.seconds,
                next_run_time=datetime.now(UTC),
            )
    scheduler.start()
    log.info("scheduler_started", jobs=sorted({job.name for job in JOBS}), services=list(services))
    while not stop.wait(1.0):
        pass
    scheduler.shutdown(wait=True)


def _scheduler() -> BackgroundScheduler:
    return BackgroundScheduler(
        jobstores={"default": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(THREADS)},
        # A late tick runs however late it is (the default drops one that is a second late), several late ones as one.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone=UTC,
    )


def run_job(job: Job, service: str) -> int:
    """Run a job once; a failure is reported and left to the next run. Returns the rows changed."""
    with SECONDS.labels(job.name).time():
        try:
            rows = job.run(service)
        except DatabaseUnavailableError as error:
            FAILURES.labels(job.name, service).inc()
            log.warning("job_waits", job=job.name, service=service, reason=str(error).strip())
            return 0
        except Exception:
            FAILURES.labels(job.name, service).inc()
            log.exception("job_failed", job=job.name, service=service)
            return 0
    if rows:
        ROWS.labels(job.name, service).inc(rows)
        log.debug("job_done", job=job.name, service=service, rows=rows)
    return rows
