"""
What clocks a ticket has, worked out from what happened to it and from the policies that were matched to it.

1. Resolution: from the start to the resolution. A reopening continues it, the time in between not counted, or begins a new cycle
   while the old one keeps its verdict: as the policy says that is in force at the reopening. After a withdrawal it is always new.
2. First response: from the start to the first public reply of the staff. Ended without one, the policy says whether resolving
   counts as the response or cancels the clock. A new cycle has one only if nobody has replied so far.
3. Next response: one for each wait of the requester. Ended by the resolution, the same rule decides.
4. Step: one for each item, from its opening to its completion or return. A cancelled item's clock is cancelled.
5. Being on hold and, if the policy says so, waiting for the requester pause the resolution and the steps, never a response.
6. The policy in force until a clock stops judges it: what is matched then, or later, changes no verdict. While it runs, the last
   one counts, from the start or from the change; if that one promises nothing here, the clock is cancelled at the change.
7. Withdrawing or cancelling the ticket cancels its running clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla.clocks import Clock, due, verdict
from baton.pipelines.sla.working_time import Pause
from baton.pipelines.sla_lives import Life
from baton.pipelines.sla_matching import KEPT, START, Match
from baton.pipelines.sla_policies import FROM_CHANGE, Policy
from baton.pipelines.sla_subjects import ON_HOLD_PAUSE, RESOLVED_PAUSE, WAITING_PAUSE, InForce, Reasoned, Subject, subjects

RUNNING, PAUSED, MET, BREACHED, CANCELLED = "running", "paused", "met", "breached", "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A clock as it must be; the fields are those of its row. `counts` is its arithmetic, `policy` what it runs by."""

    metric: str
    item: int
    cycle: int
    policy_version: int
    calendar_version: int
    target_seconds: int
    started_at: datetime
    counted_from: datetime
    due_at: datetime | None
    paused_since: datetime | None
    stopped_at: datetime | None
    state: str
    attached_at: datetime
    on_attach: bool
    match_reason: str
    pauses: tuple[Reasoned, ...]
    policy: Policy
    counts: Clock

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from the ticket's other clocks: metric, item, cycle."""
        return self.metric, self.item, self.cycle


def work_out(
    life: Life, matches: Sequence[Match], policies: Mapping[int, Policy], calendars: Mapping[int, Calendar]
) -> list[Wanted]:
    """Return the ticket's clocks. `matches` are in the order of their numbers; policies and calendars go by version."""
    force = [
        InForce(
            policies.get(match.version) if match.version is not None else None,
            calendars.get(match.calendar_version) if match.calendar_version is not None else None,
            match,
        )
        for match in _last_words(matches)
    ]
    if not any(each.policy for each in force):
        return []
    return [wanted for subject in subjects(life, force) if (wanted := _clock(subject, force)) is not None]


def _last_words(matches: Sequence[Match]) -> list[Match]:
    """Return the matches that brought something into force, of those at one instant the last."""
    found: list[Match] = []
    for match in matches:
        if found and match.mode == KEPT:
            continue
        if found and found[-1].at == match.at:
            replaced = found.pop()
            match = replace(match, mode=START) if replaced.mode == START else match
        found.append(match)
    return found


def _clock(subject: Subject, force: Sequence[InForce]) -> Wanted | None:
    """Return the clock of a subject, None where no policy promises anything about it."""
    held = [force[0], *(each for each in force[1:] if subject.stopped is None or each.match.at < subject.stopped)]
    promised = [(each, _target(subject, each)) for each in held]
    place = max((index for index, (_, target) in enumerate(promised) if target is not None), default=None)
    if place is None:
        return None
    here, target = promised[place]
    stopped, cancelled = subject.stopped, subject.cancelled
    if place + 1 < len(held):
        # Another policy came while it ran, which promises nothing here.
        stopped, cancelled = held[place + 1].match.at, True
        if stopped <= subject.started:
            return None
    assert target is not None and here.policy is not None and here.calendar is not None
    return _wanted(subject, here, target, stopped, cancelled=cancelled)


def _target(subject: Subject, each: InForce) -> int | None:
    if each.policy is None or each.calendar is None:
        return None
    if subject.step is not None:
        return each.policy.step_seconds(subject.step.step, subject.step.share)
    return each.policy.targets.get(subject.metric)


def _wanted(subject: Subject, here: InForce, target: int, stopped: datetime | None, *, cancelled: bool) -> Wanted:
    policy, match = here.policy, here.match
    assert policy is not None and here.calendar is not None and match.version is not None and match.calendar_version is not None
    counted_from = max(subject.started, match.since or match.at) if match.mode == FROM_CHANGE else subject.started
    pauses = _within(subject, policy, stopped)
    plain: list[Pause] = [(start, end) for start, end, _ in pauses]
    counts = Clock(calendar=here.calendar, started_at=counted_from, target_seconds=target, pauses=plain, stopped_at=stopped)
    due_at = due(counts)
    held_since = min((start for start, end in plain if end is None), default=None)
    if cancelled:
        state = CANCELLED
    elif stopped is not None:
        state = MET if verdict(counts) == "met" else BREACHED
    else:
        state = RUNNING if held_since is None else PAUSED
    return Wanted(
        metric=subject.metric,
        item=subject.item,
        cycle=subject.cycle,
        policy_version=match.version,
        calendar_version=match.calendar_version,
        target_seconds=target,
        started_at=subject.started,
        counted_from=counted_from,
        due_at=due_at,
        paused_since=held_since,
        stopped_at=stopped,
        state=state,
        attached_at=match.at,
        on_attach=due_at is not None and due_at < match.at,
        match_reason=match.reason,
        pauses=pauses,
        policy=policy,
        counts=counts,
    )


_APPLIES: Mapping[str, Callable[[Policy], bool]] = {
    ON_HOLD_PAUSE: lambda policy: policy.pause_on_hold,
    WAITING_PAUSE: lambda policy: policy.pause_waiting,
    RESOLVED_PAUSE: lambda policy: True,
}


def _within(subject: Subject, policy: Policy, stopped: datetime | None) -> tuple[Reasoned, ...]:
    """Return the pauses that the policy grants, cut to the clock's life."""
    return tuple(sorted(_cut(subject, (each for each in subject.pauses if _APPLIES[each[2]](policy)), stopped)))


def _cut(subject: Subject, pauses: Iterable[Reasoned], stopped: datetime | None) -> Iterator[Reasoned]:
    for start, end, why in pauses:
        begun = max(start, subject.started)
        ended = end if stopped is None else stopped if end is None else min(end, stopped)
        if ended is None or begun < ended:
            yield begun, ended, why
