"""
A question about a clock written as JSON, and its answer.

    {"calendar": {...}, "target_seconds": 7200, "started_at": "2026-03-27T16:00:00+01:00",
     "pauses": [{"from": "...", "to": null}], "changes": [{"at": "...", "target_seconds": 3600, "from_start": true}],
     "stopped_at": "...", "as_of": "...", "levels": [{"percent": 75}, {"seconds_before": 3600}]}

The answer: `due_at`, `consumed_seconds` and `verdict` (when it is known for when), `levels_at`, `timeline`. Times are to the
millisecond, what is finer is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from baton.pipelines.sla.calendars import CalendarError, read_calendar
from baton.pipelines.sla.clocks import Change, Clock, Level, consumed_at, due, level_at, verdict
from baton.pipelines.sla.working_time import REACH_MS, Pause, to_ms

_Item = TypeVar("_Item")

_FIELDS = {
    "calendar", "target_seconds", "started_at", "pauses", "changes", "stopped_at", "as_of", "levels",
}  # fmt: skip
#: A due time that is both further from the start than this and more than so many times the target away is not told: hardly any
#: of the calendar's time is working time then, which is a slip in the calendar. The engine itself looks a hundred years ahead.
NEAR, FAR_FACTOR = timedelta(days=3 * 365), 20
#: The years in which the arithmetic has room on both sides.
_FIRST_YEAR, _LAST_YEAR = 1800, 9800
_LONGEST_SECONDS = 10**11


class ScenarioError(ValueError):
    """A scenario cannot be answered: `field` says where, `reason` what is wrong. Correct the scenario."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A clock and what is asked of it; `as_of` is the moment of the question."""

    clock: Clock
    as_of: datetime | None = None
    levels: tuple[Level, ...] = ()

    @property
    def moment(self) -> datetime | None:
        """The moment answered for: when the clock stopped, else the moment of the question."""
        return self.as_of if self.clock.stopped_at is None else self.clock.stopped_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is to say to a scenario; `reached_at` is `due_at` without the horizon, which makes a far one None."""

    due_at: datetime | None
    reached_at: datetime | None
    consumed_ms: int | None
    verdict: str | None
    levels_at: tuple[datetime | None, ...]


def read_scenario(document: Any) -> Scenario:
    """
    Return the scenario of a JSON document.

    Raises:
        ScenarioError: a field is missing, unknown or wrong, or the calendar has no working time; the message names the field.
    """
    if not isinstance(document, Mapping):
        raise ScenarioError("scenario", "must be an object with calendar, target_seconds and started_at")
    for unknown in sorted(set(map(str, document)) - _FIELDS):
        raise ScenarioError(unknown, f"is no field of a scenario; there are {', '.join(sorted(_FIELDS))}")
    for name in ("calendar", "target_seconds", "started_at"):
        if name not in document:
            raise ScenarioError(name, "is missing")
    try:
        calendar = read_calendar(document["calendar"])
    except CalendarError as error:
        raise ScenarioError("calendar" if error.field == "calendar" else f"calendar.{error.field}", error.reason) from None
    clock = Clock(
        calendar=calendar,
        started_at=_instant(document["started_at"], "started_at"),
        target_seconds=_target(document["target_seconds"], "target_seconds"),
        pauses=_items(document, "pauses", _pause),
        changes=_items(document, "changes", _change),
        stopped_at=_instant_or_none(document.get("stopped_at"), "stopped_at"),
    )
    as_of = _instant_or_none(document.get("as_of"), "as_of")
    for name, instant in (("stopped_at", clock.stopped_at), ("as_of", as_of)):
        if instant is not None and to_ms(instant) - to_ms(clock.started_at) > REACH_MS:
            raise ScenarioError(name, "lies more than a hundred years after started_at, further than clocks are followed")
    return Scenario(clock=clock, as_of=as_of, levels=_items(document, "levels", _level))


def horizon_of(clock: Clock) -> timedelta:
    """Return how far from its start a clock's due time is told."""
    return max(NEAR, FAR_FACTOR * timedelta(seconds=float(clock.target_seconds or 0)))


