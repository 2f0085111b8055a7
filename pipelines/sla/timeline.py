"""
The explanation of an answer: what happened from the start on, line by line, as a person would reckon it up.

Each line is a stretch or a moment: a window that counts, a closed range that takes from a window, a pause, a switch of the
clocks, a change, a level, due, stop, question. What counts says how much and the sum so far. A long history keeps its first and
its last lines; what is left out between them is one line that says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from baton.pipelines.sla.calendar_fields import Closed, time_text
from baton.pipelines.sla.calendars import EPOCH_ORDINAL, Calendar
from baton.pipelines.sla.scenarios import Answer, Scenario, horizon_of, instant_text, seconds_of
from baton.pipelines.sla.timeline_texts import change_text, duration_text, level_text, local_text, span_text, target_text
from baton.pipelines.sla.working_time import pause_spans, running_spans, spans_between, to_datetime, to_ms, worked
from baton.pipelines.sla.zones import BLOCK_MS, DAY_MS, segments

#: Days that are told from the start of a long history and before its end, and lines that are kept of each part.
_HEAD_DAYS, _TAIL_DAYS = 60, 20
_HEAD_LINES, _TAIL_LINES = 60, 20
#: How lines of the same moment are ordered: a stop comes before anything else that would happen then, stretches come after.
_ORDER = ("start", "change", "stop", "level", "due", "question", "end", "switch", "pause", "closed", "work", "left_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line: from when to when (None: a moment) in milliseconds, what it is, how much counts in it, and the sum after it."""

    start: int
    end: int | None = None
    kind: str
    text: str
    counted: int = 0
    sum: int = 0


def explain(scenario: Scenario, answer: Answer) -> list[Line]:
    """Return the lines that explain an answer, in order, sums worked out."""
    start, end = to_ms(scenario.clock.started_at), _end(scenario, answer)
    stretches = [(start, end)]
    if end - start > (_HEAD_DAYS + _TAIL_DAYS) * DAY_MS:
        stretches = [(start, start + _HEAD_DAYS * DAY_MS), (end - _TAIL_DAYS * DAY_MS, end)]
    moments = list(_moments(scenario, answer))
    lines = [*moments]
    for first, last in stretches:
        switches = list(_switches(scenario.clock.calendar.time_zone, first, last))
        lines += switches
        lines += _stretch(scenario, first, last, sorted({line.start for line in (*moments, *switches)}))
    lines.sort(key=lambda line: (line.start, _ORDER.index(line.kind)))
    left_out = stretches[0][1] if len(stretches) > 1 else None
    return _capped(scenario, lines, left_out, stretches[-1][0])


def write_timeline(lines: Sequence[Line], calendar: Calendar) -> list[dict[str, Any]]:
    """Return lines as JSON: from, to (the calendar's wall clock, with offset), what, text, seconds that count, the sum so far."""
    zone = ZoneInfo(calendar.time_zone)
    written = []
    for line in lines:
        entry: dict[str, Any] = {"from": local_text(line.start, zone)}
        if line.end is not None:
            entry["to"] = local_text(line.end, zone)
        entry |= {"what": line.kind, "text": line.text}
        if line.kind == "work":
            entry["seconds"] = seconds_of(line.counted)
        written.append(entry | {"sum_seconds": seconds_of(line.sum)})
    return written


def reading_lines(lines: Sequence[Line], calendar: Calendar) -> list[str]:
    """Return lines for reading: when, what, and where time counts, the sum so far."""
    zone = ZoneInfo(calendar.time_zone)
    return [
        f"{local_text(line.start, zone)}  {line.text}"
        + (f"  (sum {duration_text(line.sum)})" if line.kind in ("work", "left_out") else "")
        for line in lines
    ]


def _end(scenario: Scenario, answer: Answer) -> int:
    """Return where the lines end: at the last thing that is known, no further than the horizon when that is only a far due."""
    clock = scenario.clock
    known = [clock.started_at, scenario.moment, answer.due_at, *answer.levels_at, *(change.at for change in clock.changes)]
    known += [moment for pause in clock.pauses for moment in pause]
    if answer.due_at is None and answer.reached_at is not None:
        known.append(clock.started_at + horizon_of(clock))
    latest = max(moment for moment in known if moment is not None)
    if clock.stopped_at is not None:
        latest = max(clock.stopped_at, answer.due_at or clock.stopped_at)
    return max(to_ms(latest), to_ms(clock.started_at))


def _moments(scenario: Scenario, answer: Answer) -> Iterator[Line]:
    clock = scenario.clock
    target = (
        "no target: no clock" if clock.target_seconds is None else f"target {target_text(clock.target_seconds)} of working time"
    )
    yield Line(start=to_ms(clock.started_at), kind="start", text=f"started, {target}")
    for change in clock.changes:
        if scenario.moment is None or change.at <= scenario.moment:
            yield Line(start=to_ms(change.at), kind="change", text=change_text(change))
    for level, at in zip(scenario.levels, answer.levels_at, strict=True):
        if at is not None:
            yield Line(start=to_ms(at), kind="level", text=f"{level_text(level)}: fires")
    if answer.due_at is not None:
        yield Line(start=to_ms(answer.due_at), kind="due", text="due: the target is consumed")
    elif answer.reached_at is not None:
        text = f"no due time is told: the target is consumed only on {instant_text(answer.reached_at)}, "
        text += "more than three years and twenty times the target away"
        yield Line(start=to_ms(clock.started_at + horizon_of(clock)), kind="end", text=text)
    if clock.stopped_at is not None:
        yield Line(start=to_ms(clock.stopped_at), kind="stop", text=f"stopped: {answer.verdict}")
    elif scenario.as_of is not None:
        yield Line(start=to_ms(scenario.as_of), kind="question", text=f"moment of the question: {answer.verdict}")


