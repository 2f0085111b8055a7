"""
The runtime reports on itself: a handler that fails makes an issue, through the outbox of its own service.

The report leaves with the row that records the retry, so it waits while the issue tracker or the broker is away. The same fault
is told at most once in QUIET_SECONDS by one process; what was held back is counted in the next report, or told by
`tell_held_back`, which workers call now and then. Nothing here raises into the work.

A report has the exception's kind, the functions it passed through, ticket, message id, attempt and actor. It never has local
values or the message's fields, and texts of exceptions are masked.
"""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from baton.actors.delivery import Delivery
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.issues import fingerprint_of_fault, normal_file
from baton.pipelines.masking import mask, storable
from baton.pipelines.messages import RecordIssue

#: Seconds for which the same fault of one process is counted rather than told again. Lower: more messages in a storm.
QUIET_SECONDS = 10.0
#: Different faults remembered by a process. The longest unseen are forgotten first (and told, if occurrences were held back).
MOST_FAULTS = 500
#: Frames of an exception that are told, the innermost ones, and exceptions of a chain.
MOST_FRAMES, MOST_CAUSES = 40, 5
#: The service that keeps issues: its own failures would only make more of them, so they stay in its log and dead letters.
KEEPER = "issues"
log = structlog.get_logger("baton.issues")


@dataclass(slots=True)
class _Told:
    at: float
    held_back: int = 0
    service: str = ""
    report: RecordIssue | None = None


class Limiter:
    """What this process has told of lately. Safe for several threads; `now` is monotonic seconds."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS, most: int = MOST_FAULTS) -> None:
        self._quiet, self._most = quiet_seconds, most
        self._told: OrderedDict[tuple[str, str | None], _Told] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, service: str, report: RecordIssue, now: float) -> RecordIssue | None:
        """Return the report to tell, its count including what was held back; None while the fault is to be held back."""
        key = (service, report.fingerprint)
        with self._lock:
            told = self._told.get(key)
            if told is not None and now - told.at < self._quiet:
                told.held_back, told.report, told.service = told.held_back + 1, report, service
                return None
            held_back = told.held_back if told is not None else 0
            self._told[key] = _Told(now)
            self._told.move_to_end(key)
            while len(self._told) > self._most:
                # Rather forget one that owes nothing; when all do, the oldest debt is lost, and the storm is told anyway.
                idle = next((other for other, entry in self._told.items() if not entry.held_back), next(iter(self._told)))
                del self._told[idle]
        return replace(report, count=report.count + held_back) if held_back else report

    def due(self, now: float, *, all_: bool = False) -> list[tuple[str, RecordIssue]]:
        """Return, and forget, what was held back and would be told by now: service and report. `all_`: whatever is held back."""
        found = []
        with self._lock:
            for told in self._told.values():
                if told.held_back and told.report is not None and (all_ or now - told.at >= self._quiet):
                    found.append((told.service, replace(told.report, count=told.held_back)))
                    told.at, told.held_back, told.report = now, 0, None
        return found

    def take_back(self, service: str, reports: Sequence[RecordIssue]) -> None:
        """Hold back again what could not be told."""
        with self._lock:
            for report in reports:
                told = self._told.get((service, report.fingerprint))
                if told is not None:
                    told.held_back, told.report, told.service = told.held_back + report.count, told.report or report, service


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
    kind = _kind(error) if error is not None else "WorkerKilledError"
    said = _said(error) if error is not None else mask(reason)
    frames = list(_frames(error)) if error is not None else [("actor", actor.actor_name)]
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
    return "\n".join([*facts, "", *(_traceback(error) if error is not None else [said])])


def _traceback(error: BaseException) -> Iterator[str]:
    """Yield an exception and its causes, outermost last, as Python prints them but for the texts, which are masked."""
    for number, link in enumerate(reversed(list(_chain(error)))):
        if number:
            yield "\nwhich led to:\n"
        yield "Traceback (most recent call last):"
        for frame in _stack(link):
            yield f'  File "{normal_file(frame.filename)}", line {frame.lineno}, in {frame.name}'
            if frame.line:
                yield f"    {storable(frame.line)[:200]}"
        yield f"{_kind(link)}: {_said(link)}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < MOST_CAUSES:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _frames(error: BaseException) -> Iterator[tuple[str, str]]:
    return ((frame.f_code.co_filename, frame.f_code.co_name) for frame, _ in traceback.walk_tb(error.__traceback__))


def _stack(error: BaseException) -> Sequence[traceback.FrameSummary]:
    # Without local values, which is what personal text would come in by.
    return traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), limit=-MOST_FRAMES, capture_locals=False)


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _said(error: BaseException) -> str:
    text = ""
    with suppress(Exception):  # an exception whose text cannot be made still has a kind
        text = str(error)
    return " ".join(mask(text).split())


def _short(text: str | None) -> str | None:
    return None if text is None else storable(text)[:255]


def _temporary_id() -> str:
    return f"temp-{uuid.uuid4()}"
