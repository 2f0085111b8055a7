"""Closed days for a calendar: a country's public holidays, or the events of an iCalendar text."""

from __future__ import annotations

import json
from typing import Any

from baton.http.api import Call, Conflict, Invalid, NotFound
from baton.http.workflow.sla_definition_views import CountryList, CountryView, HolidayBody, HolidayView
from baton.http.workflow.sla_levels import refuse_unusable, store_next
from baton.models.workflow import sla_editing_reading as reading
from baton.models.workflow.sla_editing_reading import CALENDARS
from baton.pipelines.sla.holidays import HolidayError, closed_from_country, countries
from baton.pipelines.sla.ics import closed_from_ics
from baton.pipelines.sla_editing import judge_calendar, with_closed


def add_holidays(call: Call, body: HolidayBody) -> HolidayView:
    """The calendar with these days closed too: shown, or stored as its next version."""
    reading.hold_levels(call.tx)
    number = call.integer("calendar_id")
    row = reading.find(CALENDARS, number)
    if row is None:
        raise NotFound(f"there is no calendar {number}")
    if row["definition"] is None:
        raise Conflict("the calendar is retired; store a version of it first")
    document = json.loads(row["definition"])
    changed, added = with_closed(document, closed_days(body, document["time_zone"]))
    refuse_unusable(judge_calendar(changed), "definition")
    stored = None
    if body.save and added:
        call.require_match(reading.newest_number(CALENDARS, number))
        stored = store_next(call, CALENDARS, row, changed).body
    return HolidayView(definition=changed, added=added, calendar=stored)


def list_countries(call: Call) -> CountryList:
    """The countries whose public holidays are known."""
    return CountryList(items=[CountryView(country=name, subdivisions=found) for name, found in countries().items()])


def closed_days(body: HolidayBody, time_zone: str) -> list[dict[str, Any]]:
    """Return the closed ranges that a body asks for. Raises Invalid."""
    if (body.country is None) == (body.ics is None):
        raise Invalid.of("country", "give either country or ics")
    field = "ics" if body.ics is not None else "country"
    try:
        if body.ics is not None:
            return closed_from_ics(body.ics, time_zone, body.years)
        country = (body.country or "").upper()
        return closed_from_country(country, body.years, subdivision=body.subdivision, language=body.language)
    except HolidayError as error:
        name, _, said = str(error).partition(": ")
        known = name if name in ("country", "subdivision", "language", "years") else field
        raise Invalid.of(known, said if known == name else str(error), "holidays") from None
