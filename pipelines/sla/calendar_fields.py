"""The fields of a calendar as they come in JSON: time zone, windows, closed ranges. Each error names its field and the remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)
_DAY = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
#: Closed ranges of one calendar: the public holidays of some hundred years.
MOST_CLOSED = 2_000
_CLOSED_FIELDS = {"on", "from", "to", "every", "start", "end", "name"}

#: Per weekday, Monday first: its name and its windows as (start, end) texts, HH:MM.
Windows = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


class CalendarError(ValueError):
    """A calendar cannot be used: `field` says where, `reason` what is wrong with it. Correct the calendar."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Closed:
    """
    A closed range: from `first` to `last`, both included; of each day the minutes from `start` to `end`.

    With `yearly` the dates stand for their month and day in every year (they lie in 2024, a leap year) and may cross New Year.
    """

    first: date
    last: date
    yearly: bool = False
    start: int = 0
    end: int = DAY_MINUTES
    name: str = ""

    @property
    def whole(self) -> bool:
        """Whether whole days are closed."""
        return (self.start, self.end) == (0, DAY_MINUTES)

    def covers(self, day: tuple[int, int]) -> bool:
        """Return whether a yearly range covers a (month, day)."""
        first, last = (self.first.month, self.first.day), (self.last.month, self.last.day)
        return first <= day <= last if first <= last else day >= first or day <= last

    def document(self) -> dict[str, str]:
        """Return the range as JSON."""
        written = (lambda day: f"{day:%m-%d}") if self.yearly else date.isoformat
        first, last = written(self.first), written(self.last)
        document = {"on": first} if first == last else {"from": first, "to": last}
        document |= {"every": "year"} if self.yearly else {}
        document |= {"start": time_text(self.start)} if self.start else {}
        document |= {"end": time_text(self.end)} if self.end != DAY_MINUTES else {}
        return document | ({"name": self.name} if self.name else {})


def time_text(minutes: int) -> str:
    """Return minutes since midnight as HH:MM."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_zone(value: Any) -> str:
    """Return the name of a time zone. Raises CalendarError."""
    if not isinstance(value, str) or not value:
        raise CalendarError("time_zone", "must name a time zone, such as Europe/Berlin")
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # a folder of the tz database is an OSError, a foreign name a ZoneInfoNotFoundError
        raise CalendarError("time_zone", f"{value!r} is no zone of the tz database; write a name such as Europe/Berlin") from None
    return value


def read_windows(value: Any) -> Windows | None:
    """Return the windows of each weekday; None for round the clock. Raises CalendarError."""
    if value == "always":
        return None
    if not isinstance(value, Mapping):
        raise CalendarError("windows", 'must be "always", or an object of weekdays (mon ... sun) with lists of [start, end]')
    for name in value:
        if name not in WEEKDAYS:
            raise CalendarError(f"windows.{name}", f"is no weekday; there are {', '.join(WEEKDAYS)}")
    return tuple((name, _day_windows(f"windows.{name}", value.get(name, []))) for name in WEEKDAYS)


def _day_windows(place: str, value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list | tuple):
        raise CalendarError(place, 'must be a list of windows, such as [["09:00", "17:00"]]')
    windows = []
    for number, pair in enumerate(value):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise CalendarError(f"{place}[{number}]", 'must be a pair of times, such as ["09:00", "17:00"]')
        start, end = _time(pair[0], f"{place}[{number}][0]"), _time(pair[1], f"{place}[{number}][1]")
        if start == "24:00":
            raise CalendarError(f"{place}[{number}][0]", "24:00 can only be an end; write 00:00 in the next day's list")
        windows.append((start, "00:00" if end == "24:00" else end))
    return tuple(windows)


def read_closed(value: Any) -> tuple[Closed, ...]:
    """Return the closed ranges, in their order. Raises CalendarError."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise CalendarError("closed", 'must be a list of ranges, such as [{"on": "2026-12-25"}]')
    if len(value) > MOST_CLOSED:
        raise CalendarError(
            "closed", f"has {len(value)} ranges, more than {MOST_CLOSED}; leave out years that are over, or join days"
        )
    return tuple(_closed(f"closed[{number}]", each) for number, each in enumerate(value))


def _closed(place: str, value: Any) -> Closed:
    if not isinstance(value, Mapping):
        raise CalendarError(place, 'must be an object, such as {"on": "2026-12-25"}')
    for unknown in sorted(set(map(str, value)) - _CLOSED_FIELDS):
        raise CalendarError(f"{place}.{unknown}", f"is no field of a closed range; there are {', '.join(sorted(_CLOSED_FIELDS))}")
    if value.get("every") not in (None, "year"):
        raise CalendarError(f"{place}.every", 'can only be "year"')
    if ("on" in value) == ("from" in value or "to" in value):
        raise CalendarError(place, "needs either on, or from and to")
    yearly = value.get("every") == "year"
    first_field, last_field = ("on", "on") if "on" in value else ("from", "to")
    first = _date(value.get(first_field), f"{place}.{first_field}", yearly=yearly)
    last = _date(value.get(last_field), f"{place}.{last_field}", yearly=yearly)
    if last < first and not yearly:
        raise CalendarError(f"{place}.to", f"{last} lies before from, {first}")
    start, end = _part(value, place)
    name = value.get("name")
    if name is not None and not isinstance(name, str):
        raise CalendarError(f"{place}.name", "must be a text")
    return Closed(first, last, yearly, start, end, name or "")


def _part(value: Mapping[str, Any], place: str) -> tuple[int, int]:
    """Return which minutes of each day a range closes."""
    start_text, end_text = value.get("start"), value.get("end")
    start = 0 if start_text is None else _minutes(_time(start_text, f"{place}.start"))
    end = DAY_MINUTES if end_text is None else _minutes(_time(end_text, f"{place}.end")) or DAY_MINUTES
    if end <= start:
        raise CalendarError(f"{place}.end", "must be after start; a range closes its own dates, so a night takes two ranges")
    return start, end


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _time(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise CalendarError(place, f"{value!r} is no time of day; write HH:MM, such as 09:00")
    return value


def _date(value: Any, place: str, *, yearly: bool) -> date:
    written = "MM-DD, as the range is of every year" if yearly else "YYYY-MM-DD, or MM-DD with every: year"
    if not isinstance(value, str) or not (_DAY if yearly else _DATE).fullmatch(value):
        raise CalendarError(place, f"{value!r} is no date here; write {written}")
    try:
        return date.fromisoformat(f"2024-{value}" if yearly else value)
    except ValueError:
        raise CalendarError(place, f"{value!r} is a date that does not exist") from None
