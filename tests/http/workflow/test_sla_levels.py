"""Calendars and policies over the API: versions, order, everything wrong named at once, overlaps, closed days."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from baton.models.workflow import SlaCalendarVersion, SlaPolicyVersion
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import ALWAYS, OFFICE, clock, file, open_sla_office, policy

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20260814
SUMMARY:Company outing
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the policy for everything."""
    return open_sla_office(client)


def named(office: DesignOffice, kind: str, name: str) -> dict[str, Any]:
    """Return the summary of a calendar or policy."""
    items = office.call("GET", f"/sla/{kind}?limit=200").json["items"]
    found: dict[str, Any] = next(item for item in items if item["name"] == name)
    return found


def test_a_policy_is_made_changed_under_its_etag_and_retired(office: DesignOffice) -> None:
    made = office.call("POST", "/sla/policies", {"definition": policy(name="Urgent", match={"priority": ["High"]}, rank=5)})
    assert (made.status_code, made.json["version"], made.headers["ETag"]) == (201, 1, '"1"')
    path = f"/sla/policies/{made.json['id']}"
    assert made.headers["Location"].endswith(path)
    assert office.call("POST", "/sla/policies", {"definition": policy(name="Urgent")}).status_code == 409
    changed = policy(name="Urgent", match={"priority": ["High"]}, rank=5, targets={"resolution": "2h"})
    answer = office.call("PUT", path, {"definition": changed}, If_Match='"1"')
    assert (answer.status_code, answer.json["version"]) == (200, 2)
    assert office.call("PUT", path, {"definition": changed}, If_Match='"1"').status_code == 412
    assert office.call("PUT", path, {"definition": changed}, If_Match='"2"').json["version"] == 2, "the same is no new version"
    assert office.call("PUT", path, {"definition": policy(name="Other")}).status_code == 422
    assert [each["number"] for each in office.call("GET", path).json["versions"]] == [2, 1]
    file(office, "HD-1", priority="High")
    assert clock("HD-1").target_seconds == 7200
    assert office.call("POST", f"{path}/retire").json["version"] is None
    file(office, "HD-2", priority="High")
    assert clock("HD-2").target_seconds == 8 * 3600
    assert office.call("GET", "/sla/policies?state=retired").json["items"][0]["name"] == "Urgent"


def test_everything_wrong_with_a_policy_is_named_at_once_and_nothing_is_stored(office: DesignOffice) -> None:
    before = SlaPolicyVersion.select().count()
    bad = policy(name="Bad", calendar="Nowhere", targets={"resolution": "soon"}, warnings=[{"percent": 200}], colour="red")
    answer = office.call("POST", "/sla/policies", {"definition": bad})
    assert answer.status_code == 422
    said = " ".join(error["message"] for error in answer.json["errors"])
    assert "targets.resolution" in said and "percent" in said and "colour" in said
    answer = office.call("POST", "/sla/policies", {"definition": policy(name="Bad", calendar="Nowhere")})
    assert [error["field"] for error in answer.json["errors"]] == ["definition.calendar"]
    assert office.call("POST", "/sla/policies", {}).status_code == 422
    assert office.call("POST", "/sla/policies", {"toml": "name = "}).json["errors"][0]["field"] == "toml"
    assert SlaPolicyVersion.select().count() == before


def test_policies_that_may_match_the_same_ticket_are_flagged(office: DesignOffice) -> None:
    office.call("POST", "/sla/policies", {"definition": policy(name="High", match={"priority": ["High"]}, rank=50)})
    judged = office.call(
        "POST", "/sla/policies/validate", {"definition": policy(name="IT", match={"category": ["IT Support"]}, rank=50)}
    ).json
    assert judged["is_usable"] is True
    assert {(fault["code"], fault["severity"]) for fault in judged["faults"]} == {
        ("overlap-same-rank", "warning"), ("overlap", "note"),
    }  # fmt: skip
    judged = office.call(
        "POST", "/sla/policies/validate", {"definition": policy(name="Low", match={"priority": ["Low"], "workflow": ["Nope"]})}
    ).json
    assert [fault["code"] for fault in judged["faults"]] == ["workflow-unknown", "overlap-same-rank"]


def test_the_order_of_policies_is_set_at_once_and_must_name_each_once(office: DesignOffice) -> None:
    for name in ("A", "B"):
        office.call("POST", "/sla/policies", {"definition": policy(name=name, targets={"resolution": "1h"})})
    refused = office.call("PUT", "/sla/policies/order", {"names": ["B", "B", "Nobody"]})
    assert refused.status_code == 422 and len(refused.json["errors"]) == 4
    ordered = office.call("PUT", "/sla/policies/order", {"names": ["B", "Everything", "A"]}).json["items"]
    assert [(each["name"], each["rank"]) for each in ordered] == [("B", 30), ("Everything", 20), ("A", 10)]
    assert office.call("GET", "/sla/expectation", who=EMPLOYEE).json["policy"] == "B"


