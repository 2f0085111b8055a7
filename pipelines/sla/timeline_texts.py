"""The words of an explanation: durations, times on a wall clock, levels, changes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from baton.pipelines.sla.clocks import Change, Level
from baton.pipelines.sla.scenarios import seconds_of
from baton.pipelines.sla.working_time import to_datetime


def local_text(instant_ms: int, zone: ZoneInfo) -> str:
    """Return an instant on a zone's wall clock, with its offset."""
    local = to_datetime(instant_ms).astimezone(zone)
    return local.isoformat(timespec="milliseconds" if instant_ms % 1000 else "seconds")


def duration_text(milliseconds: int) -> str:
    """Return a duration in words: `2 h 30 min`, `45 s`, `0.5 s`."""
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts + [f"{seconds_of(rest)} s"] * (rest > 0 or not parts))


def target_text(seconds: float) -> str:
    """Return seconds as a duration in words."""
    return duration_text(round(seconds * 1000))


def change_text(change: Change) -> str:
    """Return what a change does, in words."""
    if change.target_seconds is None:
        return "no target any more: the clock ends"
    counted = "from the start" if change.from_start else "from here"
    return f"the target becomes {target_text(change.target_seconds)}, counted {counted}"


def level_text(level: Level) -> str:
    """Return a level in words."""
    if level.seconds_before is not None and level.seconds_before < 0:
        return f"level {target_text(-level.seconds_before)} after due"
    if level.seconds_before is not None:
        return f"level {target_text(level.seconds_before)} before due"
    return f"level {level.percent:g} %"


def span_text(start: int, end: int, zone: ZoneInfo) -> str:
    """Return a span within one date on the wall clock: `Mon 2026-06-01 09:00 to 17:00`."""
    first, last = (to_datetime(instant).astimezone(zone) for instant in (start, end))
    day = first.strftime("%a %Y-%m-%d")
    closes = "24:00" if last.date() > first.date() and (last.hour, last.minute, last.second) == (0, 0, 0) else _time(last)
    return f"{day} {_time(first)} to {closes}"


def _time(local: datetime) -> str:
    if local.microsecond:
        return local.time().isoformat(timespec="milliseconds")
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
