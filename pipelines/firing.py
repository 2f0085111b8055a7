"""
What a clock that is due does.

1. Everything that is due by now fires, each level of it once and by itself: that is what is kept. What fired more than
   LATE_AFTER after it was due is late: the scheduler was away, or what it followed from came late.
2. Where several levels of a clock are due at once, people are told once, of the most severe.
3. Told are those whom the policy names: the assignee and the owner of a warning; the assignee and the manager of a breach. The
   manager is whoever holds the step's escalation role; where nobody does, the owner.
4. Where somebody would be told of very many late ones at once, they get one message that lists them.
5. What the policy does to the ticket besides (its priority, its item) is done by a message of its own, one for each level.
6. What was past due when the policy came is kept, and nobody is told and nothing done, unless the policy says so. A clock that
   had stopped by then only tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla.clocks import Clock
from baton.pipelines.sla.working_time import Pause
from baton.pipelines.sla_clocks import Wanted
from baton.pipelines.sla_firing import BREACH, ESCALATION, KINDS, WARNING, Name, NextFire, next_fire, schedule
from baton.pipelines.sla_lives import Item
from baton.pipelines.sla_policies import ASSIGNEE, OWNER, Effects, Policy

#: From when on what fires is late. A tick comes at least every five seconds.
LATE_AFTER = timedelta(seconds=10)
_NOBODY = Effects()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueClock:
    """A clock that is due: its row's `id`, number and round, what it counts, the item now worked on, and what it fired."""

    id: int
    ticket_number: str
    round: int
    clock: Wanted
    open_item: Item | None
    fired: frozenset[Name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that fires: `effects` is what the policy says to do, and nothing where nobody is to be told."""

    kind: str
    level: int
    due_at: datetime
    late: bool
    on_attach: bool
    effects: Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What a clock fires now, in order, and what it fires next."""

    due: DueClock
    events: tuple[Event, ...]
    next: NextFire | None

    @property
    def told(self) -> Event | None:
        """What people are told of: the most severe."""
        return max((event for event in self.events if event.effects.tell), key=severity, default=None)


def fire(due: DueClock, now: datetime) -> Firing:
    """Return everything that a clock fires by now, in the order in which it was due, and what comes next."""
    times = schedule(due.clock, due.open_item)
    fired, events = set(due.fired), []
    while (upcoming := next_fire(due.clock, times, fired)) is not None and upcoming.at <= now:
        fired.add((upcoming.kind, upcoming.level))
        events.append(_event(due.clock, upcoming, now))
    return Firing(due=due, events=tuple(events), next=upcoming)


def _event(clock: Wanted, upcoming: NextFire, now: datetime) -> Event:
    on_attach = upcoming.at <= clock.attached_at and clock.on_attach
    effects = _NOBODY if on_attach and not clock.policy.tell_on_attach else effects_of(clock, upcoming.kind, upcoming.level)
    if clock.stopped_at is not None:
        effects = Effects(effects.tell)
    return Event(
        kind=upcoming.kind,
        level=upcoming.level,
        due_at=upcoming.at,
        late=now - upcoming.at > LATE_AFTER,
        on_attach=on_attach,
        effects=effects,
    )


def effects_of(clock: Wanted, kind: str, level: int) -> Effects:
    """Return what the clock's policy says about a kind and level; a projection warns those whom warnings are for."""
    policy = clock.policy
    if kind == BREACH:
        return policy.breach
    rungs = {WARNING: policy.warnings, ESCALATION: policy.escalations}.get(kind, ())
    return rungs[level - 1].effects if 0 < level <= len(rungs) else Effects((ASSIGNEE, OWNER))


def severity(event: Event) -> tuple[int, int]:
    """Return what orders events by how bad they are."""
    return KINDS.index(event.kind), event.level


def clock_of(row: Mapping[str, Any], policy: Policy, calendar: Calendar, pauses: Sequence[Pause]) -> Wanted:
    """Return a stored clock as it counts."""
    names = (
        "metric", "item", "cycle", "policy_version", "calendar_version", "target_seconds", "started_at", "counted_from", "due_at",
        "paused_since", "stopped_at", "state", "attached_at", "on_attach", "match_reason",
    )  # fmt: skip
    counts = Clock(
        calendar=calendar,
        started_at=row["counted_from"],
        target_seconds=row["target_seconds"],
        pauses=pauses,
        stopped_at=row["stopped_at"],
    )
    return Wanted(**{name: row[name] for name in names}, pauses=(), policy=policy, counts=counts)
