"""
Business calendars: which instants are working time.

The definition: an instant is working time when the wall clock of the calendar's time zone stands, at that instant, inside one of
the weekday's windows and inside no closed range. That alone settles daylight saving: a missing hour has no instants, a doubled
hour has twice as many.

    {"time_zone": "Europe/Berlin",
     "windows": {"mon": [["09:00", "17:00"]], "fri": [["22:00", "06:00"]]},       # or "always"
     "closed": [{"on": "2026-05-14", "name": "Ascension Day"}, {"on": "02-29", "every": "year"},
                {"from": "12-24", "to": "01-01", "every": "year"}, {"on": "2026-12-24", "start": "12:00"}]}

A window is [start, end) on the wall clock; an end before or equal to the start runs past midnight into the next day. A closed
range includes both its days; with `start` or `end` it closes only that part of each of them. It closes the wall clock of its own
date, also for a window that began the evening before. `name` is for people and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from baton.pipelines.sla.calendar_fields import DAY_MINUTES, CalendarError, Closed, Windows, read_closed, read_windows, read_zone

#: Day number (days since 1970-01-01) of the ordinal 1: `date.fromordinal(day + EPOCH_ORDINAL)` is the date of a day number.
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_FIELDS = {"time_zone", "windows", "closed"}

Minutes = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """
    A calendar ready to be counted in. Equal calendars have the same zone, windows and closed ranges.

    `week` are the open minutes of each weekday (Monday first) as [start, end) since midnight, merged, what runs over from the day
    before included. `years` and `blocks` keep what was worked out: the dated ranges that touch a year, and working time. They are
    no part of the value.
    """

    time_zone: str
    windows: Windows | None  # None: always
    closed: tuple[Closed, ...] = ()
    week: tuple[Minutes, ...] = field(default=(), compare=False, repr=False)
    yearly: Mapping[tuple[int, int], Minutes] = field(default_factory=dict, compare=False, repr=False)
    dated: tuple[Closed, ...] = field(default=(), compare=False, repr=False)
    years: dict[int, tuple[Closed, ...]] = field(default_factory=dict, compare=False, repr=False)
    blocks: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)


def read_calendar(document: Any) -> Calendar:
    """
    Return the calendar that a JSON document describes.

    Raises:
        CalendarError: a field is missing, unknown or wrong, or no instant would be working time; the message names the field.
    """
    if not isinstance(document, Mapping):
        raise CalendarError("calendar", "must be an object with time_zone, windows and, if need be, closed")
    unknown = sorted(set(map(str, document)) - _FIELDS)
    if unknown:
        raise CalendarError(unknown[0], f"is no field of a calendar; there are {', '.join(sorted(_FIELDS))}")
    zone = read_zone(document.get("time_zone"))
    windows = read_windows(document.get("windows"))
    closed = read_closed(document.get("closed"))
    calendar = Calendar(zone, windows, closed, _week(windows), _yearly(closed), tuple(each for each in closed if not each.yearly))
    if not has_working_time(calendar):
        field_name = "closed" if any(calendar.week) else "windows"
        raise CalendarError(field_name, "leaves no working time at all; a clock could never run out")
    return calendar


@lru_cache(maxsize=256)
def calendar_from_text(text: str) -> Calendar:
    """Return the calendar of a JSON text, the same object for the same text. Raises CalendarError."""
    try:
        return read_calendar(json.loads(text))
    except ValueError as error:
        if isinstance(error, CalendarError):
            raise
        raise CalendarError("calendar", f"is not JSON: {error}") from None


def write_calendar(calendar: Calendar) -> dict[str, Any]:
    """Return the JSON document of a calendar; reading it gives an equal calendar."""
    document: dict[str, Any] = {"time_zone": calendar.time_zone, "windows": "always"}
    if calendar.windows is not None:
        document["windows"] = {name: [[start, end] for start, end in windows] for name, windows in calendar.windows if windows}
    if calendar.closed:
        document["closed"] = [each.document() for each in calendar.closed]
    return document


def open_minutes(calendar: Calendar, day: int) -> Minutes:
    """Return the open part of a date's wall clock, [start, end) in minutes since midnight. `day` counts from 1970-01-01."""
    minutes = calendar.week[(day + 3) % 7]
    if not minutes:
        return minutes
    for each in closed_minutes(calendar, day):
        minutes = _without(minutes, each)
    return minutes