def test_a_policy_is_exported_and_taken_in_as_toml(office: DesignOffice) -> None:
    shown = office.call("GET", f"/sla/policies/{named(office, 'policies', 'Everything')['id']}").json
    assert tomllib.loads(shown["toml"]) == shown["definition"]
    text = shown["toml"].replace('name = "Everything"', 'name = "Copy"', 1)
    made = office.call("POST", "/sla/policies", {"toml": text})
    assert made.status_code == 201 and made.json["definition"] == {**shown["definition"], "name": "Copy"}


def test_a_calendar_that_could_never_be_open_is_refused_with_every_fault(office: DesignOffice) -> None:
    never = {"time_zone": "Europe/Berlin", "windows": {}}
    answer = office.call("POST", "/sla/calendars", {"name": "Never", "definition": never})
    assert (answer.status_code, answer.json["errors"][0]["type"]) == (422, "no-working-time")
    bad = {"time_zone": "Mars/Olympus", "windows": {"mon": [["9", "17:00"]], "tue": 3}, "closed": [{}, {"on": "2026-02-30"}]}
    judged = office.call("POST", "/sla/calendars/validate", {"definition": bad}).json
    fields = [fault["where"] for fault in judged["faults"]]
    assert fields == ["time_zone", "windows.mon[0][0]", "windows.tue", "closed[0]", "closed[1].on"]
    assert SlaCalendarVersion.select().count() == 2


def test_a_calendars_next_version_is_for_new_tickets_and_its_users_keep_it_from_being_retired(office: DesignOffice) -> None:
    always = named(office, "calendars", "Always")
    path = f"/sla/calendars/{always['id']}"
    assert office.call("POST", f"{path}/retire").json["used_by"] == ["Everything"]
    shorter = {**ALWAYS, "closed": [{"from": "2026-01-01", "to": "2026-01-02"}]}
    answer = office.call("PUT", path, {"definition": shorter})
    assert (answer.status_code, answer.json["version"], answer.json["used_by"]) == (200, 2, ["Everything"])
    unused = named(office, "calendars", "Office")
    assert office.call("POST", f"/sla/calendars/{unused['id']}/retire").json["version"] is None


def test_public_holidays_and_icalendar_days_are_shown_first_and_stored_when_asked(office: DesignOffice) -> None:
    path = f"/sla/calendars/{named(office, 'calendars', 'Office')['id']}"
    body = {"country": "de", "subdivision": "BY", "years": [2026]}
    shown = office.call("POST", f"{path}/holidays", body).json
    assert {"on": "2026-01-06", "name": "Heilige Drei Könige"} in shown["added"] and shown["calendar"] is None
    assert office.call("GET", path).json["definition"] == OFFICE
    stored = office.call("POST", f"{path}/holidays", {**body, "save": True}).json
    assert stored["calendar"]["version"] == 2 and len(stored["added"]) == len(shown["added"])
    again = office.call("POST", f"{path}/holidays", {**body, "save": True}).json
    assert (again["added"], again["calendar"]) == ([], None)
    outing = office.call("POST", f"{path}/holidays", {"ics": ICS, "years": [2026], "save": True}).json
    assert outing["added"] == [{"on": "2026-08-14", "name": "Company outing"}]
    for wrong, field in (
        ({"country": "XX", "years": [2026]}, "country"),
        ({"country": "DE", "subdivision": "Nowhere", "years": [2026]}, "subdivision"),
        ({"ics": "hello", "years": [2026]}, "ics"),
        ({"years": [2026]}, "country"),
    ):
        answer = office.call("POST", f"{path}/holidays", wrong)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
    assert any(each["country"] == "DE" for each in office.call("GET", "/sla/countries").json["items"])


def test_staff_read_and_only_admins_write(office: DesignOffice) -> None:
    for path in ("/sla/calendars", "/sla/policies", "/sla/countries"):
        assert office.call("GET", path, who=TECHNICIAN).status_code == 200
        assert office.call("GET", path, who=EMPLOYEE).status_code == 403
    for who in (TECHNICIAN, COORDINATOR, EMPLOYEE):
        assert office.call("POST", "/sla/policies", {"definition": policy(name="X")}, who=who).status_code == 403
        assert office.call("POST", "/sla/calendars", {"name": "X", "definition": ALWAYS}, who=who).status_code == 403
    assert office.call("GET", "/sla/policies/999").status_code == 404
    assert json.loads(SlaPolicyVersion.get().definition)["name"] == "Everything"
