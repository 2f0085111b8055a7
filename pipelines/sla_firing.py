"""
What a clock fires, and when; what of that which was fired no longer holds.

1. A warning fires when its share of the target is consumed, or when no more than its time is left; an escalation when its time
   has passed after due. A breach is a millisecond after due: who stops exactly when due has kept the promise.
2. The resolution is projected: if the step now open and all that follow it use the whole of their time, does the ticket end
   after due? That warns once for each step, at the instant from which it is so: when the step opens, or as soon as no more is
   left than the following steps need.
3. When a policy comes that makes a clock past due, the breach fires, and none of the warnings and escalations that would have
   been before it came. If it makes no clock past due, of such warnings only the last.
4. A clock that stopped fires nothing more, but for its breach, if nobody was there to see it. A cancelled one fires nothing.
5. What fired is taken back if, as things are known now, it should have come later or not at all: the policy changed, or a reply
   arrived late that had been written in time. It may fire once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from baton.pipelines.sla.clocks import Level, level_at
from baton.pipelines.sla.working_time import consumed_ms
from baton.pipelines.sla_clocks import CANCELLED, PAUSED, Wanted
from baton.pipelines.sla_lives import Item
from baton.pipelines.sla_policies import RESOLUTION

WARNING, PROJECTED, BREACH, ESCALATION = "warning", "projected", "breach", "escalation"
#: At one instant, they fire in this order.
KINDS = (WARNING, PROJECTED, BREACH, ESCALATION)
_AFTER_DUE = timedelta(milliseconds=1)

#: Seconds by which a projected end may pass a due time without a warning when a step opens; at least a hundredth of the target.
LEAST_SLACK = 60.0
#: A kind and a level.
Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fired:
    """Something that a clock fired and that was not taken back."""

    id: int
    kind: str
    level: int
    fired_at: datetime

    @property
    def name(self) -> Name:
        """Kind and level."""
        return self.kind, self.level


@dataclass(frozen=True, slots=True)
class NextFire:
    """What fires next: when, and which kind and level."""

    at: datetime
    kind: str
    level: int


def schedule(clock: Wanted, open_item: Item | None) -> dict[Name, datetime]:
    """Return when each thing that a clock fires is due, also what is past; `open_item` is the one now worked on."""
    if clock.state == CANCELLED:
        return {}
    found: dict[Name, datetime | None] = {}
    for number, rung in enumerate(clock.policy.warnings, start=1):
        if clock.metric in rung.metrics:
            at = level_at(clock.counts, rung.level)
            found[WARNING, number] = None if at is not None and clock.due_at is not None and at >= clock.due_at else at
    if clock.metric == RESOLUTION and open_item is not None:
        found[PROJECTED, open_item.id] = projected_at(clock, open_item)
    if clock.due_at is not None and (clock.stopped_at is None or clock.stopped_at >= clock.due_at + _AFTER_DUE):
        found[BREACH, 0] = clock.due_at + _AFTER_DUE
        for number, rung in enumerate(clock.policy.escalations, start=1):
            if clock.metric in rung.metrics:
                at = level_at(clock.counts, rung.level)
                found[ESCALATION, number] = None if at is None else at + _AFTER_DUE
    return {name: at for name, at in found.items() if at is not None}


def projected_at(clock: Wanted, item: Item) -> datetime | None:
    """Return from when on the projected end of a ticket lies after due, before it is due; None: at no time, or not known."""
    own = clock.policy.step_seconds(item.step, item.share)
    following = [clock.policy.step_seconds(name, share) for name, share in item.ahead]
    if own is None or None in following or clock.stopped_at is not None or clock.state == PAUSED or clock.due_at is None:
        return None
    needed = sum(seconds for seconds in following if seconds is not None)
    counts = clock.counts
    consumed = consumed_ms(counts.calendar, counts.started_at, item.opened_at, counts.pauses)
    # What passes between filing and the opening of a step uses up a trifle of the plan: nobody is to be warned of that.
    slack = max(LEAST_SLACK, clock.target_seconds / 100)
    if consumed / 1000 + own + needed > clock.target_seconds + slack:
        at: datetime | None = item.opened_at
    else:
        at = level_at(counts, Level(seconds_before=needed))
    if at is None:
        return None
    at = max(at, item.opened_at, clock.attached_at)
    return at if at < clock.due_at else None


def next_fire(clock: Wanted, due: Mapping[Name, datetime], fired: Iterable[Name]) -> NextFire | None:
    """Return what fires next, of a clock's schedule and what it fired."""
    done = set(fired)
    left = [NextFire(at, *name) for name, at in due.items() if name not in done]
    if clock.stopped_at is not None:
        left = [each for each in left if each.kind == BREACH]
    passed = sorted((each for each in left if each.at < clock.attached_at and each.kind in (WARNING, ESCALATION)), key=_order)
    warned = [each for each in passed if each.kind == WARNING]
    moot = {*passed} - ({*warned[-1:]} if not clock.on_attach else set())
    return min((each for each in left if each not in moot), key=_order, default=None)


def no_longer(clock: Wanted, due: Mapping[Name, datetime], fired: Sequence[Fired]) -> list[Fired]:
    """Return what was fired and does not hold any more."""
    if clock.state == CANCELLED:
        return []
    return [each for each in fired if _is_void(each, due)]


def _is_void(fired: Fired, due: Mapping[Name, datetime]) -> bool:
    at = due.get(fired.name)
    if at is None:
        # A projection was about its step; that step is over, the ticket is paused or past due.
        return fired.kind != PROJECTED
    return at > fired.fired_at


def _order(each: NextFire) -> tuple[datetime, int, int]:
    return each.at, KINDS.index(each.kind), each.level
