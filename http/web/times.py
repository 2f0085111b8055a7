"""Instants as people read them: in their zone and language, near ones by distance, with the exact instant beside."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from baton.http.web.texts import Catalogue

_STEPS = (("day", 86400), ("hour", 3600), ("minute", 60))


@functools.lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    """Return whether there is a zone of this name."""
    return bool(name) and (name == "UTC" or zone_of(name).key == name)


def parse(value: str | datetime | None) -> datetime | None:
    """Return an instant that a service told, None for none."""
    if value is None or isinstance(value, datetime):
        return value
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def exact(moment: datetime, zone: str, texts: Catalogue) -> str:
    """Return the instant to the minute: `Thu 20 Nov 2026, 14:05 CET`."""
    local = moment.astimezone(zone_of(zone))
    day, month = texts.text(f"day.{local.weekday()}"), texts.text(f"month.{local.month}")
    name = local.tzname() or "UTC"
    return f"{day} {local.day} {month} {local.year}, {local:%H:%M} {name}"


def near(moment: datetime, now: datetime, zone: str, texts: Catalogue) -> str:
    """Return how far an instant is from now, where that is less than a week; else its date."""
    seconds = (moment - now).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return texts.text("time.now")
    if distance >= 7 * 86400:
        local = moment.astimezone(zone_of(zone))
        return f"{local.day} {texts.text(f'month.{local.month}')} {local.year}"
    for unit, size in _STEPS:
        if distance >= size or unit == "minute":
            count = max(1, round(distance / size))
            return texts.text(f"time.{'ago' if seconds < 0 else 'in'}_{unit}", count=count)
    raise AssertionError


def element(value: str | datetime | None, now: datetime, zone: str, texts: Catalogue) -> Markup:
    """Return a `time` element: near in words, exact on hover, exact for machines. Nothing for no instant."""
    moment = parse(value)
    if moment is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="seconds"), exact(moment, zone, texts), near(moment, now, zone, texts)
    )
