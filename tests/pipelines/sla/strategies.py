"""Hypothesis strategies: calendars and scenarios as JSON, near the switches of many zones, everything on whole minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Zones with switches of an hour, of half an hour and of two, at midnight, in Ramadan, with a skipped day, and odd offsets;
#: each with days near which something happens there.
ZONES = {
    "Australia/Lord_Howe": ["2026-04-04", "2026-10-03"],
    "Asia/Kathmandu": ["1985-12-31", "2026-06-01"],
    "Pacific/Chatham": ["2026-04-04", "2026-09-26"],
    "Pacific/Apia": ["2011-12-29", "2012-03-31"],
    "Africa/Casablanca": ["2026-02-14", "2026-03-21"],
    "Antarctica/Troll": ["2026-03-28", "2026-10-24"],
    "Europe/Berlin": ["2026-03-28", "2026-10-24", "2025-12-23", "2028-02-28"],
    "America/New_York": ["2026-03-07", "2026-10-31"],
    "America/Sao_Paulo": ["2018-02-17", "2018-11-03"],
    "UTC": ["2026-12-30"],
}

times = st.one_of(
    st.sampled_from(["00:00", "00:30", "01:30", "02:00", "02:30", "03:00", "09:00", "12:00", "17:00", "23:00"]),
    st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
)
windows = st.one_of(
    st.just("always"),
    st.dictionaries(st.sampled_from(WEEKDAYS), st.lists(st.tuples(times, times).map(list), max_size=3), min_size=1),
)


def _minutes(low: int, high: int) -> st.SearchStrategy[timedelta]:
    return st.integers(low, high).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def closed_ranges(draw: st.DrawFn, around: datetime) -> dict[str, str]:
    """A closed range within some days of an instant."""
    first = (around + timedelta(days=draw(st.integers(-2, 6)))).date()
    last = first + timedelta(days=draw(st.integers(0, 12)))
    yearly = draw(st.booleans())
    written = (lambda day: f"{day:%m-%d}") if yearly else (lambda day: day.isoformat())
    closed = {"on": written(first)} if draw(st.booleans()) else {"from": written(first), "to": written(last)}
    closed |= {"every": "year"} if yearly else {}
    start, end = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    closed |= {"start": start} if draw(st.booleans()) else {}
    return closed | ({"end": end} if end != "00:00" and draw(st.booleans()) else {})


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario, often near a switch of its zone, with pauses, changes, levels, a stop and a question as it comes."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    day = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))).replace(tzinfo=UTC)
    start = day + draw(_minutes(-2880, 2880))
    later = _minutes(-60, 7 * 1440).map(lambda passed: start + passed)
    seconds = st.one_of(st.integers(0, 3600 * 30), st.integers(0, 40).map(lambda hours: hours * 3600))
    calendar: dict[str, Any] = {"time_zone": zone, "windows": draw(windows)}
    if draw(st.booleans()):
        calendar["closed"] = draw(st.lists(closed_ranges(start), max_size=3))
    scenario = {
        "calendar": calendar,
        "started_at": start,
        "target_seconds": draw(st.one_of(st.none(), seconds, seconds, seconds)),
    }
    pauses = [sorted(pair) for pair in draw(st.lists(st.tuples(later, later), max_size=4))]
    scenario["pauses"] = [{"from": begun, "to": ended} for begun, ended in pauses]
    if pauses and draw(st.integers(0, 3)) == 0:
        scenario["pauses"][-1]["to"] = None
    changes = st.fixed_dictionaries({"at": later, "target_seconds": st.one_of(st.none(), seconds), "from_start": st.booleans()})
    scenario["changes"] = draw(st.lists(changes, max_size=2, unique_by=lambda change: change["at"]))
    percents = st.sampled_from([0, 25, 50, 75, 100, 150]).map(lambda percent: {"percent": percent})
    scenario["levels"] = draw(st.lists(st.one_of(percents, seconds.map(lambda before: {"seconds_before": before})), max_size=3))
    scenario |= {name: draw(later) for name in ("stopped_at", "as_of") if draw(st.booleans())}
    return _as_json(scenario)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
