"""Quiet hours: when a person is not mailed, by the clock on their wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """
    Every day from minute `start` to minute `end` of the day (over midnight when `end` is not after it; never when they are
    equal), and the whole of `days` (0 is Monday). At least one day of the week is not quiet.
    """

    start: int = 0
    end: int = 0
    days: frozenset[int] = frozenset()


#: Nobody is mailed about work at night or at a weekend unless they want it so.
STAFF_QUIET = Quiet(start=18 * 60, end=8 * 60, days=frozenset({5, 6}))
NEVER_QUIET = Quiet()


def is_zone(name: str) -> bool:
    """Whether the tz database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name; UTC when the tz database has it no more."""
    return ZoneInfo(name) if is_zone(name) else ZoneInfo("UTC")


def is_quiet(quiet: Quiet, time_zone: str, at: datetime) -> bool:
    """Whether the person is not mailed at this instant."""
    local = at.astimezone(zone_of(time_zone))
    return local.weekday() in quiet.days or _in_hours(quiet, local)


def end_of_quiet(quiet: Quiet, time_zone: str, at: datetime) -> datetime:
    """Return the first instant from `at` on, in UTC, at which the person may be mailed."""
    zone = zone_of(time_zone)
    while is_quiet(quiet, time_zone, at):
        local = at.astimezone(zone)
        if local.weekday() in quiet.days:
            wall = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=1)
        else:
            wall = local.replace(hour=quiet.end // 60, minute=quiet.end % 60, second=0, microsecond=0, fold=0)
            if quiet.end <= local.hour * 60 + local.minute:
                wall += timedelta(days=1)
        following = wall.astimezone(UTC)
        # Where the clock is set back, the wall shows this time twice; the first may be over.
        at = following if following > at else wall.replace(fold=1).astimezone(UTC)
    return at.astimezone(UTC)


def _in_hours(quiet: Quiet, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    if quiet.start == quiet.end:
        return False
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end
