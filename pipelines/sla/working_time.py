"""
Counting in working time, exact to the millisecond.

Instants are aware datetimes; what is finer than a millisecond is cut off. Time is worked out in blocks of some weeks, which a
calendar keeps. Within a block every question is a search in a sorted list: a far target costs by the blocks on its way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from baton.pipelines.sla.calendars import Calendar, open_minutes
from baton.pipelines.sla.zones import BLOCK_MS, DAY_MS, segments

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: How far from its start a target is looked for: beyond a hundred years it counts as never consumed.
REACH_MS = 36525 * DAY_MS
#: Blocks a calendar keeps, some forty years; then it starts anew.
_KEPT_BLOCKS = 512

#: From when to when a clock stands still; None: it still does.
Pause = tuple[datetime, datetime | None]
#: [start, end) in milliseconds; None: no end.
Span = tuple[int, int | None]
#: Of a block: starts and ends of its working spans, and how much was worked at each end since the block began.
Block = tuple[list[int], list[int], list[int]]


def consumed_ms(calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> int:
    """Return the working time between two instants outside pauses, in milliseconds; 0 when the end is not after the start."""
    return worked(calendar, to_ms(start), to_ms(end), pause_spans(pauses))


def due_at(calendar: Calendar, started_at: datetime, target_seconds: float, pauses: Iterable[Pause] = ()) -> datetime | None:
    """
    Return the earliest instant at which the target is consumed; for 0 the first working instant at or after the start.

    None when an open pause holds it, or when it would be more than a hundred years away.
    """
    reached = reach(calendar, to_ms(started_at), round(target_seconds * 1000), pause_spans(pauses))
    return None if reached is None else to_datetime(reached)


def to_ms(instant: datetime) -> int:
    """Return an instant as milliseconds since 1970, finer parts cut off."""
    return (instant - _EPOCH) // _MILLISECOND


def to_datetime(instant_ms: int) -> datetime:
    """Return the UTC instant of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=instant_ms)


def pause_spans(pauses: Iterable[Pause]) -> list[Span]:
    """Return pauses as spans in order, overlapping and touching ones as one; empty ones are dropped."""
    spans: list[Span] = []
    given = [(to_ms(start), None if end is None else to_ms(end)) for start, end in pauses]
    for start, end in sorted(given, key=lambda span: span[0]):
        if end is not None and end <= start:
            continue
        last = spans[-1] if spans else None
        if last is None or (last[1] is not None and last[1] < start):
            spans.append((start, end))
        elif last[1] is not None:
            spans[-1] = (last[0], None if end is None else max(end, last[1]))
    return spans


def running_spans(start: int, pauses: Sequence[Span]) -> Iterator[Span]:
    """Yield the stretches from `start` on in which no pause lies; the last has no end unless a pause is open."""
    for begun, ended in pauses:
        if begun > start:
            yield start, begun
        if ended is None:
            return
        start = max(start, ended)
    yield start, None


def worked(calendar: Calendar, start: int, end: int, pauses: Sequence[Span] = ()) -> int:
    """Return the working milliseconds in [start, end) outside pauses, which come from `pause_spans`."""
    total = 0
    for first, last in running_spans(start, pauses):
        if first >= end:
            break
        total += _between(calendar, first, end if last is None else min(last, end))
    return total


def reach(calendar: Calendar, start: int, need: int, pauses: Sequence[Span] = (), *, until: int | None = None) -> int | None:
    """Return the earliest instant at which `need` milliseconds were worked since `start`; None when that is not by `until`."""
    limit = start + REACH_MS if until is None else min(until, start + REACH_MS)
    for first, last in running_spans(start, pauses):
        end = limit if last is None else min(last, limit)
        while first < end:
            index = first // BLOCK_MS
            stop = min(end, (index + 1) * BLOCK_MS)
            at, need = _reach_in(block(calendar, index), first, stop, need)
            if at is not None:
                return at
            first = stop
    return None


def _reach_in(found: Block, start: int, stop: int, need: int) -> tuple[int | None, int]:
    """Return where in [start, stop] of one block the rest is worked, or None and what is still needed then."""
    starts, ends, sums = found
    if need == 0:
        place = bisect_right(ends, start)
        at = max(starts[place], start) if place < len(starts) else stop
        return (at, 0) if at < stop else (None, 0)
    before = _worked_before(found, start)
    place = bisect_left(sums, before + need)
    if place < len(sums):
        at = ends[place] - (sums[place] - before - need)
        if at <= stop:
            return at, 0
    return None, need - (_worked_before(found, stop) - before)


def _between(calendar: Calendar, start: int, end: int) -> int:
    if start >= end:
        return 0
    first, last = start // BLOCK_MS, end // BLOCK_MS
    total = _worked_before(block(calendar, last), end) - _worked_before(block(calendar, first), start)
    for index in range(first, last):
        sums = block(calendar, index)[2]
        total += sums[-1] if sums else 0
    return total


def _worked_before(found: Block, instant: int) -> int:
    starts, ends, sums = found
    place = bisect_right(starts, instant) - 1
    if place < 0:
        return 0
    return sums[place] - max(0, ends[place] - instant)


def spans_between(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the working spans within [start, end), in order, joined where they touch."""
    held: tuple[int, int] | None = None
    for index in range(start // BLOCK_MS, -(-end // BLOCK_MS)):
        starts, ends, _ = block(calendar, index)
        for place in range(bisect_right(ends, start), len(starts)):
            first, last = max(starts[place], start), min(ends[place], end)
            if first >= last:
                break
            if held is not None and held[1] == first:
                held = (held[0], last)
                continue
            if held is not None:
                yield held
            held = (first, last)
    if held is not None:
        yield held


def block(calendar: Calendar, index: int) -> Block:
    """Return the working spans of a block, from what the calendar keeps or worked out now."""
    found: Block | None = calendar.blocks.get(index)
    if found is None:
        if len(calendar.blocks) >= _KEPT_BLOCKS:
            calendar.blocks.clear()
        found = calendar.blocks[index] = _work_out(calendar, index)
    return found


def _work_out(calendar: Calendar, index: int) -> Block:
    """Put the open wall clock of each date where the zone has it: per stretch of one offset, cut at the stretch's ends."""
    starts: list[int] = []
    ends: list[int] = []
    for first, last, offset in segments(calendar.time_zone, index):
        for day in range((first + offset) // DAY_MS, (last + offset - 1) // DAY_MS + 1):
            midnight = day * DAY_MS - offset
            for opens, closes in open_minutes(calendar, day):
                start, end = max(first, midnight + opens * 60_000), min(last, midnight + closes * 60_000)
                if start >= end:
                    continue
                if ends and ends[-1] == start:
                    ends[-1] = end
                else:
                    starts.append(start)
                    ends.append(end)
    sums, total = [], 0
    for start, end in zip(starts, ends, strict=True):
        total += end - start
        sums.append(total)
    return starts, ends, sums
