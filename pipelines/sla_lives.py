"""
A ticket's life as its clocks see it: when it was open, when it stood still, who answered whom.

1. A ticket lives from its submission. Resolving (or closing) ends it, withdrawing and cancelling end it without a verdict.
   A reopening begins the next stretch.
2. It stands still while its status is On Hold.
3. It waits for the requester from a public reply of the staff to the requester's next one.
4. The staff responds with the first public reply. Notes that the requester does not see, replies by others on the requester's
   side and by the system are not told here, so they answer nothing.
5. A requester who writes once the staff has replied waits for the next response, until the staff replies; more that they
   write meanwhile begins nothing. While the ticket is not open, it begins nothing either.
6. Statuses count in the order in which they were written, whatever their instants: a ticket has one at a time. Of other things
   at one instant, what stops comes before what goes on, before what starts; a pause that begins at the stop is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from baton.pipelines.sla.working_time import Pause
from baton.pipelines.statuses import CANCELLED, FINAL_STATUSES, ON_HOLD, WITHDRAWN

STAFF, REQUESTER = "staff", "requester"
RESOLVED_END, CANCELLED_END = "resolved", "cancelled"
#: What happens at one instant, in this order.
_STOP, _RESUME, _START = range(3)


@dataclass(frozen=True, slots=True)
class Item:
    """One visit to a step; `ahead` are the (name, share) of the steps that follow it in its version."""

    id: int
    step: str
    share: float | None
    state: str
    opened_at: datetime
    closed_at: datetime | None
    ahead: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """
    What happened to a ticket. `statuses` are (instant, status) in the order in which they were written, `replies` (instant,
    side) in any order.
    """

    ticket_number: str
    started_at: datetime
    statuses: Sequence[tuple[datetime, str]] = ()
    replies: Sequence[tuple[datetime, str]] = ()
    items: Sequence[Item] = ()


@dataclass(slots=True)
class Stretch:
    """From a start or a reopening to the end, if it came; `end_kind` is resolved or cancelled."""

    start: datetime
    end: datetime | None = None
    end_kind: str | None = None
    holds: list[Pause] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wait:
    """A requester's wait for the next response; `ended_by` is staff, resolved or cancelled."""

    start: datetime
    end: datetime | None
    ended_by: str | None


def stretches(life: Life) -> list[Stretch]:
    """Return the stretches in which a ticket was open, in order; there is at least one."""
    found = [Stretch(life.started_at)]
    held_since: datetime | None = None
    for at, status in in_order(life.statuses, life.started_at):
        current = found[-1]
        if held_since is not None and status != ON_HOLD:
            current.holds.append((held_since, at))
            held_since = None
        if status in FINAL_STATUSES:
            if current.end is None:
                current.end = at
                current.end_kind = CANCELLED_END if status in (WITHDRAWN, CANCELLED) else RESOLVED_END
            continue
        if current.end is not None:
            found.append(Stretch(at))
        if status == ON_HOLD and held_since is None:
            held_since = at
    if held_since is not None:
        found[-1].holds.append((held_since, None))
    return found


def waiting(life: Life) -> list[Pause]:
    """Return from when to when it was the requester's turn; None: it still is."""
    found: list[Pause] = []
    since: datetime | None = None
    for at, side in _replies(life):
        if side == STAFF:
            since = since or at
        elif since is not None:
            found.append((since, at))
            since = None
    return [*found, (since, None)] if since is not None else found


def first_reply(life: Life) -> datetime | None:
    """Return when the staff first replied, at the earliest when the ticket began."""
    return next((at for at, side in _replies(life) if side == STAFF), None)


def waits(life: Life, lived: Sequence[Stretch]) -> list[Wait]:
    """Return the requester's waits for a next response, in order."""
    happened = [(at, _STOP if side == STAFF else _START, side) for at, side in _replies(life)]
    happened += [(each.end, _STOP, str(each.end_kind)) for each in lived if each.end is not None]
    happened += [(each.start, _RESUME, "open") for each in lived[1:]]
    found: list[Wait] = []
    since: datetime | None = None
    answered, is_open = False, True
    for at, _, what in sorted(happened, key=lambda each: each[:2]):
        if what == REQUESTER:
            since = at if since is None and answered and is_open else since
            continue
        answered, is_open = answered or what == STAFF, is_open if what == STAFF else what == "open"
        if since is not None and what != "open":
            found.append(Wait(since, at, what))
            since = None
    return [*found, Wait(since, None, None)] if since is not None else found


def in_order(statuses: Sequence[tuple[datetime, str]], start: datetime) -> list[tuple[datetime, str]]:
    """Return statuses in the order in which they were written, none earlier than the one before."""
    found: list[tuple[datetime, str]] = []
    latest = start
    for at, status in statuses:
        latest = max(latest, at)
        found.append((latest, status))
    return found


def _replies(life: Life) -> list[tuple[datetime, str]]:
    ordered = ((max(at, life.started_at), side) for at, side in life.replies)
    return sorted(ordered, key=lambda each: (each[0], each[1] != STAFF))
