"""
Reports: of which days, by which groups, and as which table.

Days are those of one time zone's calendar; a report covers at most a year and a day. A week begins on Monday. A day's bucket is
from its midnight to the next one's, so that it has 23 or 25 hours where the clocks are changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

#: Longest range of one report, in days.
LONGEST_DAYS = 366
_FIRST_YEAR, _LAST_YEAR = 1971, 9000
#: What a cell of a CSV file must not begin with: spreadsheets would take it for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RangeError(ValueError):
    """A report's range cannot be used: `field` says which end, the text why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day or a week: its first day, and the instants from which until before which it lasts."""

    day: date
    start: datetime
    end: datetime


def days(first: date, last: date, zone: str) -> list[Bucket]:
    """Return the days from the first to the last, both included. Raises RangeError."""
    _check(first, last)
    return [_bucket(first + timedelta(days=n), 1, zone) for n in range((last - first).days + 1)]


def weeks(first: date, last: date, zone: str) -> list[Bucket]:
    """Return the weeks of the days from the first to the last, the outer ones cut to those. Raises RangeError."""
    _check(first, last)
    found, day = [], first
    while day <= last:
        length = min(7 - day.weekday(), (last - day).days + 1)
        found.append(_bucket(day, length, zone))
        day += timedelta(days=length)
    return found


def whole(first: date, last: date, zone: str) -> list[Bucket]:
    """Return the whole range as one bucket. Raises RangeError."""
    _check(first, last)
    return [_bucket(first, (last - first).days + 1, zone)]


def today(now: datetime, zone: str) -> date:
    """Return which day it is in a zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def share(met: int, breached: int) -> float | None:
    """Return which part of what was judged was in time, in percent to two places; None where nothing was."""
    return round(100 * met / (met + breached), 2) if met + breached else None


def backlog(open_now: int, arrived: Sequence[int], finished: Sequence[int], later: tuple[int, int]) -> list[int]:
    """
    Return how many were open at each day's end: reckoned back from how many are open now.

    `arrived` and `finished` are per day; `later` is how many arrived and were finished after the last day.
    """
    found, still = [], open_now - later[0] + later[1]
    for came, went in zip(reversed(arrived), reversed(finished), strict=True):
        found.append(still)
        still += went - came
    return found[::-1]


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV with a header line; no cell is a formula to a spreadsheet, whoever chose its text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    return out.getvalue()


def cell(value: Any) -> Any:
    """Return a cell: nothing for None, a text that might be a formula with an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _check(first: date, last: date) -> None:
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR or not _FIRST_YEAR <= last.year <= _LAST_YEAR:
        raise RangeError("from", f"must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    if last < first:
        raise RangeError("to", "lies before from")
    if (last - first).days >= LONGEST_DAYS:
        raise RangeError("to", f"lies more than a year after from: at most {LONGEST_DAYS} days at once")


def _bucket(day: date, length: int, zone: str) -> Bucket:
    return Bucket(day, _midnight(day, zone), _midnight(day + timedelta(days=length), zone))


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
