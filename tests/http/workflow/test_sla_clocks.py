"""Reading clocks: what a ticket was promised, why, what is due soonest, and what a new ticket may expect."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from baton.actors.workflow import firing
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import OFFICE, clock, file, open_sla_office, pass_time, policy

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
HOUR = 3600


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the policy for everything."""
    return open_sla_office(client)


def test_a_tickets_clocks_say_when_they_are_due_why_and_what_fired(office: DesignOffice) -> None:
    file(office, "HD-1")
    pass_time(5 * HOUR)
    firing.fire_clocks("workflow")
    answer = office.call("GET", "/tickets/HD-1/sla")
    assert answer.status_code == 200, answer.text
    response, resolution = sorted(answer.json["clocks"], key=lambda each: each["metric"])
    assert (response["state"], response["is_overdue"], response["policy"]) == ("running", True, "Everything")
    assert [(each["kind"], each["level"]) for each in response["events"]] == [("warning", 1), ("breach", 0)]
    assert response["events"][1]["told"] == ["assignee", "manager"] and response["next_fire"] is None
    assert 4.9 * HOUR < response["consumed_seconds"] < 5.1 * HOUR
    assert -1.1 * HOUR < response["remaining_seconds"] < -0.9 * HOUR
    assert (resolution["is_overdue"], resolution["next_fire"]["kind"]) == (False, "warning")
    assert "'Everything' (rank 0) matches" in resolution["match_reason"]
    match = answer.json["matches"][0]
    assert (match["policy"], match["policy_version"], match["calendar"], match["mode"]) == ("Everything", 1, "Always", "start")


def test_an_explanation_has_every_line_as_json_text_and_picture(office: DesignOffice) -> None:
    file(office, "HD-1")
    number = clock("HD-1").id
    told = office.call("GET", f"/sla/clocks/{number}/explanation").json
    assert told["verdict"] == "running" and told["ticket_number"] == "HD-1"
    assert told["due_at"][:19] == told["clock"]["due_at"][:19]
    kinds = [line["what"] for line in told["timeline"]]
    assert kinds[0] == "start" and {"work", "due", "level"} <= set(kinds)
    assert [line["sum_seconds"] for line in told["timeline"] if line["what"] == "due"] == [8 * HOUR]
    assert len(told["text"]) == len(told["timeline"]) and any("due: the target is consumed" in line for line in told["text"])
    picture = office.client.simulate_get(told["picture"], headers={**_bearer()})
    assert picture.status_code == 200 and picture.headers["Content-Type"] == "image/svg+xml"
    assert "HD-1: resolution" in ET.fromstring(picture.text)[0].text


def test_clocks_are_seen_by_who_sees_the_ticket_and_unknown_ones_look_the_same(office: DesignOffice) -> None:
    file(office, "HD-1", category="Budget Proposal", department="Budget Department")
    number = clock("HD-1").id
    for path in ("/tickets/HD-1/sla", f"/sla/clocks/{number}/explanation", f"/sla/clocks/{number}/explanation.svg"):
        assert office.call("GET", path, who=COORDINATOR).status_code == 200
        assert office.call("GET", path, who=TECHNICIAN).status_code == 404
        assert office.call("GET", path, who=EMPLOYEE).status_code == 403
    hidden = office.call("GET", f"/sla/clocks/{number}/explanation", who=TECHNICIAN).json
    unknown = office.call("GET", "/sla/clocks/999999/explanation", who=TECHNICIAN).json
    assert hidden["detail"].replace(str(number), "N") == unknown["detail"].replace("999999", "N")
    assert office.call("GET", "/sla/clocks/x/explanation").status_code == 404
    assert office.call("GET", "/sla/at-risk", who=TECHNICIAN).json["items"] == []


def test_what_is_due_is_listed_by_due_time_page_by_page(office: DesignOffice) -> None:
    file(office, "HD-1")
    pass_time(5 * HOUR)
    file(office, "HD-2", "HD-3")
    pages, path = [], "/sla/at-risk?limit=2"
    following: str | None = ""
    while following is not None:
        answer = office.call("GET", path + (f"&cursor={following}" if following else ""))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json["items"])
        following = answer.json["next"]
    listed = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [item["due_at"] for item in listed] == sorted(item["due_at"] for item in listed)
    assert [(item["ticket_number"], item["metric"], item["is_overdue"]) for item in listed[:2]] == [
        ("HD-1", "first_response", True), ("HD-1", "resolution", False),
    ]  # fmt: skip
    assert listed[0]["subject"] and listed[0]["step"] == "Triage" and listed[0]["assignee"]
    assert len(office.call("GET", "/sla/at-risk?state=breached").json["items"]) == 1
    soon = office.call("GET", f"/sla/at-risk?state=at_risk&within_seconds={3 * HOUR + 60}").json["items"]
    assert [item["ticket_number"] for item in soon] == ["HD-1"]
    assert len(office.call("GET", "/sla/at-risk?metric=resolution").json["items"]) == 3
    assert office.call("GET", "/sla/at-risk?state=odd").status_code == 422
    assert office.call("GET", "/sla/at-risk?cursor=x").status_code == 400


def test_a_new_tickets_expectation_is_what_it_would_get(office: DesignOffice) -> None:
    path = "/sla/expectation?category=IT%20Support&department=IT%20Department&priority=Medium"
    for who in (EMPLOYEE, ADMIN, COORDINATOR):
        found = office.call("GET", path, who=who)
        assert found.status_code == 200, found.text
    assert (found.json["open_now"], found.json["policy"], found.json["calendar"]) == (True, "Everything", "Always")
    file(office, "HD-1")
    promised = datetime.fromisoformat(found.json["resolution_due"])
    got = clock("HD-1").due_at
    assert abs((got - promised).total_seconds()) < 60


def test_where_nothing_is_promised_the_expectation_is_empty(databases: Any, stub_broker: Any, client: Any) -> None:
    office = open_sla_office(client, policy(match={"priority": ["Critical"]}, calendar="Office"))
    found = office.call("GET", "/sla/expectation?priority=Low", who=EMPLOYEE).json
    assert (found["open_now"], found["first_response_due"], found["policy"]) == (False, None, None)
    assert "no policy matches" in found["reason"]
    found = office.call("GET", "/sla/expectation?priority=Critical", who=EMPLOYEE).json
    assert found["calendar"] == "Office" and found["first_response_due"]
    assert OFFICE["time_zone"] == "Europe/Berlin"


def _bearer() -> dict[str, str]:
    from tests.factories import bearer

    return bearer(ADMIN)
