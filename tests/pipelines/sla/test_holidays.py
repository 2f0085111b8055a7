"""Closed days of countries and of iCalendar files."""

from __future__ import annotations

import pytest

from baton.pipelines.sla.calendars import read_calendar
from baton.pipelines.sla.holidays import HolidayError, closed_from_country, countries
from baton.pipelines.sla.ics import closed_from_ics


def ics(*events: str) -> str:
    blocks = [f"BEGIN:VEVENT\nUID:{number}\nSUMMARY:Day off\n{event}\nEND:VEVENT" for number, event in enumerate(events)]
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", *blocks, "END:VCALENDAR"]).replace("\n", "\r\n")


def closed(*events: str, years: tuple[int, ...] = (2026,)) -> list[dict[str, str]]:
    entries = closed_from_ics(ics(*events), "Europe/Berlin", years)
    read_calendar({"time_zone": "Europe/Berlin", "windows": "always", "closed": entries})
    return [{name: value for name, value in entry.items() if name != "name"} for entry in entries]


def test_a_country_closes_on_its_public_holidays() -> None:
    days = closed_from_country("DE", [2026], language="en_US")
    assert {"on": "2026-05-14", "name": "Ascension Day"} in days
    assert {"on": "2026-12-25", "name": "Christmas Day"} in days
    assert [day["on"] for day in days] == sorted(day["on"] for day in days)
    read_calendar({"time_zone": "Europe/Berlin", "windows": "always", "closed": days})


def test_a_subdivision_has_holidays_of_its_own() -> None:
    epiphany = "2026-01-06"
    assert epiphany in {day["on"] for day in closed_from_country("DE", [2026], subdivision="BY")}
    assert epiphany not in {day["on"] for day in closed_from_country("DE", [2026])}
    assert "BY" in countries()["DE"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"country": "XX", "years": [2026]}, "country: .* such as DE"),
        ({"country": "DE", "years": [2026], "subdivision": "QQ"}, "subdivision: DE has no 'QQ'; there are .*BY"),
        ({"country": "DE", "years": [2026], "language": "xx"}, "language: .*en_US"),
        ({"country": "DE", "years": []}, "years"),
        ({"country": "DE", "years": range(1990, 2090)}, "years: no more than"),
        ({"country": "DE", "years": [1066]}, "years: must lie"),
    ],
)
def test_what_is_not_known_is_told_with_a_remedy(arguments, message) -> None:
    with pytest.raises(HolidayError, match=message):
        closed_from_country(**arguments)


def test_an_all_day_event_closes_its_day() -> None:
    assert closed("DTSTART;VALUE=DATE:20260514\nDTEND;VALUE=DATE:20260515") == [{"on": "2026-05-14"}]
    assert closed("DTSTART;VALUE=DATE:20260514") == [{"on": "2026-05-14"}]


def test_the_end_of_a_longer_event_is_the_day_after_its_last() -> None:
    assert closed("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20270102") == [{"from": "2026-12-24", "to": "2027-01-01"}]
    assert closed("DTSTART;VALUE=DATE:20261224\nDURATION:P3D") == [{"from": "2026-12-24", "to": "2026-12-26"}]


def test_a_plain_yearly_event_is_closed_every_year() -> None:
    assert closed("DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY") == [{"on": "12-25", "every": "year"}]
    over_new_year = "DTSTART;VALUE=DATE:20201224\nDTEND;VALUE=DATE:20210102\nRRULE:FREQ=YEARLY"
    assert closed(over_new_year) == [{"from": "12-24", "to": "01-01", "every": "year"}]
    half = "DTSTART;TZID=Europe/Berlin:20201224T120000\nDTEND;TZID=Europe/Berlin:20201224T180000\nRRULE:FREQ=YEARLY"
    assert closed(half) == [{"on": "12-24", "every": "year", "start": "12:00", "end": "18:00"}]


def test_other_repetitions_become_the_dates_they_have_in_the_years() -> None:
    fourth_thursday = "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"
    assert closed(fourth_thursday, years=(2026, 2027)) == [{"on": "2026-11-26"}, {"on": "2027-11-25"}]
    until = "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;UNTIL=20261231"
    assert closed(until, years=(2026, 2027, 2028)) == [{"on": "2026-12-25"}]
    excepted = "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20261225"
    assert closed(excepted, years=(2026, 2027)) == [{"on": "2027-12-25"}]
    not_begun = "DTSTART;VALUE=DATE:20270601\nRRULE:FREQ=YEARLY"
    assert closed(not_begun, years=(2026, 2027)) == [{"on": "2027-06-01"}]


def test_a_timed_event_closes_that_part_on_the_calendars_wall_clock() -> None:
    assert closed("DTSTART:20260601T100000Z\nDTEND:20260601T113000Z") == [{"on": "2026-06-01", "start": "12:00", "end": "13:30"}]
    assert closed("DTSTART:20260601T100000\nDTEND:20260601T110030") == [{"on": "2026-06-01", "start": "10:00", "end": "11:01"}]
    night = "DTSTART;TZID=Europe/Berlin:20260601T220000\nDTEND;TZID=Europe/Berlin:20260603T060000"
    assert closed(night) == [{"on": "2026-06-01", "start": "22:00"}, {"on": "2026-06-02"}, {"on": "2026-06-03", "end": "06:00"}]


def test_a_cancelled_event_closes_nothing_and_one_shown_as_free_does() -> None:
    cancelled = "DTSTART;VALUE=DATE:20260514\nSTATUS:CANCELLED"
    assert closed(cancelled, "DTSTART;VALUE=DATE:20260515\nTRANSP:TRANSPARENT") == [{"on": "2026-05-15"}]


def test_the_same_day_twice_is_closed_once_and_keeps_its_name() -> None:
    day = "DTSTART;VALUE=DATE:20260514"
    assert closed_from_ics(ics(day, day), "UTC", [2026]) == [{"on": "2026-05-14", "name": "Day off"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "no iCalendar file"),
        ("", "no events|no iCalendar"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "no events"),
        (ics("DTSTART:soon"), "event 'Day off': DTSTART cannot be read"),
        (ics("DESCRIPTION:no start"), "event 'Day off': DTSTART"),
        (ics("DTSTART;VALUE=DATE:20260514\nDTEND;VALUE=DATE:20260501"), "ends before it starts"),
        (ics("DTSTART;VALUE=DATE:20260514\nDTEND:20260515T100000Z"), "starts with a day and ends with a time"),
        (ics("DTSTART:20260514T100000\nDTEND:20260515T100000Z"), "time zone"),
        (ics("DTSTART:20260514T100000Z\nRRULE:FREQ=SECONDLY"), "oftener than daily"),
        (ics("DTSTART;VALUE=DATE:20260514\nRRULE:FREQ=SOMETIMES"), "RRULE cannot be read"),
        (ics("DTSTART;VALUE=DATE:20000101\nRRULE:FREQ=DAILY"), "more than .* closed ranges"),
        ("x" * 2_000_001, "larger than"),
    ],
)
def test_what_cannot_be_used_is_told_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(HolidayError, match=message):
        closed_from_ics(text, "UTC", range(2020, 2030))
