"""
Firing: clocks that are due warn, are breached, escalate; each level once, in order, whatever dies in between.

A run takes batches of the oldest due clocks. One transaction locks them, decides by what they are under the lock, and writes
events, what fires next, and all messages; what people are told of waits in the outbox. The last thing it does is to check that
this scheduler still leads. If a batch fails, each of its clocks is fired by itself: the culprit is kept with its error, tried
again later and later, and after some tries reported as an issue; it holds nobody up and stays in the list of what is overdue.

Before that, tickets that changed since their clocks were brought up to date are brought up to date, so that a verdict comes from
what happened and not from how soon a message about it was handled. What the workflow side learns only afterwards (a reply whose
message was late) takes the event back, with a note.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from baton.actors import failure_text
from baton.actors.scheduler import every
from baton.actors.scheduler_lease import NoLongerLeadingError, fence
from baton.actors.workflow.clocks import bring_up_to_date
from baton.actors.workflow.firing_news import announce_fired, key_of
from baton.models.database import DatabaseUnavailableError
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow import firing_store as store
from baton.pipelines.firing import DueClock, Event, Firing, clock_of, fire
from baton.pipelines.issues import fingerprint_of_fault
from baton.pipelines.messages import RecordIssue
from baton.pipelines.sla.calendars import calendar_from_text
from baton.pipelines.sla_lives import Item
from baton.pipelines.sla_policy_texts import policy_from_json

#: Clocks that one transaction fires, and transactions of one run: the next run goes on at once.
BATCH, MOST_BATCHES = 500, 20
#: A clock that cannot be fired is tried again after so many seconds, twice as many each time, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
#: Tries after which a clock that cannot be fired becomes an issue.
TRIES_UNTIL_ISSUE = 5
FIRED = Counter("baton_sla_fired_total", "Levels of clocks that fired", ["kind", "late"])
FAILED = Counter("baton_sla_firing_failures_total", "Times a clock could not be fired")
LAG = Histogram("baton_sla_lag_seconds", "Time from due to fired", buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 600, 3600))
OLDEST = Gauge("baton_sla_sweep_lag_seconds", "How long the oldest clock of the last batch had been due when it was fired")
log = structlog.get_logger("baton.firing")


@every(5, "workflow", next_due=store.next_due)
def fire_clocks(service: str) -> int:
    """Fire every clock that is due, oldest first; return how many levels fired."""
    fired = 0
    for _ in range(MOST_BATCHES):
        if not store.is_due(service):
            OLDEST.set(0)
            break
        _catch_up(service)
        done = _fire_batch(service)
        fired += done
        if not done:  # others have them, or they had nothing to fire
            break
    return fired


@every(60, "workflow")
def forget_setbacks(service: str) -> int:
    """Forget the failures of clocks that no longer fire anything; return how many."""
    with write_tx(service) as tx:
        return store.forget_settled(tx)


def _catch_up(service: str) -> None:
    """Bring the tickets up to date that changed since their due clocks were; one that cannot be is left to its own message."""
    stale = store.changed_since(service, BATCH)
    try:
        if stale:
            with write_tx(service) as tx:
                bring_up_to_date(tx, stale)
    except DatabaseUnavailableError:
        raise
    except Exception as error:
        log.warning("clocks_not_up_to_date", tickets=len(stale), error=f"{type(error).__name__}: {error}"[:300])
        for number in stale if len(stale) > 1 else ():
            with suppress(Exception), write_tx(service) as tx:
                bring_up_to_date(tx, [number])


def _fire_batch(service: str) -> int:
    """Fire the oldest due clocks; return how many levels fired."""
    claimed: list[dict[str, Any]] = []
    try:
        with write_tx(service) as tx:
            now, rows = store.claim_due(tx, BATCH)
            claimed += rows
            return _fire(tx, rows, now)
    except (DatabaseUnavailableError, NoLongerLeadingError):
        raise
    except Exception as error:
        log.warning("batch_not_fired", clocks=len(claimed), error=f"{type(error).__name__}: {error}"[:300])
        if not claimed:
            raise
    return sum(_fire_alone(service, row) for row in claimed)


def _fire_alone(service: str, row: dict[str, Any]) -> int:
    """Fire one clock in a transaction of its own; if it fails, keep that. Returns how many levels fired."""
    try:
        with write_tx(service) as tx:
            now, rows = store.claim_due(tx, 1, only=row["id"])
            return _fire(tx, rows, now)
    except (DatabaseUnavailableError, NoLongerLeadingError):
        raise
    except Exception as error:
        FAILED.inc()
        log.exception("clock_not_fired", clock=row["id"], ticket_number=row["ticket_number"])
        with write_tx(service) as tx:
            said = f"{type(error).__name__}: {failure_text.said(error)}"[:500]
            attempts = store.note_setback(tx, row["id"], row["ticket_number"], said, _pause)
            if attempts == TRIES_UNTIL_ISSUE:
                tx.announce(_issue(row, error, attempts), ticket_number=row["ticket_number"])
            fence(tx)
        return 0


def _pause(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE))


def _fire(tx: Transaction, rows: Sequence[dict[str, Any]], now: datetime) -> int:
    """Fire these clocks, which are locked; return how many levels fired."""
    if not rows:
        return 0
    situations = store.read_situations(tx, [row["ticket_number"] for row in rows])
    firings = [fire(due, now) for due in _read(tx, rows, situations)]
    made = store.store_events(tx, [_event_row(firing, event, now) for firing in firings for event in firing.events])
    store.store_next(tx, [_next_row(firing) for firing in firings])
    # What had been kept before was told of then.
    announce_fired(tx, [new for firing in firings if (new := _only(firing, made)).events], situations, made)
    fence(tx)
    for event in (event for firing in firings for event in firing.events):
        FIRED.labels(event.kind, str(event.late).lower()).inc()
        LAG.observe(max(0.0, (now - event.due_at).total_seconds()))
    OLDEST.set(max(0.0, (now - rows[0]["next_fire_at"]).total_seconds()))
    return len(made)


def _read(tx: Transaction, rows: Sequence[dict[str, Any]], situations: dict[str, dict[str, Any]]) -> list[DueClock]:
    clocks = [row["id"] for row in rows]
    policies, calendars = store.read_terms(tx, rows)
    pauses, fired = store.read_pauses(tx, clocks), store.read_fired(tx, clocks)
    found = []
    for row in rows:
        policy = policy_from_json(policies[row["policy_version"]])
        calendar = calendar_from_text(calendars[row["calendar_version"]])
        found.append(
            DueClock(
                id=row["id"],
                ticket_number=row["ticket_number"],
                round=row["round"],
                clock=clock_of(row, policy, calendar, pauses[row["id"]]),
                open_item=_open_item(situations.get(row["ticket_number"])),
                fired=frozenset(fired[row["id"]]),
            )
        )
    return found


def _open_item(situation: dict[str, Any] | None) -> Item | None:
    if situation is None or situation["item"] is None:
        return None
    s = situation
    return Item(s["item"], s["step"], s["share"], s["state"], s["created_at"], None, s["ahead"])


def _event_row(firing: Firing, event: Event, now: datetime) -> tuple[Any, ...]:
    due, verdict = firing.due, firing.due.clock.state
    detail = json.dumps({"tell": event.effects.tell})
    key = (due.id, due.ticket_number, due.round, event.kind, event.level)
    return (*key, event.due_at, now, event.late, event.on_attach, verdict, detail)


def _next_row(firing: Firing) -> tuple[int, datetime | None, str | None, int | None]:
    upcoming = firing.next
    return (firing.due.id, None, None, None) if upcoming is None else (firing.due.id, upcoming.at, upcoming.kind, upcoming.level)


def _only(firing: Firing, made: Mapping[store.EventKey, int]) -> Firing:
    """Return a firing with the events that were kept now."""
    return replace(firing, events=tuple(event for event in firing.events if key_of(firing, event) in made))


def _issue(row: Mapping[str, Any], error: Exception, attempts: int) -> RecordIssue:
    kind = failure_text.kind(error)
    said = failure_text.said(error)
    return RecordIssue(
        temporary_id=f"temp-{uuid.uuid4()}",
        title=f"{kind.rpartition('.')[2]}: an SLA clock cannot be fired: {said}"[:300],
        description=f"clock {row['id']} of {row['ticket_number']}, tried {attempts} times; it is tried again and again\n\n"
        + "\n".join(failure_text.printed(error)),
        priority="High",
        tags=["runtime", "sla"],
        component="workflow",
        reporter="service:workflow",
        fingerprint=fingerprint_of_fault(kind, list(failure_text.frames(error)), "workflow"),
        ticket_number=row["ticket_number"],
    )
