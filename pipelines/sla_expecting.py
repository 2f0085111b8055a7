"""
What a ticket that is filed now may expect: which policy would hold for it, and by when it promises an answer and the end.

Nothing is kept: the same rules as for a ticket that arrives are asked, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla.clocks import Clock, due
from baton.pipelines.sla.working_time import to_ms
from baton.pipelines.sla_explaining import is_open, shown_due
from baton.pipelines.sla_matching import Names, choose
from baton.pipelines.sla_policies import FIRST_RESPONSE, RESOLUTION
from baton.pipelines.sla_tracking import Book


@dataclass(frozen=True, slots=True)
class Expectation:
    """What would be promised; without a policy all of it is None or False, and `reason` says why."""

    open_now: bool
    first_response_due: datetime | None
    resolution_due: datetime | None
    policy: str | None
    calendar: str | None
    reason: str


def expect(book: Book, names: Names, now: datetime) -> Expectation:
    """Return what a ticket of these names that is filed now may expect."""
    chosen, reason = choose(book.offered, names)
    if chosen is None:
        return Expectation(False, None, None, None, None, reason)
    calendar = book.calendars[chosen.calendar_version]
    targets = chosen.policy.targets
    return Expectation(
        open_now=is_open(calendar, to_ms(now)),
        first_response_due=_due(calendar, now, targets, FIRST_RESPONSE),
        resolution_due=_due(calendar, now, targets, RESOLUTION),
        policy=chosen.policy.name,
        calendar=chosen.policy.calendar,
        reason=reason,
    )


def _due(calendar: Calendar, now: datetime, targets: Mapping[str, int], metric: str) -> datetime | None:
    if metric not in targets:
        return None
    counts = Clock(calendar=calendar, started_at=now, target_seconds=targets[metric])
    return shown_due(counts, due(counts))
