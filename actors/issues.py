"""The issue tracker's message handlers: reports become issues; comments and changes of status find theirs by either id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog

from baton.actors.handling import Delivery, NotYetError, RefusedError, handles
from baton.models.issues import Issue, store
from baton.models.transaction import Transaction
from baton.pipelines.issues import (
    STATUSES,
    Report,
    ReportError,
    absorb,
    is_news,
    is_temporary,
    read_instant,
    read_report,
    real_id,
    takes_more,
)
from baton.pipelines.messages import AddIssueComment, RecordIssue, UpdateIssueStatus

#: Longest comment and reason, in characters.
LONGEST_COMMENT = 100_000
log = structlog.get_logger("baton.issues")


@handles(
    RecordIssue,
    service="issues",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def record_issue(tx: Transaction, deliveries: Sequence[Delivery[RecordIssue]]) -> None:
    """Every report is part of an issue, which its temporary id names from now on."""
    store.record(_reports(deliveries, tx.now), absorb, tx.now)


@handles(
    AddIssueComment,
    service="issues",
    max_retries=20,
    min_backoff=500,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def add_comment(tx: Transaction, deliveries: Sequence[Delivery[AddIssueComment]]) -> None:
    """Comments are kept once. Those on issues not written yet wait."""
    addressed = _addressed(deliveries)
    there = store.known(issue_id for _, issue_id in addressed)
    for delivery, issue_id in addressed:
        message = delivery.message
        with _refusing(delivery):
            _check("content", message.content, LONGEST_COMMENT, required=True)
            _check("author", message.author, 300)
            _check("comment_id", message.comment_id, 255, required=True)
            at = min(read_instant("written_at", message.written_at, tx.now), tx.now)
            if issue_id not in there:
                raise ReportError(f"issue_id: there is no issue {issue_id}")
            store.add_comment(issue_id, message.comment_id, message.author, message.content, at)


@handles(
    UpdateIssueStatus,
    service="issues",
    max_retries=20,
    min_backoff=500,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def update_status(tx: Transaction, deliveries: Sequence[Delivery[UpdateIssueStatus]]) -> None:
    """Issues bear the newest status told. What is told of issues not written yet waits."""
    addressed = _addressed(deliveries)
    issues = store.lock_all(issue_id for _, issue_id in addressed)
    for delivery, issue_id in addressed:
        message = delivery.message
        with _refusing(delivery):
            if message.status not in STATUSES:
                raise ReportError(f"status: must be one of {', '.join(STATUSES)}")
            _check("author", message.author, 300)
            _check("reason", message.reason, LONGEST_COMMENT)
            at = min(read_instant("changed_at", message.changed_at, tx.now), tx.now)
            if issue_id not in issues:
                raise ReportError(f"issue_id: there is no issue {issue_id}")
            _apply(issues[issue_id], delivery, at)


def _apply(issue: Issue, delivery: Delivery[UpdateIssueStatus], at: datetime) -> None:
    message = delivery.message
    if not is_news(issue.status_at, at):
        log.info("issue_status_is_old_news", issue=issue.id, status=message.status)
        return
    note = f"{issue.status} -> {message.status}" + (f": {message.reason}" if message.reason else "")
    store.change_status(issue, message.status, at, takes_more=takes_more(issue.fingerprint, message.status))
    store.add_comment(issue.id, delivery.envelope.message_id, message.author, note, at, "status")


def _reports(deliveries: Sequence[Delivery[RecordIssue]], now: datetime) -> list[Report]:
    found = []
    for delivery in deliveries:
        with _refusing(delivery):
            found.append(read_report(delivery.message, now))
    return found


def _addressed(deliveries: Sequence[Delivery[Any]]) -> list[tuple[Delivery[Any], int]]:
    """Return the deliveries with the issue that each names; raises NotYetError when one is not written yet."""
    names = [delivery.message.issue_id for delivery in deliveries]
    written = store.issue_ids([name for name in names if is_temporary(name)])
    found = []
    for name, delivery in zip(names, deliveries, strict=True):
        issue_id = written.get(name) if is_temporary(name) else real_id(name)
        if issue_id is not None:
            found.append((delivery, issue_id))
        elif is_temporary(name):
            raise NotYetError(f"the issue {name} is not written yet")
        else:
            delivery.refuse("issue_id: is neither a real id nor a temporary one")
    return found


@contextmanager
def _refusing(delivery: Delivery[Any]) -> Iterator[None]:
    """Have a ReportError within the block give this one delivery up."""
    try:
        yield
    except ReportError as error:
        delivery.refuse(str(error))


def _check(field: str, text: str, longest: int, *, required: bool = False) -> None:
    if len(text) > longest or (required and not text.strip()):
        raise ReportError(f"{field}: must be {'1' if required else '0'} to {longest:,} characters long")
