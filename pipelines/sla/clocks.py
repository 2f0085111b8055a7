"""
A clock: counts working time towards a target, stands still in pauses, and is due, warned of and judged by what happened when.

1. The target that holds is that of the last change, counted from the start or from the change.
2. Due is the earliest instant at which it is consumed outside pauses; while an open pause holds it, there is none.
3. A level is reached when its share is consumed, or when no more than its seconds remain (which may be at the start). It fires
   unless the clock has stopped by then, and in a pause not before its end.
4. The verdict comes from when things happened: stopping exactly when due is met, a millisecond later is breached.

What happened after the stop, or after the moment of the question, changes none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla.working_time import Pause, Span, pause_spans, reach, running_spans, to_datetime, to_ms, worked

Verdict = Literal["none", "running", "paused", "met", "breached"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From `at` on another target holds (None: none any more), counted from the clock's start or from `at`."""

    at: datetime
    target_seconds: float | None
    from_start: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A point before (or after) due: `percent` of the target consumed, or `seconds_before` of working time remaining."""

    percent: float | None = None
    seconds_before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What happened to a clock. Instants are aware; `target_seconds` is None where there is no target and so no clock."""

    calendar: Calendar
    started_at: datetime
    target_seconds: float | None
    pauses: Sequence[Pause] = ()
    changes: Sequence[Change] = ()
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What a clock counts towards: from when, and how much, in milliseconds."""

    counted_from: int
    target: int


def goal(clock: Clock, as_of: datetime | None = None) -> Goal | None:
    """Return what the clock counts towards when it stopped, else at `as_of`, else after every change; None: no target."""
    moment = clock.stopped_at if clock.stopped_at is not None else as_of
    start, target, counted_from = to_ms(clock.started_at), clock.target_seconds, to_ms(clock.started_at)
    for change in sorted(clock.changes, key=lambda change: change.at):
        if moment is None or change.at <= moment:
            target = change.target_seconds
            counted_from = start if change.from_start else max(start, to_ms(change.at))
    return None if target is None else Goal(counted_from, round(target * 1000))


def due(clock: Clock, as_of: datetime | None = None) -> datetime | None:
    """Return when the target is consumed; None where there is no target, an open pause holds it, or it is a century away."""
    aim = goal(clock, as_of)
    return None if aim is None else _instant(reach(clock.calendar, aim.counted_from, aim.target, pause_spans(clock.pauses)))


def consumed_at(clock: Clock, moment: datetime) -> int:
    """Return the working milliseconds from the clock's start to a moment, outside pauses."""
    return worked(clock.calendar, to_ms(clock.started_at), to_ms(moment), pause_spans(clock.pauses))


def remaining_ms(clock: Clock, moment: datetime) -> int | None:
    """Return how much of the target is left at a moment, in working milliseconds: negative once overdue, None without target."""
    aim = goal(clock, moment)
    if aim is None:
        return None
    return aim.target - worked(clock.calendar, aim.counted_from, to_ms(moment), pause_spans(clock.pauses))


def level_at(clock: Clock, level: Level, as_of: datetime | None = None) -> datetime | None:
    """Return when a level fires; None where it does not: no target, held by an open pause, or stopped before (or just then)."""
    aim = goal(clock, as_of)
    if aim is None:
        return None
    at = _level(clock.calendar, aim, level, pause_spans(clock.pauses))
    if at is None or (clock.stopped_at is not None and at >= to_ms(clock.stopped_at)):
        return None
    return to_datetime(at)


def verdict(clock: Clock, as_of: datetime | None = None) -> Verdict | None:
    """Return the verdict when the clock stopped, else at `as_of`; None when neither is known and there is a target."""
    aim = goal(clock, as_of)
    if aim is None:
        return "none"
    moment = clock.stopped_at if clock.stopped_at is not None else as_of
    if moment is None:
        return None
    pauses, moment_ms = pause_spans(clock.pauses), to_ms(moment)
    at = reach(clock.calendar, aim.counted_from, aim.target, pauses, until=moment_ms)
    if at is not None and at < moment_ms:
        return "breached"
    if clock.stopped_at is not None:
        return "met"
    return "paused" if any(start <= moment_ms and (end is None or moment_ms < end) for start, end in pauses) else "running"


def _level(calendar: Calendar, aim: Goal, level: Level, pauses: Sequence[Span]) -> int | None:
    if level.seconds_before is not None:
        need = aim.target - round(level.seconds_before * 1000)
        if need < 0:  # already reached at the start, working time or not; but while paused nothing fires
            return next((start for start, _ in running_spans(aim.counted_from, pauses)), None)
        return reach(calendar, aim.counted_from, need, pauses)
    # Rounded up: a level is not reached before its share is wholly consumed.
    share = Fraction(str(level.percent or 0)) / 100
    return reach(calendar, aim.counted_from, -(-aim.target * share.numerator // share.denominator), pauses)


def _instant(instant_ms: int | None) -> datetime | None:
    return None if instant_ms is None else to_datetime(instant_ms)
