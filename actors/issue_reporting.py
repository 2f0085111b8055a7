"""
The runtime reports on itself: a handler that fails makes an issue, through the outbox of its own service.

The report leaves with the row that records the retry, so it waits while the issue tracker or the broker is away. The same fault
is told at most once in ten seconds by one process; what was held back is counted in the next report, or told by
`tell_held_back`, which workers call now and then. Nothing here raises into the work.

A report has the exception's kind, the functions it passed through, ticket, message id, attempt and actor. It never has local
values or the message's fields, and texts of exceptions are masked.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Any

import structlog

from baton.actors import failure_text
from baton.actors.delivery import Delivery
from baton.actors.issue_limiter import Limiter
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.issues import fingerprint_of_fault
from baton.pipelines.masking import mask, storable
from baton.pipelines.messages import RecordIssue

#: The service that keeps issues: its own failures would only make more of them, so they stay in its log and dead letters.
KEEPER = "issues"
log = structlog.get_logger("baton.issues")
_limiter = Limiter()


def failure(
    actor: Any, delivery: Delivery[Any], error: BaseException | None, reason: str = "", *, gave_up: bool = False
) -> RecordIssue | None:
    """
    Return the report of a failed message, to be announced with the row that records its outcome; None: nothing to tell.

    `error` is what the handler raised, if it is that; `reason` says in words what happened otherwise. Never raises.
    """
    try:
        if actor.service == KEEPER:
            return None
        return _limiter.admit(actor.service, _report(actor, delivery, error, reason, gave_up), time.monotonic())
    except Exception as broken:
        log.warning("issue_not_reported", error=type(broken).__name__)
        return None


def announce(tx: Transaction, report: RecordIssue | None, trace_id: str | None = None) -> None:
    """Have a report sent once the transaction has committed. Its temporary id is its own, so that repeating is harmless."""
    if report is not None:
        tx.announce(replace(report, occurred_at=tx.now.isoformat()), ticket_number=report.ticket_number, trace_id=trace_id)


def tell(service: str, report: RecordIssue | None, trace_id: str | None = None) -> None:
    """Send a report in a transaction of its own; if the database does not take it, say so in the log and go on."""
    if report is None:
        return
    try:
        with write_tx(service) as tx:
            announce(tx, report, trace_id)
    except Exception as error:
        log.warning("issue_not_reported", title=report.title, count=report.count, error=f"{type(error).__name__}: {error}")


def tell_held_back(*, all_: bool = False) -> None:
    """Tell the occurrences that were held back for long enough (or all, when the process ends). Never raises."""
    owed = _limiter.due(time.monotonic(), all_=all_)
    for service in {service for service, _ in owed}:
        reports = [replace(report, temporary_id=_temporary_id()) for owner, report in owed if owner == service]
        try:
            with write_tx(service) as tx:
                for report in reports:
                    announce(tx, report)
        except Exception as error:
            _limiter.take_back(service, reports)
            log.warning("issues_not_reported", service=service, reports=len(reports), error=f"{type(error).__name__}: {error}")


def _report(actor: Any, delivery: Delivery[Any], error: BaseException | None, reason: str, gave_up: bool) -> RecordIssue:
    envelope = delivery.envelope
    kind = failure_text.kind(error) if error is not None else "WorkerKilledError"
    said = failure_text.said(error) if error is not None else mask(reason)
    frames = list(failure_text.frames(error)) if error is not None else [("actor", actor.actor_name)]
    return RecordIssue(
        temporary_id=_temporary_id(),
        title=f"{kind.rpartition('.')[2]} in {actor.actor_name}: {said}"[:300].strip(": "),
        description=_description(actor, delivery, error, said, gave_up),
        type="bug",
        priority="High" if gave_up else "Medium",
        tags=["runtime", actor.actor_name, *(["dead letter"] if gave_up else [])],
        component=actor.service,
        reporter=f"service:{actor.service}",
        fingerprint=fingerprint_of_fault(kind, frames, actor.service),
        ticket_number=_short(envelope.ticket_number),
        message_id=_short(envelope.message_id),
    )


def _description(actor: Any, delivery: Delivery[Any], error: BaseException | None, said: str, gave_up: bool) -> str:
    envelope = delivery.envelope
    facts = [
        f"actor: {actor.actor_name} ({actor.service})",
        f"message: {_short(envelope.message_id)}",
        f"ticket: {_short(envelope.ticket_number) or 'none'}",
        f"attempt: {envelope.attempt}" + (", given up: see the dead letters of its queue" if gave_up else ", to be tried again"),
        f"trace: {_short(envelope.trace_id)}",
    ]
    return "\n".join([*facts, "", *(failure_text.printed(error) if error is not None else [said])])


def _short(text: str | None) -> str | None:
    return None if text is None else storable(text)[:255]


def _temporary_id() -> str:
    return f"temp-{uuid.uuid4()}"
