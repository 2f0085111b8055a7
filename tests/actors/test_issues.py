"""The issue tracker's handlers: hostile messages harm only themselves, and two workers make one issue."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from baton.actors.handling import NotYetError, delivery_of
from baton.actors.issues import add_comment, record_issue, update_status
from baton.models import database
from baton.models.issues import Issue, IssueComment, IssueReport, IssueTag, journey
from baton.models.transaction import write_tx
from baton.pipelines.messages import AddIssueComment, RecordIssue, UpdateIssueStatus
from tests.factories import BACKENDS

FAULT = "fault:" + "a" * 32
pytestmark = [pytest.mark.parametrize("backend", BACKENDS), pytest.mark.usefixtures("databases")]


def fault(**changes: Any) -> RecordIssue:
    values = {
        "temporary_id": f"temp-{uuid.uuid4()}",
        "title": "It fails",
        "fingerprint": FAULT,
        "component": "workflow",
        **changes,
    }
    return RecordIssue(**values)


def handle(actor: Any, *messages: Any) -> list[str | None]:
    deliveries = [delivery_of(message) for message in messages]
    with write_tx("issues") as tx:
        actor.handle(tx, deliveries)
    return [delivery.refusal for delivery in deliveries]


def issues() -> list[Issue]:
    with database.read_tx("issues"):
        return list(Issue.select().order_by(Issue.id))


def test_a_batch_of_the_same_fault_is_one_issue_with_a_count() -> None:
    messages = [fault(count=n, tags=[f"t{n}"], ticket_number=f"HD-{n:08d}") for n in (1, 2, 3)]
    handle(record_issue, *messages, fault(fingerprint="fault:" + "b" * 32))
    handle(record_issue, *messages)
    first, second = issues()
    assert (first.count, second.count, first.status) == (6, 1, "open")
    with database.read_tx("issues"):
        assert sorted(row.tag for row in IssueTag.select()) == ["t1", "t2", "t3"]
        assert [event["event"] for event in journey("HD-00000002")] == ["issue"]
        assert journey("HD-00000009") == []


def test_a_fault_of_a_closed_issue_reopens_it_and_says_so() -> None:
    handle(record_issue, fault())
    handle(update_status, UpdateIssueStatus(issue_id="1", status="closed", changed_at="2099-01-01T00:00:00Z"))
    assert issues()[0].status == "closed"
    handle(record_issue, fault())
    (issue,) = issues()
    assert (issue.status, issue.count) == ("open", 2)
    with database.read_tx("issues"):
        notes = [comment.content for comment in IssueComment.select().order_by(IssueComment.id)]
    assert notes == ["open -> closed", "closed -> open: it happened again"]


def test_older_changes_of_status_change_nothing() -> None:
    handle(record_issue, fault(occurred_at="2026-01-01T00:00:00Z"))
    newer = UpdateIssueStatus(issue_id="1", status="resolved", changed_at="2026-01-03T00:00:00Z")
    older = UpdateIssueStatus(issue_id="1", status="in_progress", changed_at="2026-01-02T00:00:00Z")
    handle(update_status, newer, older)
    handle(update_status, older, newer)
    assert issues()[0].status == "resolved"
    with database.read_tx("issues"):
        assert IssueComment.select().count() == 1


def test_a_comment_twice_is_one_comment() -> None:
    message = fault()
    handle(record_issue, message)
    comment = AddIssueComment(issue_id=message.temporary_id, comment_id="c1", content="x")
    handle(add_comment, comment, comment)
    handle(add_comment, comment)
    with database.read_tx("issues"):
        assert IssueComment.select().count() == 1


def test_what_overtakes_its_issue_waits() -> None:
    temporary = f"temp-{uuid.uuid4()}"
    with pytest.raises(NotYetError):
        handle(add_comment, AddIssueComment(issue_id=temporary, comment_id="c", content="x"))
    with pytest.raises(NotYetError):
        handle(update_status, UpdateIssueStatus(issue_id=temporary, status="closed", changed_at="2026-01-01T00:00:00Z"))


def test_hostile_messages_are_refused_and_the_others_are_kept() -> None:
    refusals = handle(
        record_issue,
        fault(),
        fault(temporary_id="x"),
        fault(title=" "),
        fault(priority="soon"),
        fault(count=0),
        fault(tags=["x" * 999]),
    )
    assert [refusal is None for refusal in refusals] == [True] + [False] * 5
    at = "2026-01-01T00:00:00Z"
    refusals = handle(
        update_status,
        *(UpdateIssueStatus(issue_id=name, status="closed", changed_at=at) for name in ("2", "x", "-1", "9" * 40, "٣")),
        UpdateIssueStatus(issue_id="1", status="gone", changed_at=at),
        UpdateIssueStatus(issue_id="1", status="closed", changed_at="soon"),
    )
    assert None not in refusals
    refusals = handle(
        add_comment,
        AddIssueComment(issue_id="1", comment_id="a", content=" "),
        AddIssueComment(issue_id="1", comment_id="", content="x"),
        AddIssueComment(issue_id="7", comment_id="b", content="x"),
        AddIssueComment(issue_id="1", comment_id="c", content="kept"),
    )
    assert [refusal is None for refusal in refusals] == [False, False, False, True]
    assert [(issue.count, issue.status) for issue in issues()] == [(1, "open")]


def test_workers_at_the_same_time_make_one_issue_of_one_fault() -> None:
    prints = ["fault:" + digit * 32 for digit in "0123"]

    def work(order: int) -> None:
        for _ in range(10):
            handle(record_issue, *(fault(fingerprint=print_) for print_ in (prints if order % 2 else prints[::-1])))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [issue.count for issue in issues()] == [40] * 4
    with database.read_tx("issues"):
        assert IssueReport.select().where(IssueReport.issue.is_null()).count() == 0
        assert IssueReport.select().count() == 160
