"""Calendars: what is read, what is refused and how it is named, what is closed when."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from baton.pipelines.sla.calendars import (
    EPOCH_ORDINAL,
    CalendarError,
    calendar_from_text,
    open_minutes,
    read_calendar,
    write_calendar,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
WEEK: dict[str, Any] = {"time_zone": "Europe/Berlin", "windows": {day: [["09:00", "17:00"]] for day in WEEKDAYS}}


def opens(day: str, windows: Any = WEEK["windows"], **changed: Any) -> list[str]:
    calendar = read_calendar(WEEK | {"windows": windows} | changed)
    minutes = open_minutes(calendar, date.fromisoformat(day).toordinal() - EPOCH_ORDINAL)
    return [f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in minutes]


def test_windows_open_on_their_weekdays() -> None:
    assert opens("2026-06-01") == ["09:00-17:00"]
    assert opens("2026-06-06") == []
    assert opens("2026-06-06", "always") == ["00:00-24:00"]


def test_overlapping_and_touching_windows_are_one() -> None:
    assert opens("2026-06-01", {"mon": [["13:00", "17:00"], ["09:00", "12:00"], ["11:00", "13:00"]]}) == ["09:00-17:00"]


def test_a_window_whose_end_is_not_after_its_start_runs_into_the_next_day() -> None:
    night = {"mon": [["22:00", "06:00"]]}
    assert opens("2026-06-01", night) == ["22:00-24:00"]
    assert opens("2026-06-02", night) == ["00:00-06:00"]
    assert opens("2026-06-01", {"sun": [["22:00", "06:00"]]}) == ["00:00-06:00"]


def test_a_window_whose_end_is_its_start_is_a_whole_day_long() -> None:
    assert opens("2026-06-01", {"mon": [["08:00", "08:00"]]}) == ["08:00-24:00"]
    assert opens("2026-06-02", {"mon": [["08:00", "08:00"]]}) == ["00:00-08:00"]
    assert opens("2026-06-01", {"mon": [["00:00", "00:00"]]}) == ["00:00-24:00"]
    assert opens("2026-06-01", {"mon": [["00:00", "24:00"]]}) == ["00:00-24:00"]


def test_a_closed_range_closes_its_own_date_also_for_the_window_of_the_evening_before() -> None:
    night, closed = {"mon": [["22:00", "06:00"]], "tue": [["22:00", "06:00"]]}, [{"on": "2026-06-02"}]
    assert opens("2026-06-01", night, closed=closed) == ["22:00-24:00"]
    assert opens("2026-06-02", night, closed=closed) == []
    assert opens("2026-06-03", night, closed=closed) == ["00:00-06:00"]


@pytest.mark.parametrize(
    ("closed", "day", "expected"),
    [
        ({"on": "2026-06-01"}, "2026-06-01", []),
        ({"on": "2026-06-01"}, "2027-06-01", ["09:00-17:00"]),
        ({"on": "06-01", "every": "year"}, "2027-06-01", []),
        ({"on": "2026-06-01", "start": "12:00"}, "2026-06-01", ["09:00-12:00"]),
        ({"on": "2026-06-01", "end": "12:00"}, "2026-06-01", ["12:00-17:00"]),
        ({"on": "2026-06-01", "start": "12:00", "end": "13:00"}, "2026-06-01", ["09:00-12:00", "13:00-17:00"]),
        ({"on": "2026-06-01", "start": "18:00"}, "2026-06-01", ["09:00-17:00"]),
        ({"on": "2026-06-01", "start": "12:00", "end": "00:00"}, "2026-06-01", ["09:00-12:00"]),
        ({"from": "2026-05-29", "to": "2026-06-01", "start": "12:00"}, "2026-06-01", ["09:00-12:00"]),
        ({"from": "2026-05-29", "to": "2026-06-01"}, "2026-06-02", ["09:00-17:00"]),
        ({"from": "12-24", "to": "01-01", "every": "year"}, "2026-12-31", []),
        ({"from": "12-24", "to": "01-01", "every": "year"}, "2027-01-01", []),
        ({"from": "12-24", "to": "01-01", "every": "year"}, "2026-12-23", ["09:00-17:00"]),
        ({"from": "2025-12-24", "to": "2026-01-01"}, "2026-01-01", []),
        ({"on": "02-29", "every": "year"}, "2028-02-29", []),
        ({"on": "02-29", "every": "year"}, "2027-03-01", ["09:00-17:00"]),
        ({"from": "02-29", "to": "03-01", "every": "year"}, "2027-03-01", []),
        ({"from": "02-29", "to": "03-01", "every": "year"}, "2028-02-28", ["09:00-17:00"]),
    ],
)
def test_closed_ranges(closed: dict[str, str], day: str, expected: list[str]) -> None:
    assert opens(day, closed=[closed]) == expected


def test_a_calendar_is_written_as_it_was_read() -> None:
    document = WEEK | {
        "closed": [
            {"on": "2026-05-14", "name": "Ascension Day"},
            {"from": "12-24", "to": "01-01", "every": "year"},
            {"on": "02-29", "every": "year", "start": "12:00", "end": "13:30"},
        ]
    }
    assert write_calendar(read_calendar(document)) == document
    assert write_calendar(read_calendar({"time_zone": "UTC", "windows": "always"})) == {"time_zone": "UTC", "windows": "always"}


def test_the_same_text_gives_the_same_calendar() -> None:
    text = json.dumps(WEEK)
    assert calendar_from_text(text) is calendar_from_text(text)
    assert calendar_from_text(text) == read_calendar(WEEK)
    with pytest.raises(CalendarError, match="calendar: is not JSON"):
        calendar_from_text("{")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"time_zone": None}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "nul\0"}, "time_zone"),
        ({"time_zone": 5}, "time_zone"),
        ({"windows": None}, "windows"),
        ({"windows": "sometimes"}, "windows"),
        ({"windows": {"monday": []}}, "windows.monday"),
        ({"windows": {"mon": "09:00-17:00"}}, "windows.mon"),
        ({"windows": {"mon": [["09:00"]]}}, "windows.mon[0]"),
        ({"windows": {"mon": ["09:00"]}}, "windows.mon[0]"),
        ({"windows": {"mon": [["9:00", "17:00"]]}}, "windows.mon[0][0]"),
        ({"windows": {"mon": [["09:00", "17:60"]]}}, "windows.mon[0][1]"),
        ({"windows": {"mon": [["09:00", "25:00"]]}}, "windows.mon[0][1]"),
        ({"windows": {"mon": [["24:00", "06:00"]]}}, "windows.mon[0][0]"),
        ({"windows": {"mon": [["09:00:30", "17:00"]]}}, "windows.mon[0][0]"),
        ({"windows": {"mon": [["٠٩:٠٠", "17:00"]]}}, "windows.mon[0][0]"),
        ({"closed": {}}, "closed"),
        ({"closed": ["2026-12-25"]}, "closed[0]"),
        ({"closed": [{"on": "2026-12-25"}] * 2_001}, "closed"),
        ({"closed": [{}]}, "closed[0]"),
        ({"closed": [{"on": "2026-12-25", "to": "2026-12-26"}]}, "closed[0]"),
        ({"closed": [{"from": "2026-12-25"}]}, "closed[0].to"),
        ({"closed": [{"on": "2026-02-29"}]}, "closed[0].on"),
        ({"closed": [{"on": "12-25"}]}, "closed[0].on"),
        ({"closed": [{"on": "2026-12-25", "every": "year"}]}, "closed[0].on"),
        ({"closed": [{"on": "02-30", "every": "year"}]}, "closed[0].on"),
        ({"closed": [{"on": "12-25", "every": "month"}]}, "closed[0].every"),
        ({"closed": [{"from": "2026-12-25", "to": "2026-12-24"}]}, "closed[0].to"),
        ({"closed": [{"on": "2026-12-25", "start": "noon"}]}, "closed[0].start"),
        ({"closed": [{"on": "2026-12-25", "start": "12:00", "end": "11:00"}]}, "closed[0].end"),
        ({"closed": [{"on": "2026-12-25", "start": "24:00"}]}, "closed[0].end"),
        ({"closed": [{"on": "2026-12-25", "name": 5}]}, "closed[0].name"),
        ({"closed": [{"on": "2026-12-25", "note": "x"}]}, "closed[0].note"),
        ({"holidays": []}, "holidays"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(CalendarError) as caught:
        read_calendar(WEEK | changed)
    assert caught.value.field == field


@pytest.mark.parametrize("document", [None, [], "always"])
def test_what_is_no_object_is_no_calendar(document: Any) -> None:
    with pytest.raises(CalendarError, match="calendar: must be an object"):
        read_calendar(document)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"windows": {}}, "windows"),
        ({"windows": {"mon": []}}, "windows"),
        ({"closed": [{"from": "01-01", "to": "12-31", "every": "year"}]}, "closed"),
        ({"closed": [{"from": "01-01", "to": "12-31", "every": "year", "start": "08:00", "end": "17:00"}]}, "closed"),
        (
            {"closed": [{"from": "01-01", "to": "06-30", "every": "year"}, {"from": "07-01", "to": "12-31", "every": "year"}]},
            "closed",
        ),
        ({"closed": [{"from": "0001-01-01", "to": "9999-12-31"}]}, "closed"),
        ({"closed": [{"from": "0001-01-01", "to": "2026-12-31"}, {"from": "2027-01-01", "to": "9999-12-31"}]}, "closed"),
    ],
)
def test_a_calendar_without_any_working_time_is_refused(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(CalendarError, match="no working time at all") as caught:
        read_calendar(WEEK | changed)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "closed",
    [
        [{"from": "03-01", "to": "02-28", "every": "year"}],  # open on 29 February only
        [{"from": "01-01", "to": "12-31", "every": "year", "start": "08:00", "end": "16:59"}],
        [{"from": "2000-01-01", "to": "9999-12-31"}],
    ],
)
def test_a_calendar_with_hardly_any_working_time_is_taken(closed: list[dict[str, str]]) -> None:
    read_calendar(WEEK | {"closed": closed})


def test_many_ranges_of_every_year_over_one_another_cost_no_more_than_one() -> None:
    ranges = [{"from": "01-01", "to": "12-30", "every": "year", "start": "10:00", "end": "11:00"}] * 2_000
    calendar = read_calendar(WEEK | {"closed": ranges})
    assert set(calendar.yearly.values()) == {((600, 660),)}
