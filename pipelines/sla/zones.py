"""Offsets of time zones: from when to when a zone is how far from UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MS = 24 * 60 * 60 * 1000
#: Length of a block, the piece of time that is worked out at once and kept. Longer: a first answer takes longer. Shorter: far
#: targets pass more blocks.
BLOCK_MS = 28 * DAY_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How far apart a zone is asked. Two switches of a zone always lie further apart (a test looks at the whole tz database).
PROBE_SECONDS = 48 * 60 * 60

#: [start, end) in milliseconds UTC since 1970, and the offset of the wall clock in between, in milliseconds.
Segment = tuple[int, int, int]


@lru_cache(maxsize=8192)
def segments(time_zone: str, block: int) -> tuple[Segment, ...]:
    """Return the pieces of a block, in order and without gaps, in which a zone keeps one offset."""
    zone = ZoneInfo(time_zone)
    start, end = block * BLOCK_MS // 1000, (block + 1) * BLOCK_MS // 1000
    found: list[Segment] = []
    begun, offset = start, _offset(zone, start)
    for probe in range(start, end, PROBE_SECONDS):
        later = _offset(zone, probe + PROBE_SECONDS)
        if later == offset:
            continue
        switch = _switch(zone, probe, probe + PROBE_SECONDS, offset)
        if switch < end:
            found.append((begun * 1000, switch * 1000, offset * 1000))
            begun, offset = switch, later
    found.append((begun * 1000, end * 1000, offset * 1000))
    return tuple(found)


def _switch(zone: ZoneInfo, before: int, after: int, offset: int) -> int:
    """Return the first second after `before` at which the zone has another offset."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    assert offset is not None  # a zone of the tz database always has one
    return offset.days * 86400 + offset.seconds
