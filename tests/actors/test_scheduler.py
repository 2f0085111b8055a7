"""The scheduler and the runtime's sweeps: what is due moves once, what is old goes away, a failing job stops no other."""

from __future__ import annotations

import ast
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from baton.actors import scheduler, sweeps
from baton.actors.scheduler_lease import LEASE_SECONDS, RENEW_SECONDS
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

SERVICE = "helpdesk"


def defer(number: int, seconds: float) -> None:
    """Store a message that is due in so many seconds (negative: long since)."""
    with write_tx(SERVICE) as tx:
        runtime_tables(SERVICE).DeferredMessage.insert(
            message_id=f"m{number}",
            queue="q",
            name="n",
            kwargs=f'{{"number":{number}}}',
            envelope=f'{{"message_id":"m{number}","attempt":3}}',
            attempt=3,
            reason="not yet",
            due_at=tx.now + timedelta(seconds=seconds),
        ).execute()


def rows(table: str) -> list[dict[str, Any]]:
    model = getattr(runtime_tables(SERVICE), table)
    with db.read_tx(SERVICE):
        return list(model.select().dicts())


def test_nobody_leads_for_fifteen_seconds_at_most() -> None:
    # At the worst a leader dies right after it renewed, and another asked for the lease right before it was over.
    assert LEASE_SECONDS + RENEW_SECONDS <= 15


@pytest.mark.parametrize("backend", BACKENDS)
def test_due_messages_move_to_the_outbox_oldest_first_and_as_they_are(databases: Any) -> None:
    defer(1, -10)
    defer(2, -20)
    defer(3, 3600)
    assert sweeps.release_due_messages(SERVICE) == 2
    sent = sorted(rows("Outbox"), key=lambda row: row["id"])
    assert [row["kwargs"] for row in sent] == ['{"number":2}', '{"number":1}']
    assert sent[0]["envelope"] == '{"message_id":"m2","attempt":3}'
    assert [row["message_id"] for row in rows("DeferredMessage")] == ["m3"]
    assert sweeps.release_due_messages(SERVICE) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_schedulers_move_each_message_once(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 20)
    for number in range(100):
        defer(number, -1)
    threads = [threading.Thread(target=sweeps.release_due_messages, args=(SERVICE,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweeps.release_due_messages(SERVICE)
    assert sorted(row["kwargs"] for row in rows("Outbox")) == sorted(f'{{"number":{number}}}' for number in range(100))
    assert rows("DeferredMessage") == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_old_rows_of_the_runtime_go_away_and_recent_ones_stay(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 2)
    tables = runtime_tables(SERVICE)
    with write_tx(SERVICE) as tx:
        for age in (0, 6, 8, 9, 10, 11, 12):
            then = tx.now - timedelta(days=age)
            tables.Inbox.insert(receiver="r", message_id=f"m{age}", handled_at=then).execute()
            tables.DeliveryAttempt.insert(message_id=f"m{age}", attempts=1, last_started_at=then).execute()
            tables.IdempotencyKey.insert(
                principal="p", key=f"k{age}", fingerprint="", status=201, headers="{}", body="", created_at=then
            ).execute()
            tables.Heartbeat.insert(kind="relay", instance=f"host:{age}", seen_at=then).execute()
    assert sweeps.clean_up(SERVICE) == 5 + 5 + 5 + 6
    assert {row["message_id"] for row in rows("Inbox")} == {"m0", "m6"}
    assert {row["message_id"] for row in rows("DeliveryAttempt")} == {"m0", "m6"}
    assert {row["key"] for row in rows("IdempotencyKey")} == {"k0", "k6"}
    assert {row["instance"] for row in rows("Heartbeat")} == {"host:0"}


def test_a_failing_job_is_reported_and_stops_nothing(databases: Any) -> None:
    def fail(_service: str) -> int:
        raise ZeroDivisionError

    def unavailable(_service: str) -> int:
        raise db.DatabaseUnavailableError("away")

    for broken in (fail, unavailable):
        assert scheduler.run_job(scheduler.Job("broken", 1, broken, (SERVICE,)), SERVICE) == 0


def test_a_service_adds_its_jobs_with_every(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "JOBS", [])

    @scheduler.every(5, "workflow", "helpdesk")
    def assign_returned(_service: str) -> int:
        return 1

    [job] = scheduler.JOBS
    assert job == scheduler.Job("assign_returned", 5, assign_returned, ("workflow", "helpdesk"))
    assert assign_returned("workflow") == 1


def test_a_running_scheduler_moves_due_messages_and_shows_that_it_is_alive(databases: Any) -> None:
    defer(1, 0.2)
    stop = threading.Event()
    running = threading.Thread(target=scheduler.run, args=(databases, (SERVICE,), stop))
    running.start()
    deadline = time.monotonic() + 90
    while not (rows("Outbox") and rows("Heartbeat")) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    running.join(timeout=90)
    assert [row["kwargs"] for row in rows("Outbox")] == ['{"number":1}']
    assert [row["kind"] for row in rows("Heartbeat")] == ["scheduler"]


def test_every_job_states_when_it_runs_and_no_two_share_a_name() -> None:
    names = [(job.name, service) for job in scheduler.JOBS for service in job.services]
    assert len(names) == len(set(names))
    assert all(job.seconds > 0 for job in scheduler.JOBS)


def test_a_job_runs_when_it_says_that_it_is_due_and_no_later_than_its_period(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = [db.now(SERVICE) + timedelta(seconds=0.3)]
    runs: list[float] = []
    twice = threading.Event()

    def fire(_service: str) -> int:
        runs.append(time.monotonic())
        if len(runs) == 3:
            twice.set()
        return 0

    def next_due(_service: str) -> Any:
        return due.pop() if due else None

    monkeypatch.setattr(scheduler, "JOBS", [scheduler.Job("fire", 1, fire, (SERVICE,), next_due)])
    stop = threading.Event()
    running = threading.Thread(target=scheduler.run, args=(databases, (SERVICE,), stop))
    running.start()
    assert twice.wait(10)
    stop.set()
    running.join(10)
    first, second = runs[1] - runs[0], runs[2] - runs[1]
    assert first < 0.9, "when it is due"
    assert 0.5 < second < 3, "then after its period"


def test_no_tick_is_skipped_because_it_is_late_and_several_late_ones_are_one(databases: Any) -> None:
    process = scheduler._Process((SERVICE,))
    process.start()
    ticks = process._ticks.get_jobs()
    process.stop()
    assert ticks
    assert {(tick.misfire_grace_time, tick.coalesce, tick.max_instances) for tick in ticks} == {(None, True, 1)}


def test_no_business_timer_is_a_delayed_message() -> None:
    """A delayed message waits in a worker's memory, and RabbitMQ hands it out again after half an hour: time is a row instead."""
    root = Path(scheduler.__file__).resolve().parent.parent
    delayed = []
    for path in [path for folder in ("actors", "http", "models", "pipelines") for path in (root / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and any(keyword.arg in ("delay", "eta", "countdown") for keyword in node.keywords):
                delayed.append(f"{path.name}:{node.lineno}: {ast.unparse(node)[:80]}")
    assert [each for each in delayed if "enqueue" in each or "send" in each] == []