def closed_minutes(calendar: Calendar, day: int) -> Minutes:
    """Return what closed ranges take from a date's wall clock, [start, end) in minutes since midnight, unmerged."""
    date_of = date.fromordinal(day + EPOCH_ORDINAL)
    yearly = calendar.yearly.get((date_of.month, date_of.day), ())
    if not calendar.dated:
        return yearly
    return yearly + tuple(
        (each.start, each.end) for each in _dated_in(calendar, date_of.year) if each.first <= date_of <= each.last
    )


def _dated_in(calendar: Calendar, year: int) -> tuple[Closed, ...]:
    found = calendar.years.get(year)
    if found is None:
        found = tuple(each for each in calendar.dated if each.first.year <= year <= each.last.year)
        calendar.years[year] = found
    return found


def has_working_time(calendar: Calendar) -> bool:
    """
    Return whether any date between the years 1 and 9999 has an open minute.

    Ranges of every year are judged for each pair of weekday and date: the Gregorian calendar brings each pair about (29 February
    falls on every weekday too) within forty years. So there is working time after the last dated range; only where that ends too
    late for it, the dates between the ranges are looked at. A window that no switch to summer time would leave is not looked for.
    """
    if not any(_without_all(minutes, calendar.yearly.get(key, ())) for minutes in calendar.week for key in _year_days()):
        return False
    if all(each.last.year < date.max.year - _PATTERN_YEARS for each in calendar.dated):
        return True
    return any(_opens(calendar, first, last) for first, last in _between_dated(calendar.dated))


#: Within forty years, and across a century without a leap year, every weekday has met every date, 29 February included.
_PATTERN_YEARS = 48


def _opens(calendar: Calendar, first: int, last: int) -> bool:
    return any(open_minutes(calendar, day) for day in range(first, min(last, first + _PATTERN_YEARS * 366) + 1))


def _between_dated(dated: Sequence[Closed]) -> list[tuple[int, int]]:
    """Return the ranges of day numbers that no whole-day range closes, latest first: it is most likely open there."""
    found, day = [], date.min.toordinal() - EPOCH_ORDINAL
    for each in sorted((each for each in dated if each.whole), key=lambda each: each.first):
        first = each.first.toordinal() - EPOCH_ORDINAL
        if day < first:
            found.append((day, first - 1))
        day = max(day, each.last.toordinal() - EPOCH_ORDINAL + 1)
    end = date.max.toordinal() - EPOCH_ORDINAL
    return list(reversed([*found, (day, end)] if day <= end else found))


def _week(windows: Windows | None) -> tuple[Minutes, ...]:
    if windows is None:
        return (((0, DAY_MINUTES),),) * 7
    days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for weekday, (_, pairs) in enumerate(windows):
        for start, end in ((_minutes(first), _minutes(last)) for first, last in pairs):
            if end > start:
                days[weekday].append((start, end))
                continue
            days[weekday].append((start, DAY_MINUTES))
            if end:
                days[(weekday + 1) % 7].append((0, end))
    return tuple(_merged(day) for day in days)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _merged(pairs: list[tuple[int, int]]) -> Minutes:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pairs):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _without(minutes: Minutes, closed: tuple[int, int]) -> Minutes:
    start, end = closed
    pieces = ((first, min(last, start)) for first, last in minutes), ((max(first, end), last) for first, last in minutes)
    return tuple(sorted(pair for group in pieces for pair in group if pair[0] < pair[1]))


def _without_all(minutes: Minutes, closed: Minutes) -> Minutes:
    for each in closed:
        minutes = _without(minutes, each)
    return minutes


@lru_cache(maxsize=1)
def _year_days() -> tuple[tuple[int, int], ...]:
    first = date(2024, 1, 1).toordinal()  # a leap year
    return tuple((day.month, day.day) for day in map(date.fromordinal, range(first, first + 366)))


def _yearly(closed: Sequence[Closed]) -> dict[tuple[int, int], Minutes]:
    days: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for each in closed:
        if each.yearly:
            for key in _year_days():
                if each.covers(key):
                    days.setdefault(key, []).append((each.start, each.end))
    return {key: _merged(pairs) for key, pairs in days.items()}
