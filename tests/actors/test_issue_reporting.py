"""A failing handler makes one issue, tells nothing private, and is never the worse for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.actors import issue_reporting
from baton.actors.batches import run_batch
from baton.actors.delivery import delivery_of
from baton.actors.handling import NotYetError, RefusedError
from baton.actors.issue_limiter import Limiter
from baton.actors.issues import record_issue
from baton.actors.outcomes import MAX_STARTS
from baton.models import database as db
from baton.models.transaction import write_tx
from baton.pipelines.issues import read_report
from baton.pipelines.messages import CATALOGUE, RecordIssue
from tests.actors.notes import SERVICE, T, batch_of, handler, keep, kept, rows, wire_of

SECRET = "My knee hurts and I cannot come to work"


@pytest.fixture
def broker(memory_broker):
    return memory_broker


def told() -> list[RecordIssue]:
    return [RecordIssue(**json.loads(row["kwargs"])) for row in rows(T.Outbox) if row["name"] == RecordIssue.name]


def fails(error: BaseException) -> Any:
    def fail(tx: Any, deliveries: Any) -> None:
        note = deliveries[0].message.text  # a local value, which must not be told
        keep(tx, deliveries)
        assert note
        raise error

    return fail


def test_a_failure_is_told_with_its_retry(broker):
    run_batch(handler(fails(ZeroDivisionError("late"))), batch_of(wire_of("one", attempt=2, ticket_number="HD-00000007")))
    (report,) = told()
    assert (report.ticket_number, report.message_id, report.count, report.component) == ("HD-00000007", "id-one", 1, SERVICE)
    assert report.title == "ZeroDivisionError in tests.note: late"
    for part in ("attempt: 2, to be tried again", "actor: tests.note", "in fail", "test_issue_reporting.py", "Traceback"):
        assert part in report.description
    assert len(rows(T.DeferredMessage)) == 1
    with db.read_tx(SERVICE):
        assert read_report(report, db.now(SERVICE)).fold_key == report.fingerprint


def test_neither_the_message_nor_its_sender_is_told(broker):
    error = ValueError(f"cannot take {SECRET!r} of eve@example.com, password=hunter2")
    error.__cause__ = KeyError(SECRET)
    run_batch(handler(fails(error)), batch_of(wire_of(SECRET, message_id="m")))
    (row,) = [row for row in rows(T.Outbox) if row["name"] == RecordIssue.name]
    for private in ("knee", "eve@example.com", "hunter2"):
        assert private not in row["kwargs"] + row["envelope"]
    assert "which led to" in told()[0].description


def test_the_same_failure_is_told_once_and_counted(broker, monkeypatch):
    monkeypatch.setattr(issue_reporting, "_limiter", Limiter(3_600.0))  # however slow the machine is
    actor = handler(fails(ZeroDivisionError("late")))
    run_batch(actor, batch_of(*[wire_of(f"n{number}") for number in range(5)]))
    assert [report.count for report in told()] == [1]
    issue_reporting.tell_held_back(all_=True)
    issue_reporting.tell_held_back(all_=True)
    assert [report.count for report in told()] == [1, 4]
    assert len({report.fingerprint for report in told()}) == 1
    assert len({report.temporary_id for report in told()}) == 2
    assert len(rows(T.DeferredMessage)) == 5


def test_the_last_failure_says_that_the_message_was_given_up(broker):
    run_batch(handler(fails(ZeroDivisionError("always")), max_retries=2), batch_of(wire_of("one", attempt=3)))
    (report,) = told()
    assert (report.priority, "dead letter" in report.tags, "given up" in report.description) == ("High", True, True)
    assert len(broker.letters) == 1


def test_what_is_refused_or_only_late_is_no_fault_until_it_is_given_up(broker):
    run_batch(handler(fails(RefusedError("no"))), batch_of(wire_of("one")))
    run_batch(handler_of(NotYetError("role 5"), broker), batch_of(wire_of("two")))
    assert told() == []
    run_batch(handler_of(NotYetError("role 5"), broker), batch_of(wire_of("three", attempt=9)))
    assert [report.title for report in told()] == ["NotYetError in tests.note: role 5"]


def handler_of(error: BaseException, broker: Any) -> Any:
    """Declare another failing handler on a broker that has one already."""
    broker.actors.clear()
    return handler(fails(error))


def test_a_message_that_kills_its_worker_is_told(broker):
    actor = handler(fails(KeyboardInterrupt()))
    for _ in range(MAX_STARTS):
        with pytest.raises(KeyboardInterrupt):
            run_batch(actor, batch_of(wire_of("poison"), redelivered=True))
    run_batch(actor, batch_of(wire_of("poison"), redelivered=True))
    (report,) = told()
    assert "killed its worker" in report.title
    assert report.message_id == "id-poison"


@pytest.mark.parametrize(
    "error",
    [ValueError("\x00\ud800" * 10_000), ValueError(), ExceptionGroup("x", [ValueError(SECRET)])],
    ids=lambda e: type(e).__name__,
)
def test_whatever_is_raised_the_message_is_tried_again(broker, error):
    run_batch(handler(fails(error)), batch_of(wire_of("one")))
    assert len(rows(T.DeferredMessage)) == len(told()) == 1
    json.dumps(told()[0].to_kwargs()).encode().decode()
    assert SECRET not in told()[0].description


def test_a_report_that_cannot_be_made_does_not_break_the_work(broker, monkeypatch):
    monkeypatch.setattr(issue_reporting, "_report", lambda *_: 1 / 0)
    run_batch(handler(fails(ZeroDivisionError("late"))), batch_of(wire_of("one")))
    assert (len(rows(T.DeferredMessage)), told()) == (1, [])


def test_a_report_that_cannot_be_stored_does_not_keep_a_message_from_the_dead_letters(broker, monkeypatch):
    def away(service: str) -> Any:
        raise db.DatabaseUnavailableError("connection refused")

    monkeypatch.setattr(issue_reporting, "write_tx", away)
    run_batch(handler(fails(ZeroDivisionError("late")), max_retries=0), batch_of(wire_of("one")))
    assert len(broker.letters) == 1
    assert kept() == []


def test_the_issue_trackers_own_failures_make_no_issues(databases, stub_broker, monkeypatch):
    monkeypatch.setattr(record_issue, "handle", fails_plainly)
    run_batch(record_issue, batch_of(wire_for(RecordIssue(temporary_id="temp-1", title="x"))))
    from baton.models.runtime import runtime_tables

    with db.read_tx("issues"):
        assert runtime_tables("issues").Outbox.select().count() == 0
        assert runtime_tables("issues").DeferredMessage.select().count() == 1


def fails_plainly(tx: Any, deliveries: Any) -> None:
    raise ZeroDivisionError("late")


def wire_for(message: Any) -> Any:
    from baton.actors.wire import encode

    facts = {"message_id": "m1", "trace_id": "t", "sent_at": "2026-01-05T09:00:00+00:00"}
    return encode(message.queue, message.name, json.dumps(message.to_kwargs()), json.dumps(facts))


def test_while_the_tracker_is_away_reports_wait_in_the_outbox_and_then_make_one_issue(databases, stub_broker, monkeypatch):
    from baton.actors.tickets import update_status
    from baton.models.issues import Issue
    from baton.models.runtime import runtime_tables
    from baton.pipelines.messages import UpdateGatewayStatus

    monkeypatch.setattr(update_status, "handle", fails_plainly)
    db.close("issues")
    away = db.service_database("issues").obj
    db.service_database("issues").initialize(None)
    try:
        for number in range(3):
            monkeypatch.setattr(issue_reporting, "_limiter", Limiter())  # as many processes
            wire = wire_for(UpdateGatewayStatus(ticket_id=f"GW-0000000{number}", status="Open"))
            run_batch(update_status, batch_of(wire))
    finally:
        db.service_database("issues").initialize(away)
    with db.read_tx("tickets"):
        waiting = list(runtime_tables("tickets").Outbox.select().dicts())
    with write_tx("issues") as tx:
        record_issue.handle(tx, [delivery_of(CATALOGUE[row["name"]](**json.loads(row["kwargs"]))) for row in waiting])
    with db.read_tx("issues"):
        (issue,) = Issue.select()
    assert (issue.count, issue.component, issue.status) == (3, "tickets", "open")


def test_the_limiter_tells_once_in_its_time_and_carries_what_it_held_back():
    limiter, report = Limiter(10.0), RecordIssue(temporary_id="t", title="x", fingerprint="f")
    admitted = [limiter.admit("s", report, now) for now in (0.0, 1.0, 9.9, 10.0, 11.0)]
    assert [None if one is None else one.count for one in admitted] == [1, None, None, 3, None]
    assert limiter.admit("other", report, 11.0) is not None
    assert limiter.due(12.0) == []
    ((service, owed),) = limiter.due(20.0)
    assert (service, owed.count) == ("s", 1)
    assert limiter.admit("s", report, 25.0) is None


def test_what_was_held_back_is_owed_until_it_is_told(broker, monkeypatch):
    limiter, real = Limiter(3_600.0), issue_reporting.write_tx
    monkeypatch.setattr(issue_reporting, "_limiter", limiter)
    run_batch(handler(fails(ZeroDivisionError("late"))), batch_of(wire_of("one"), wire_of("two")))
    monkeypatch.setattr(issue_reporting, "write_tx", lambda service: 1 / 0)
    issue_reporting.tell_held_back(all_=True)
    assert len(told()) == 1
    monkeypatch.setattr(issue_reporting, "write_tx", real)
    issue_reporting.tell_held_back(all_=True)
    assert [report.count for report in told()] == [1, 1]


def test_the_limiter_forgets_the_oldest():
    limiter = Limiter(10.0, most=3)
    for number in range(10):
        assert limiter.admit("s", RecordIssue(temporary_id="t", title="x", fingerprint=str(number)), 0.0) is not None
    assert len(limiter._told) == 3
