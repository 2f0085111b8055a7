"""The lease: one leads, a dead one is replaced, a sleeping one finds out, and the database's clock decides."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import timedelta
from typing import Any

import pytest

from baton.actors import scheduler, scheduler_lease
from baton.actors.scheduler_lease import LEASE_SECONDS, Leadership, NoLongerLeadingError, fence
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

SERVICE = "workflow"


def lease() -> Any:
    table = runtime_tables(SERVICE).Lease
    with db.read_tx(SERVICE):
        return table.get()


def is_over() -> None:
    """Let time pass: the lease is over."""
    table = runtime_tables(SERVICE).Lease
    with write_tx(SERVICE) as tx:
        table.update(expires_at=tx.now - timedelta(seconds=1)).execute()


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_leads_and_the_other_stands_by_until_the_lease_is_over(databases: Any) -> None:
    first, second = Leadership(SERVICE, "a:1", "A"), Leadership(SERVICE, "b:1", "B")
    assert first.keep() and not second.keep()
    assert (first.token, second.token) == (1, None)
    assert first.keep(), "it renews what it has, under the same token"
    assert first.token == 1
    is_over()
    assert second.keep()
    assert (second.token, lease().holder) == (2, "b:1")
    assert not first.keep(), "whoever lost it does not get it back by renewing"
    assert first.token is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_many_that_try_at_once_one_leads(databases: Any) -> None:
    candidates = [Leadership(SERVICE, f"host{number}:1", f"place{number}") for number in range(8)]
    for _ in range(3):
        threads = [threading.Thread(target=candidate.keep) for candidate in candidates]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        now = lease()
        assert [(each.token, each.holder) for each in candidates if each.token is not None] == [(now.token, now.holder)]
        is_over()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_databases_clock_decides_when_a_lease_is_over(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Leadership(SERVICE, "a:1", "A")
    assert held.keep()
    if db.is_sqlite(db.service_database(SERVICE)):
        return  # its clock is this machine's
    now = db.now
    for minutes in (5, -5):
        monkeypatch.setattr(db, "now", lambda service, minutes=minutes: now(service) + timedelta(minutes=minutes))
        skewed = Leadership(SERVICE, "b:1", "B")
        assert not skewed.keep(), f"a clock {minutes} minutes off takes nothing"
    monkeypatch.setattr(db, "now", lambda service: now(service) - timedelta(minutes=5))
    assert held.keep()
    left = lease().expires_at - now(SERVICE)
    assert timedelta() < left <= timedelta(seconds=LEASE_SECONDS + 1)


def test_a_leader_that_slept_no_longer_believes_in_its_lease(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Leadership(SERVICE, "a:1", "A")
    assert held.keep()
    later = scheduler_lease.elapsed() + LEASE_SECONDS
    monkeypatch.setattr(scheduler_lease, "elapsed", lambda: later)
    assert held.token is None
    with held.acting() as leads:
        assert not leads


@pytest.mark.parametrize("backend", BACKENDS)
def test_work_begun_under_a_lease_that_was_lost_is_undone(databases: Any) -> None:
    table = runtime_tables(SERVICE).Heartbeat
    first, second = Leadership(SERVICE, "a:1", "A"), Leadership(SERVICE, "b:1", "B")
    assert first.keep()
    with first.acting():
        with write_tx(SERVICE) as tx:
            fence(tx)
        is_over()
        assert second.keep()
        with pytest.raises(NoLongerLeadingError), write_tx(SERVICE) as tx:
            table.insert(kind="work", instance="x", seen_at=tx.now).execute()
            fence(tx)
    with db.read_tx(SERVICE):
        assert not table.select().exists()


def test_where_nobody_leads_nothing_is_fenced(databases: Any) -> None:
    with write_tx(SERVICE) as tx:
        fence(tx)


def test_a_neighbour_replaces_a_killed_leader_at_once_and_a_stranger_when_the_lease_is_over(databases: Any) -> None:
    child = subprocess.Popen(["sleep", "60"])
    dead = Leadership(SERVICE, f"host:{child.pid}", "here")
    assert dead.keep()
    neighbour, stranger = Leadership(SERVICE, f"host:{os.getpid()}", "here"), Leadership(SERVICE, "other:1", "elsewhere")
    assert not neighbour.keep(), "the process lives"
    child.kill()
    child.wait()
    assert not stranger.keep(), "it cannot see that the process is gone"
    assert neighbour.keep()
    assert neighbour.token == 2


def test_whoever_stops_gives_the_lease_up(databases: Any) -> None:
    first, second = Leadership(SERVICE, "a:1", "A"), Leadership(SERVICE, "b:1", "B")
    assert first.keep()
    first.resign()
    assert first.token is None
    assert second.keep()


def test_a_scheduler_that_does_not_lead_runs_only_what_runs_everywhere(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Leadership(SERVICE, "elsewhere:1", "elsewhere").keep()
    ran: list[str] = []
    beaten = threading.Event()

    def note(_service: str) -> int:
        ran.append("leader's")
        return 1

    def beat(_service: str) -> int:
        ran.append("everywhere")
        if ran.count("everywhere") > 2:
            beaten.set()
        return 0

    jobs = [scheduler.Job("note", 0.05, note, (SERVICE,)), scheduler.Job("beat", 0.05, beat, (SERVICE,), everywhere=True)]
    monkeypatch.setattr(scheduler, "JOBS", jobs)
    stop = threading.Event()
    running = threading.Thread(target=scheduler.run, args=(databases, (SERVICE,), stop))
    running.start()
    assert beaten.wait(10)
    stop.set()
    running.join(10)
    assert set(ran) == {"everywhere"}
