"""Calendars: when work is done. Listed, shown as a week, changed by new versions, closed on holidays, retired."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from baton.http.console.admin.asking import answerable, ask_first, refusal, refused
from baton.http.console.admin.calendar_forms import closed_line, document_of, errors_by_field, fields_of
from baton.http.console.admin.changes import CALENDAR, Wanted, look
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.sla.calendar_fields import WEEKDAYS

_LIST = "/admin/calendars"
_API = "/api/v1/sla/calendars"
_NEW: dict[str, Any] = {
    "time_zone": "",
    "windows": {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]},
    "closed": [],
}


def list_calendars(visit: Visit) -> Shown:
    """Calendars, those in force and those retired."""
    found = visit.api.get("workflow", _API, **visit.filters("state", "cursor"))
    return Shown("admin/calendars.html", {"calendars": found["items"], "next": found["next"]})


def show_calendar(visit: Visit) -> Shown:
    """One calendar: its week, its closed days, its versions, and who counts in it."""
    return _page(visit, {})


def new(visit: Visit) -> Shown:
    """The form for a new calendar."""
    return _form(visit, None, {**fields_of(_NEW), "name": ""}, {})


def edit(visit: Visit) -> Shown:
    """The form, filled with the version in force, or the newest where the calendar is retired."""
    found = _found(visit)
    return _form(visit, found, fields_of(found["definition"] or found["versions"][0]["definition"]), {})


def change(visit: Visit) -> Shown | Go:
    """What the calendar would do, as it is typed: nothing is stored before that was seen."""
    found = _found(visit) if "calendar" in visit.params else None
    fields = {name: visit.form.get(name) for name in ("name", "time_zone", "always", "closed", *WEEKDAYS)}
    document, wrong = document_of(fields, visit.t("admin.unreadable"))
    name = fields["name"].strip() if found is None else found["name"]
    if wrong or not name:
        wrong |= {} if name else {"name": visit.t("form.missing")}
        return _form(visit, found, fields, {"trouble": visit.t("form.look"), "wrong": wrong}, 422)
    try:
        return look(visit, _wanted(found, name, document))
    except ServiceRefusedError as error:
        errors = errors_by_field(answerable(error).fields, document)
        if not errors:
            return _form(visit, found, fields, refusal(visit, error), error.status)
        trouble = errors.pop("", "") or visit.t("form.look")
        return _form(visit, found, fields, {"trouble": trouble, "wrong": errors}, error.status)


def retire(visit: Visit) -> Shown | Go:
    """No policy may name the calendar from now on."""
    title, back = visit.t("admin.retire"), _here(visit)
    asked = ask_first(visit, title, visit.t("admin.retire_calendar_text", name=visit.form.get("name")), back)
    if asked is not None:
        return asked
    try:
        visit.api.post("workflow", f"{_API}/{_id(visit)}/retire")
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(back, "admin.retired_now")


def holidays(visit: Visit) -> Shown | Go:
    """Which days a country or a file would close; then what that would do, as with any other change."""
    body = _holiday_body(visit)
    try:
        found = visit.api.post("workflow", f"{_API}/{_id(visit)}/holidays", body)
        if visit.form.get("do") == "take" and found["added"]:
            calendar = _found(visit)
            return look(visit, _wanted(calendar, calendar["name"], found["definition"]))
    except ServiceRefusedError as error:
        return _page(visit, refusal(visit, error), error.status)
    kept = [(name, str(value)) for name, value in body.items() if name != "years"]
    kept += [("years", ",".join(map(str, body["years"])))]
    return _page(visit, {"added": [closed_line(each) for each in found["added"]], "kept": kept})


def _holiday_body(visit: Visit) -> dict[str, Any]:
    upload = next(visit.form.uploads("file"), None)
    ics = upload.data.decode(errors="replace") if upload is not None else visit.form.get("ics")
    years = [int(each) for each in visit.form.get("years").replace(" ", "").split(",") if each.isdecimal() and len(each) == 4]
    named = {"ics": ics} if ics else visit.form.filled("country", "subdivision")
    return {**named, "years": years}


def _wanted(found: dict[str, Any] | None, name: str, document: dict[str, Any]) -> Wanted:
    if found is None:
        return Wanted(CALENDAR, name, document)
    return Wanted(CALENDAR, name, document, str(found["id"]), str(found["versions"][0]["number"]))


def _page(visit: Visit, more: dict[str, Any], status: int = 200) -> Shown:
    found, countries = visit.api.together(
        lambda: _found(visit),
        lambda: visit.api.get("workflow", "/api/v1/sla/countries")["items"],
    )
    shown = found["definition"] or found["versions"][0]["definition"]
    values = {"calendar": found, "definition": shown, "countries": countries, "added": None, "kept": (), "wrong": {}}
    values |= {"trouble": "", "weekdays": WEEKDAYS, "closed": [closed_line(each) for each in shown.get("closed") or ()]}
    return Shown("admin/calendar.html", {**values, **more}, status=status)


def _form(visit: Visit, found: Any, fields: dict[str, str], more: dict[str, Any], status: int = 200) -> Shown:
    values = {"calendar": found, "fields": fields, "weekdays": WEEKDAYS, "zones": sorted(available_timezones())}
    return Shown("admin/calendar_form.html", {**values, "trouble": "", "wrong": {}, **more}, status=status)


def _found(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = visit.api.get("workflow", f"{_API}/{_id(visit)}")
    return found


def _id(visit: Visit) -> str:
    return quote(visit.params["calendar"], safe="")


def _here(visit: Visit) -> str:
    return f"{_LIST}/{_id(visit)}"


_ONE = f"{_LIST}/{{calendar}}"
PAGES = (
    Page("GET", _LIST, list_calendars, ADMIN),
    Page("GET", f"{_LIST}/new", new, ADMIN),
    Page("POST", f"{_LIST}/new", change, ADMIN),
    Page("GET", _ONE, show_calendar, ADMIN),
    Page("GET", f"{_ONE}/edit", edit, ADMIN),
    Page("POST", f"{_ONE}/edit", change, ADMIN),
    Page("POST", f"{_ONE}/retire", retire, ADMIN),
    Page("POST", f"{_ONE}/holidays", holidays, ADMIN),
)
