"""
Closed days from an iCalendar file (RFC 5545), such as a company's or a country's holiday calendar.

1. An all-day event closes its days; its end is the day after the last one. A timed event closes that part of its days, on the
   calendar's wall clock, to the minute.
2. A plain yearly event that began before the years asked for becomes a range of every year. Every other repetition (the fourth
   Thursday, until some day, with exceptions) becomes the dates it has in those years.
3. Cancelled events are left out. Whether an event shows as busy does not matter: holiday calendars mark theirs as free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from baton.pipelines.sla.holidays import LONGEST_YEARS, HolidayError

#: Closed entries that a file may become, and characters it may have. More is no holiday calendar.
MOST_ENTRIES = 2_000
LONGEST_TEXT = 2_000_000
_TOO_FAST = ("SECONDLY", "MINUTELY", "HOURLY")
_PLAIN_RULE = {"FREQ", "BYMONTH", "BYMONTHDAY", "WKST", "INTERVAL"}


def closed_from_ics(text: str, time_zone: str, years: Sequence[int]) -> list[dict[str, str]]:
    """
    Return the events of an iCalendar text as `closed` entries of a calendar in `time_zone`, in order of their dates.

    Dated entries are those of `years`; ranges of every year come first.

    Raises:
        HolidayError: the text is no iCalendar, an event cannot be read, or there are too many; the message says what to do.
    """
    if not years or len(set(years)) > LONGEST_YEARS:
        raise HolidayError(f"years: name at least one and no more than {LONGEST_YEARS}")
    events = _events(text)
    moved = {str(event.get("UID")) for event in events if event.get("RECURRENCE-ID") is not None}
    yearly = [event for event in events if _is_plain_yearly(event, time_zone, min(years)) and str(event.get("UID")) not in moved]
    plain = [id(event) for event in yearly]
    entries = [_yearly(event) for event in yearly]
    zone = ZoneInfo(time_zone)
    for event in _occurrences([event for event in events if id(event) not in plain], years):
        entries += _dated(event, zone, years)
        _check_count(entries)
    _check_count(entries)
    unique = {tuple(sorted(entry.items())): entry for entry in entries}
    return sorted(
        unique.values(), key=lambda entry: ("every" not in entry, entry.get("on") or entry["from"], entry.get("start", ""))
    )


def _events(text: str) -> list[Any]:
    if len(text) > LONGEST_TEXT:
        raise HolidayError(f"the file is larger than {LONGEST_TEXT} characters; export the holidays only")
    try:
        components = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise HolidayError(f"this is no iCalendar file: {error}; export the calendar as .ics") from None
    events = [event for component in components for event in component.walk("VEVENT")]
    if not events:
        raise HolidayError("the file has no events; export the calendar that holds the holidays as .ics")
    kept = [event for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    for event in kept:
        _check(event)
    return kept


def _check(event: Any) -> None:
    """Refuse an event whose times cannot be told or that repeats oftener than daily."""
    name = _name(event) or str(event.get("UID", "without a name"))
    wrong = [field for field, _ in event.errors if field in ("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE")]
    if wrong or event.get("DTSTART") is None:
        raise HolidayError(f"event {name!r}: {wrong[0] if wrong else 'DTSTART'} cannot be read; correct or remove the event")
    rule = event.get("RRULE")
    if isinstance(rule, list):
        raise HolidayError(f"event {name!r}: has more than one RRULE; split it into events")
    if rule is not None and any(value in _TOO_FAST for value in rule.get("FREQ", [])):
        raise HolidayError(f"event {name!r}: repeats oftener than daily; a holiday does not")
    start, end = _span(event)
    if end < start:
        raise HolidayError(f"event {name!r}: ends before it starts; correct or remove the event")


def _occurrences(events: list[Any], years: Sequence[int]) -> Iterator[Any]:
    """Yield what the events become within the years, one occurrence each."""
    calendar = icalendar.Calendar()
    for event in events:
        calendar.add_component(event)
    try:
        yield from recurring_ical_events.of(calendar).between(date(min(years), 1, 1), date(max(years) + 1, 1, 1))
    except (ValueError, TypeError) as error:
        raise HolidayError(f"a repetition cannot be worked out: {error}; write the days as events of their own") from None


def _is_plain_yearly(event: Any, time_zone: str, first_year: int) -> bool:
    """Return whether an event is the same days of every year, so that a range of every year says it all."""
    rule = event.get("RRULE")
    start, end = _span(event)
    if rule is None or not set(rule) <= _PLAIN_RULE or rule.get("FREQ") != ["YEARLY"] or rule.get("INTERVAL", [1]) != [1]:
        return False
    if any(event.get(field) is not None for field in ("EXDATE", "RDATE", "RECURRENCE-ID")) or start.year > first_year:
        return False
    if rule.get("BYMONTH", [start.month]) != [start.month] or rule.get("BYMONTHDAY", [start.day]) != [start.day]:
        return False
    if isinstance(start, datetime):
        here = start.tzinfo is None or str(start.tzinfo) == time_zone
        return here and start.date() == end.date() and start < end
    return (end - start).days <= 200


def _yearly(event: Any) -> dict[str, str]:
    start, end = _span(event)
    if isinstance(start, datetime):
        entry = {"on": f"{start:%m-%d}", "every": "year"} | _part(start.time(), end.time())
    elif end - start == timedelta(days=1):
        entry = {"on": f"{start:%m-%d}", "every": "year"}
    else:
        entry = {"from": f"{start:%m-%d}", "to": f"{end - timedelta(days=1):%m-%d}", "every": "year"}
    return entry | _named(event)


def _dated(event: Any, zone: ZoneInfo, years: Sequence[int]) -> Iterator[dict[str, str]]:
    start, end = _span(event)
    if not isinstance(start, datetime):
        last = end - timedelta(days=1)
        days = {"on": start.isoformat()} if last == start else {"from": start.isoformat(), "to": last.isoformat()}
        yield days | _named(event)
        return
    start, end = (each.astimezone(zone).replace(tzinfo=None) if each.tzinfo else each for each in (start, end))
    day = start.date()
    while day <= end.date():
        opens = start.time() if day == start.date() else time(0)
        closes = end.time() if day == end.date() else None
        if (closes is None or closes > opens) and day.year in years:
            yield {"on": day.isoformat()} | _part(opens, closes) | _named(event)
        day += timedelta(days=1)


def _part(start: time, end: time | None) -> dict[str, str]:
    """Return which part of a day is closed, whole minutes; no end is midnight."""
    whole_end = end
    if end is not None and (end.second or end.microsecond):
        later = datetime.combine(date(2000, 1, 1), end) + timedelta(minutes=1)
        whole_end = None if later.date() > date(2000, 1, 1) else later.time()
    part = {"start": f"{start:%H:%M}"} if (start.hour, start.minute) != (0, 0) else {}
    return part | ({"end": f"{whole_end:%H:%M}"} if whole_end is not None else {})


def _span(event: Any) -> tuple[Any, Any]:
    """Return when an event starts and ends: both dates, the end excluded, or both times."""
    start = event["DTSTART"].dt
    if event.get("DTEND") is not None:
        end = event["DTEND"].dt
    elif event.get("DURATION") is not None:
        end = start + event["DURATION"].dt
    else:
        end = start if isinstance(start, datetime) else start + timedelta(days=1)
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise HolidayError(f"event {_name(event)!r}: starts with a day and ends with a time, or the reverse; correct the event")
    if isinstance(start, datetime) and (start.tzinfo is None) != (end.tzinfo is None):
        raise HolidayError(f"event {_name(event)!r}: only one of its times has a time zone; correct the event")
    # An all-day event whose end is its start lasts that day, as calendar programs show it.
    return start, start + timedelta(days=1) if not isinstance(start, datetime) and end == start else end


def _named(event: Any) -> dict[str, str]:
    return {"name": _name(event)} if _name(event) else {}


def _name(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())


def _check_count(entries: list[dict[str, str]]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise HolidayError(
            f"the events are more than {MOST_ENTRIES} closed ranges; ask for fewer years, or export the holidays only"
        )
