"""Schedulers as processes, killed and put to sleep at their work: every level fires once, and somebody always leads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent
from baton.scripts.benchmarks import sla_clocks

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.distributed, pytest.mark.parametrize("backend", ["postgresql"])]
CLOCKS = 2_000
#: Makes each event take a millisecond to be inserted, so that a kill can meet a batch half-way.
SLOWLY = """
create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.001); return new; end $$;
create trigger slowly before insert on sla_event for each row execute function slowly();
"""
INSERTING = "select 1 from pg_stat_activity where state = 'active' and query like 'insert into \"sla_event\"%%'"


class Schedulers:
    """Scheduler processes on the test's databases."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> int:
        """Start one; return its process id."""
        log = (self._directory / f"scheduler-{len(self._processes)}.log").open("wb")
        command = [sys.executable, "-m", "baton.scripts.cli", "scheduler"]
        process = subprocess.Popen(command, env=os.environ.copy(), stdout=log, stderr=log)
        self._processes[process.pid] = process
        return process.pid

    def signal(self, pid: int, what: signal.Signals) -> None:
        """Send a signal to one; a killed one is waited for."""
        self._processes[pid].send_signal(what)
        if what == signal.SIGKILL:
            self._processes[pid].wait()

    def stop(self) -> None:
        """Kill what is left, and print what they said: shown where the test failed."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        for log in sorted(self._directory.glob("scheduler-*.log")):
            print(f"== {log.name}\n{log.read_text()}")


@pytest.fixture
def schedulers(databases: Any, tmp_path: Path) -> Iterator[Schedulers]:
    """Processes that are gone after the test."""
    found = Schedulers(tmp_path)
    yield found
    found.stop()


def until(met: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return what `met` returns as soon as that is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := met()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
    return value


def leader(*not_these: int) -> int | None:
    """Return the process id of who leads now, unless it is one of these."""
    lease = runtime_tables("workflow").Lease
    with db.read_tx("workflow"):
        row = lease.get_or_none()
        if row is None or row.expires_at <= db.now("workflow"):
            return None
        pid = int(row.holder.rpartition(":")[2])
    return None if pid in not_these else pid


def fired() -> int:
    """Return how many breaches there are."""
    with db.read_tx("workflow"):
        return SlaEvent.select().where(SlaEvent.kind == "breach").count()


def told_by(job: str) -> str:
    """Return which process noted last that it ran a job; "" while nobody has."""
    run = runtime_tables("workflow").JobRun
    with db.read_tx("workflow"):
        row = run.get_or_none(run.name == job)
    return "" if row is None else str(row.holder)


def inserting() -> bool:
    """Return whether events are being inserted now."""
    with db.read_tx("workflow") as database:
        return bool(database.execute_sql(INSERTING).fetchall())


def test_killed_while_it_inserts_again_and_again_every_clock_fires_once(schedulers: Schedulers) -> None:
    now = db.now("workflow")
    sla_clocks.add(0, CLOCKS, now)
    with write_tx("workflow") as tx:
        tx.database.execute_sql(SLOWLY)
    for _ in range(2):
        schedulers.start()
    kills = 0
    while kills < 3:
        until(inserting, 60, "somebody fires")
        victim = leader()
        if victim is None:
            continue
        schedulers.signal(victim, signal.SIGKILL)
        kills += 1
        schedulers.start()
    until(lambda: fired() >= CLOCKS, 90, "everything has fired")
    with db.read_tx("workflow"):
        assert fired() == CLOCKS
        assert not SlaClock.select().where(SlaClock.next_fire_at.is_null(False)).exists()
        outbox = runtime_tables("workflow").Outbox
        told = [row.kwargs for row in outbox.select().where(outbox.name == "messaging.tickets.event")]
    assert len(told) == len(set(told)) == CLOCKS, "told of each once"


def test_a_killed_leader_is_replaced_and_the_next_fires(schedulers: Schedulers) -> None:
    pids = [schedulers.start(), schedulers.start()]
    first = until(leader, 60, "somebody leads")
    assert first in pids
    schedulers.signal(first, signal.SIGKILL)
    second = until(lambda: leader(first), 90, "another leads")
    assert second in pids
    sla_clocks.add(0, 10, db.now("workflow"))
    until(lambda: fired() == 10, 60, "the new leader fires")


def test_a_leader_that_sleeps_is_replaced_and_fires_nothing_when_it_wakes(schedulers: Schedulers) -> None:
    pids = [schedulers.start(), schedulers.start()]
    first = until(leader, 60, "somebody leads")
    schedulers.signal(first, signal.SIGSTOP)
    second = until(lambda: leader(first), 90, "another leads")
    assert second in pids
    schedulers.signal(first, signal.SIGCONT)
    sla_clocks.add(0, 500, db.now("workflow"))
    until(lambda: fired() == 500, 60, "the new leader fires")
    assert leader() == second
    until(lambda: told_by("fire_clocks").endswith(f":{second}"), 60, "the new leader says so")
    assert fired() == 500


@pytest.mark.long
def test_ten_thousand_due_in_the_same_second_among_a_hundred_thousand_fire_in_order_within_a_minute(
    schedulers: Schedulers,
) -> None:
    sla_clocks.add(0, 100_000, None)
    schedulers.start()
    until(leader, 60, "somebody leads")
    due_at = db.now("workflow") + timedelta(seconds=15)
    sla_clocks.add(1_000_000, 1_010_000, due_at)
    assert db.now("workflow") < due_at, "they are stored before they are due"
    until(lambda: fired() >= 10_000, 75 + 15, "all fired within a minute of their due time")
    assert (db.now("workflow") - due_at).total_seconds() < 60
    with db.read_tx("workflow"):
        breaches = list(SlaEvent.select().where(SlaEvent.kind == "breach").order_by(SlaEvent.id))
    assert [event.due_at for event in breaches] == sorted(event.due_at for event in breaches)
    assert len({event.clock for event in breaches}) == len(breaches) == 10_000