def _stretch(scenario: Scenario, first: int, last: int, cuts: Sequence[int]) -> Iterator[Line]:
    """Yield what happened between two instants: windows that count, in pieces that end at a cut, pauses, closed ranges."""
    calendar, pauses = scenario.clock.calendar, pause_spans(scenario.clock.pauses)
    zone = ZoneInfo(calendar.time_zone)
    for begun, ended in running_spans(first, pauses):
        if begun >= last:
            break
        for start, end in spans_between(calendar, begun, last if ended is None else min(ended, last)):
            for since, until in _pieces(start, end, zone, cuts):
                text = f"{span_text(since, until, zone)}: {duration_text(until - since)} of working time"
                yield Line(start=since, end=until, kind="work", text=text, counted=until - since)
    for begun, ended in pauses:
        if begun < last and (ended is None or ended > first):
            yield _pause(calendar, max(begun, first), ended, last)
    yield from _closures(calendar, first, last, zone)


def _pieces(start: int, end: int, zone: ZoneInfo, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield a span in pieces that end where a date of the zone does, or at a cut."""
    while start < end:
        local = to_datetime(start).astimezone(zone)
        midnight = to_ms(datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=1))
        place = bisect_right(cuts, start)
        stop = min(end, max(midnight, start + 1), cuts[place] if place < len(cuts) else end)
        yield start, stop
        start = stop


def _pause(calendar: Calendar, start: int, end: int | None, last: int) -> Line:
    held = sum(to - since for since, to in spans_between(calendar, start, min(last, end or last)))
    until = "paused, and still is" if end is None else "paused"
    return Line(start=start, end=end, kind="pause", text=f"{until}: {duration_text(held)} of working time do not count")


def _closures(calendar: Calendar, first: int, last: int, zone: ZoneInfo) -> Iterator[Line]:
    """Yield a line per date and closed range that takes from the date's windows."""
    for day in range(_day(first, zone), _day(max(last - 1, first), zone) + 1):
        windows = calendar.week[(day + 3) % 7]
        for each in calendar.closed if windows else ():
            if _closes(each, day) and any(start < each.end and each.start < end for start, end in windows):
                midnight = datetime.fromordinal(day + EPOCH_ORDINAL).replace(tzinfo=zone)
                start, end = (to_ms(midnight + timedelta(minutes=minutes)) for minutes in (each.start, each.end))
                part = "all day" if each.whole else f"{time_text(each.start)} to {time_text(each.end)}"
                text = f"{midnight:%a %Y-%m-%d}: closed {part}" + (f", {each.name}" if each.name else "")
                if start < last and end > first:
                    yield Line(start=max(start, first), end=min(end, last), kind="closed", text=text)


def _closes(closed: Closed, day: int) -> bool:
    on = datetime.fromordinal(day + EPOCH_ORDINAL).date()
    return closed.covers((on.month, on.day)) if closed.yearly else closed.first <= on <= closed.last


def _switches(time_zone: str, first: int, last: int) -> Iterator[Line]:
    pieces = [piece for block in range(first // BLOCK_MS, last // BLOCK_MS + 1) for piece in segments(time_zone, block)]
    for (_, _, before), (switch, _, after) in pairwise(pieces):
        if before != after and first <= switch < last:
            way = "forward" if after > before else "back"
            text = f"the clocks of {time_zone} go {way} by {duration_text(abs(after - before))}"
            yield Line(start=switch, kind="switch", text=text)


def _capped(scenario: Scenario, lines: list[Line], gap: int | None, resumed: int) -> list[Line]:
    """Return the lines with their sums, the middle of too many as one line."""
    clock, pauses = scenario.clock, pause_spans(scenario.clock.pauses)
    start = to_ms(clock.started_at)

    def summed(line: Line) -> Line:
        at = line.end if line.kind == "work" and line.end is not None else line.start
        return _with_sum(line, worked(clock.calendar, start, at, pauses))

    head = [line for line in lines if gap is None or line.start < gap]
    tail = [line for line in lines if gap is not None and line.start >= gap]
    if len(lines) <= _HEAD_LINES + _TAIL_LINES and gap is None:
        return [summed(line) for line in lines]
    if gap is None:
        head, tail = lines[:_HEAD_LINES], lines[-_TAIL_LINES:]
    head, tail = head[:_HEAD_LINES], tail[-_TAIL_LINES:]
    since, until = head[-1].end or head[-1].start, max(resumed, tail[0].start) if tail else resumed
    skipped = worked(clock.calendar, since, until, pauses)
    text = f"left out here: {duration_text(skipped)} of working time"
    note = Line(start=since, end=max(until, since), kind="left_out", text=text, counted=skipped)
    return [*map(summed, head), _with_sum(note, worked(clock.calendar, start, until, pauses)), *map(summed, tail)]


def _with_sum(line: Line, total: int) -> Line:
    return Line(start=line.start, end=line.end, kind=line.kind, text=line.text, counted=line.counted, sum=total)


def _day(instant: int, zone: ZoneInfo) -> int:
    return to_datetime(instant).astimezone(zone).toordinal() - EPOCH_ORDINAL
