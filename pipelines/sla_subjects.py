"""
What a ticket's clocks may be about, before a policy says whether and how long; the rules are those of `sla_clocks`.

A reopening, and an end without a reply, are settled here: they decide where one clock ends and another begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla_lives import (
    CANCELLED_END,
    RESOLVED_END,
    STAFF,
    Item,
    Life,
    Stretch,
    first_reply,
    stretches,
    waiting,
    waits,
)
from baton.pipelines.sla_matching import Match
from baton.pipelines.sla_policies import CONTINUE, COUNTS, FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION, STEP, Policy
from baton.pipelines.statuses import ITEM_CANCELLED

ON_HOLD_PAUSE, WAITING_PAUSE, RESOLVED_PAUSE = "on hold", "waiting for the requester", "resolved"

#: From when to when a clock stands still, and why.
Reasoned = tuple[datetime, datetime | None, str]


@dataclass(frozen=True, slots=True)
class InForce:
    """What a match brings into force: a policy, or None, from `at` on."""

    policy: Policy | None
    calendar: Calendar | None
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a clock may be about, before a policy says whether and how long. `stopped` None: it is open."""

    metric: str
    item: int = 0
    cycle: int = 1
    started: datetime
    stopped: datetime | None = None
    cancelled: bool = False
    pauses: Sequence[Reasoned] = ()
    step: Item | None = None


def in_force(force: Sequence[InForce], moment: datetime | None) -> InForce:
    """Return what is in force at a moment; None: the last."""
    held = [each for each in force[1:] if moment is None or each.match.at <= moment]
    return held[-1] if held else force[0]


def subjects(life: Life, force: Sequence[InForce]) -> Iterator[Subject]:
    """Return everything in a ticket's life that a clock may be about."""
    lived = stretches(life)
    holds = [(*pause, ON_HOLD_PAUSE) for each in lived for pause in each.holds]
    turns = [(*pause, WAITING_PAUSE) for pause in waiting(life)]
    still = [*holds, *turns]
    replied = first_reply(life)
    for cycle, group in enumerate(_cycles(lived, force), start=1):
        gaps: list[Reasoned] = [(before.end, after.start, RESOLVED_PAUSE) for before, after in pairwise(group) if before.end]
        first, last = group[0], group[-1]
        if replied is None or replied >= first.start:
            yield _first_response(cycle, group, gaps, replied, force)
        cancelled = last.end_kind == CANCELLED_END
        pauses = [*still, *gaps]
        yield Subject(metric=RESOLUTION, cycle=cycle, started=first.start, stopped=last.end, cancelled=cancelled, pauses=pauses)
    for number, wait in enumerate(waits(life, lived), start=1):
        answers = wait.ended_by == STAFF or (wait.ended_by == RESOLVED_END and _counts(force, wait.end))
        unanswered = wait.end is not None and not answers
        yield Subject(metric=NEXT_RESPONSE, cycle=number, started=wait.start, stopped=wait.end, cancelled=unanswered)
    for item in life.items:
        cancelled = item.state == ITEM_CANCELLED
        yield Subject(
            metric=STEP, item=item.id, started=max(item.opened_at, life.started_at), stopped=item.closed_at,
            cancelled=cancelled, pauses=still, step=item,
        )  # fmt: skip


def _cycles(lived: Sequence[Stretch], force: Sequence[InForce]) -> list[list[Stretch]]:
    groups = [[lived[0]]]
    for before, after in pairwise(lived):
        policy = in_force(force, after.start).policy
        goes_on = before.end_kind == RESOLVED_END and (policy is None or policy.reopening == CONTINUE)
        if goes_on:
            groups[-1].append(after)
        else:
            groups.append([after])
    return groups


def _first_response(
    cycle: int, group: Sequence[Stretch], gaps: Sequence[Reasoned], replied: datetime | None, force: Sequence[InForce]
) -> Subject:
    last = group[-1]
    stopped = replied if replied is not None and (last.end is None or replied <= last.end) else None
    resolved = next((each.end for each in group if each.end is not None and each.end_kind == RESOLVED_END), None)
    if resolved is not None and (stopped is None or resolved < stopped) and _counts(force, resolved):
        stopped = resolved
    cancelled = stopped is None and last.end is not None
    return Subject(
        metric=FIRST_RESPONSE, cycle=cycle, started=group[0].start, stopped=stopped or last.end, cancelled=cancelled, pauses=gaps
    )


def _counts(force: Sequence[InForce], moment: datetime | None) -> bool:
    # What is matched at the very end no longer judges it.
    held = [each for each in force[1:] if moment is None or each.match.at < moment]
    policy = (held[-1] if held else force[0]).policy
    return policy is not None and policy.resolved_without_reply == COUNTS
