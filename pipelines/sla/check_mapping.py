"""
Mappings for checking past tickets: which columns of a CSV say when a clock ran, and what the file says came of it.

    row_id = "case_id"                      # names a row in the report
    empty = ["?"]                           # texts that mean "not known", beside the empty text
    last_per = "number"                     # only the last of consecutive rows with the same value is a ticket
    date = "%Y-%m-%d %H:%M:%S"              # a strptime format, or iso; a time without an offset is taken in the calendar's zone
    started = "opened"                      # when the clock started
    stopped = ["resolved", "closed"]        # when it stopped: the first column that is filled; none of them: it still runs
    due = "due"                             # when the file says it was due: its working time from the start is the target
    as_of = "2022-09-15 11:47:12"           # the moment for which a clock that still runs is judged
    without_target = "met"                  # what the file says where there is no target (met or breached); absent: skipped
    encoding = "utf-8"                      # and delimiter = ","

    [target]                                # instead of `due`: the target by a column's value, in seconds of working time
    from = "priority"
    seconds = { "1 - Critical" = 14400 }
    [where]                                 # only rows in which each column has one of these values
    state = ["Closed"]
    [verdict]                               # the file's own verdict; a row in which it is not known is skipped
    from = "on_time"
    met = ["ONTIME"]
    breached = ["OVERDUE"]
    [calendar]                              # a calendar as everywhere: time_zone, windows, closed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from baton.pipelines.import_mapping import MappingError
from baton.pipelines.sla.calendars import Calendar, CalendarError, read_calendar

_KEYS = {
    "row_id", "empty", "last_per", "date", "started", "stopped", "due", "as_of", "without_target", "encoding", "delimiter",
    "target", "where", "verdict", "calendar",
}  # fmt: skip
_VERDICTS = ("met", "breached")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMapping:
    """A mapping ready for use; `due` or `target_from` with `targets` says what the target is."""

    name: str
    calendar: Calendar
    zone: ZoneInfo
    row_id: str
    started: str
    stopped: tuple[str, ...]
    date: str
    verdict_from: str
    verdicts: Mapping[str, str]
    due: str | None = None
    target_from: str | None = None
    targets: Mapping[str, float]
    where: Mapping[str, tuple[str, ...]]
    as_of: datetime | None = None
    without_target: str | None = None
    last_per: str | None = None
    empty: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","

    @property
    def columns(self) -> list[str]:
        """The columns that a file must have."""
        single = (self.row_id, self.started, self.verdict_from, self.due, self.target_from, self.last_per)
        return list(dict.fromkeys([*filter(None, single), *self.stopped, *self.where]))


def read_check_mapping(name: str, document: Mapping[str, Any]) -> CheckMapping:
    """
    Return the mapping that a TOML document describes.

    Raises:
        MappingError: a key is unknown, missing or of the wrong kind; the message names it.
    """
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise MappingError(f"unknown key {', '.join(unknown)}; there are {', '.join(sorted(_KEYS))}")
    if ("due" in document) == ("target" in document):
        raise MappingError("needs either due or [target]")
    try:
        calendar = read_calendar(document.get("calendar"))
    except CalendarError as error:
        raise MappingError(f"calendar: {error}") from None
    zone, date = ZoneInfo(calendar.time_zone), _text(document, "date")
    verdict, target = _table(document, "verdict"), _table(document, "target")
    without_target = document.get("without_target")
    if without_target not in (None, *_VERDICTS):
        raise MappingError(f"without_target must be one of {', '.join(_VERDICTS)}")
    return CheckMapping(
        name=name,
        calendar=calendar,
        zone=zone,
        row_id=_text(document, "row_id"),
        started=_text(document, "started"),
        stopped=_texts(document, "stopped"),
        date=date,
        verdict_from=_text(verdict, "from", "verdict.from"),
        verdicts={text: each for each in _VERDICTS for text in _texts(verdict, each, f"verdict.{each}")},
        due=_text(document, "due") if "due" in document else None,
        target_from=_text(target, "from", "target.from") if target else None,
        targets=_targets(target),
        where={column: _texts(_table(document, "where"), column, f"where.{column}") for column in _table(document, "where")},
        as_of=_moment(document, date, zone),
        without_target=without_target,
        last_per=_text(document, "last_per") if "last_per" in document else None,
        empty=_texts(document, "empty") if "empty" in document else (),
        encoding=_text(document, "encoding") if "encoding" in document else "utf-8",
        delimiter=_text(document, "delimiter") if "delimiter" in document else ",",
    )


def read_time(text: str, date: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a text, in UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text) if date == "iso" else datetime.strptime(text, date)  # noqa: DTZ007
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _moment(document: Mapping[str, Any], date: str, zone: ZoneInfo) -> datetime | None:
    if "as_of" not in document:
        return None
    try:
        return read_time(_text(document, "as_of"), date, zone)
    except ValueError:
        raise MappingError(f"as_of: {document['as_of']!r} does not follow date, {date!r}") from None


def _targets(target: Mapping[str, Any]) -> dict[str, float]:
    targets = _table(target, "seconds") if target else {}
    for value, seconds in targets.items():
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            raise MappingError(f"target.seconds.{value} must be a number of seconds")
    return dict(targets)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, Mapping):
        raise MappingError(f"{key} must be a table")
    return value


def _text(document: Mapping[str, Any], key: str, place: str = "") -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise MappingError(f"{place or key} must be a text")
    return value


def _texts(document: Mapping[str, Any], key: str, place: str = "") -> tuple[str, ...]:
    value = document.get(key)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise MappingError(f"{place or key} must be a text or a list of texts")
    return tuple(texts)