def answer(scenario: Scenario) -> Answer:
    """Return the answer to a scenario."""
    clock, as_of, moment = scenario.clock, scenario.as_of, scenario.moment
    reached = due(clock, as_of)
    near = reached is not None and reached - clock.started_at <= horizon_of(clock)
    return Answer(
        due_at=reached if near else None,
        reached_at=reached,
        consumed_ms=None if moment is None else consumed_at(clock, moment),
        verdict=verdict(clock, as_of),
        levels_at=tuple(level_at(clock, level, as_of) for level in scenario.levels),
    )


def write_answer(scenario: Scenario, answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON, without its timeline; `levels_at` only where levels were asked for."""
    document: dict[str, Any] = {"due_at": instant_text(answer.due_at)}
    if answer.consumed_ms is not None:
        document["consumed_seconds"] = seconds_of(answer.consumed_ms)
    if answer.verdict is not None:
        document["verdict"] = answer.verdict
    if scenario.levels:
        document["levels_at"] = [instant_text(each) for each in answer.levels_at]
    return document


def instant_text(instant: datetime | None) -> str | None:
    """Return an instant in UTC as `2026-03-30T08:00:00Z`, with milliseconds where there are any; None for None."""
    if instant is None:
        return None
    instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds" if instant.microsecond >= 1000 else "seconds").replace("+00:00", "Z")


def seconds_of(milliseconds: int) -> int | float:
    """Return milliseconds as seconds: whole ones as an integer."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def _items(document: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any], str], _Item]) -> tuple[_Item, ...]:
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ScenarioError(name, "must be a list")
    for number, each in enumerate(value):
        if not isinstance(each, Mapping):
            raise ScenarioError(f"{name}[{number}]", "must be an object")
    return tuple(read(each, f"{name}[{number}]") for number, each in enumerate(value))


def _pause(value: Mapping[str, Any], place: str) -> Pause:
    _only(value, place, {"from", "to"})
    start, end = _instant(value.get("from"), f"{place}.from"), _instant_or_none(value.get("to"), f"{place}.to")
    if end is not None and end < start:
        raise ScenarioError(f"{place}.to", "lies before from")
    return start, end


def _change(value: Mapping[str, Any], place: str) -> Change:
    _only(value, place, {"at", "target_seconds", "from_start"})
    from_start = value.get("from_start", True)
    if not isinstance(from_start, bool):
        raise ScenarioError(f"{place}.from_start", "must be true or false")
    if "target_seconds" not in value:
        raise ScenarioError(f"{place}.target_seconds", "is missing")
    target = _target(value["target_seconds"], f"{place}.target_seconds")
    return Change(at=_instant(value.get("at"), f"{place}.at"), target_seconds=target, from_start=from_start)


def _level(value: Mapping[str, Any], place: str) -> Level:
    _only(value, place, {"percent", "seconds_before"})
    if len(value) != 1:
        raise ScenarioError(place, "needs either percent or seconds_before")
    ((name, number),) = value.items()
    if _number(number, f"{place}.{name}") < 0:
        raise ScenarioError(f"{place}.{name}", "must not be negative")
    return Level(percent=number) if name == "percent" else Level(seconds_before=number)


def _only(value: Mapping[str, Any], place: str, fields: set[str]) -> None:
    for unknown in sorted(set(map(str, value)) - fields):
        raise ScenarioError(f"{place}.{unknown}", f"is no field here; there are {', '.join(sorted(fields))}")


def _target(value: Any, place: str) -> float | None:
    if value is None:
        return None
    number = _number(value, place)
    if number < 0:
        raise ScenarioError(place, "must not be negative; null means no target")
    return number


def _number(value: Any, place: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -_LONGEST_SECONDS <= value <= _LONGEST_SECONDS:
        raise ScenarioError(place, f"must be a number, no larger than {_LONGEST_SECONDS}")
    return value


def _instant_or_none(value: Any, place: str) -> datetime | None:
    return None if value is None else _instant(value, place)


def _instant(value: Any, place: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        instant = None
    if instant is None:
        raise ScenarioError(place, "must be an instant such as 2026-06-01T09:00:00+02:00")
    if instant.tzinfo is None:
        raise ScenarioError(place, "has no offset from UTC; write 2026-06-01T09:00:00+02:00, or Z for UTC")
    if not _FIRST_YEAR <= instant.year < _LAST_YEAR:
        raise ScenarioError(place, f"must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return instant.astimezone(UTC)
