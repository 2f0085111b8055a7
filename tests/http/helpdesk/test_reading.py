"""Reading at the help desk: one's own only, alike for unknown and forbidden, pages without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falcon.testing import TestClient

from baton.models import database
from tests.factories import ADMIN, COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, SERVICE, TECHNICIAN, bearer, ticket_body

PATH = "/api/v1/tickets"


@pytest.fixture
def desk(client: Callable[[str], TestClient]) -> Iterator[TestClient]:
    yield client("helpdesk")


def file(desk: TestClient, principal: Any = EMPLOYEE, **changes: Any) -> str:
    return str(desk.simulate_post(PATH, json=ticket_body(**changes), headers=bearer(principal)).json["ticket_number"])


def numbers(desk: TestClient, principal: Any = COORDINATOR, **params: Any) -> list[str]:
    answer = desk.simulate_get(PATH, params=params, headers=bearer(principal))
    assert answer.status_code == 200, answer.text
    return [item["ticket_number"] for item in answer.json["items"]]


def test_employees_see_their_own_tickets_and_the_help_desk_all(desk: TestClient) -> None:
    own, others = file(desk), file(desk, OTHER_EMPLOYEE)
    assert numbers(desk, EMPLOYEE) == [own]
    assert numbers(desk, EMPLOYEE, employee_id=OTHER_EMPLOYEE.id) == []
    for principal in (COORDINATOR, ADMIN, SERVICE):
        assert numbers(desk, principal) == [others, own]
    assert desk.simulate_get(PATH, headers=bearer(TECHNICIAN)).status_code == 403
    assert desk.simulate_get(PATH).status_code == 401


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("GET", "/history"), ("POST", "/withdraw"), ("POST", "/reopen")])
def test_somebody_elses_ticket_answers_exactly_as_one_that_does_not_exist(desk: TestClient, method: str, rest: str) -> None:
    number = file(desk, OTHER_EMPLOYEE)
    missing = ("HD-99999999", "HD-1", "hd-000000001", "GW-00000001", "HD-" + "9" * 18, "x", "HD-0000000\u0661")
    answers = []
    for one in (number, *missing):
        body = {"json": {}} if method == "POST" else {}
        answer = desk.simulate_request(method, f"{PATH}/{one}{rest}", headers=bearer(EMPLOYEE), **body)
        answers.append((answer.status_code, {**answer.json, "trace_id": None}))
    assert answers == [answers[0]] * len(answers)
    assert answers[0][0] == 404


def test_a_number_is_found_in_whatever_case(desk: TestClient) -> None:
    number = file(desk)
    assert desk.simulate_get(f"{PATH}/{number.lower()}", headers=bearer(EMPLOYEE)).json["ticket_number"] == number


def test_lists_are_filtered(desk: TestClient) -> None:
    first = file(desk, priority="High", department="IT Department")
    second = file(desk, category="Budget Proposal", department="Budget Department")
    third = file(desk, OTHER_EMPLOYEE, priority="High", department="")
    assert numbers(desk, priority="High") == [third, first]
    assert numbers(desk, category="Budget Proposal") == [second]
    assert numbers(desk, department="") == [third]
    assert numbers(desk, status="Open", priority="High", employee_id=EMPLOYEE.id) == [first]
    assert numbers(desk, status="Closed") == []
    assert numbers(desk, sort="submitted_at") == [first, second, third]
    now = database.now("helpdesk")
    assert numbers(desk, filed_from=(now - timedelta(hours=1)).isoformat(), filed_to=now.isoformat()) == [third, second, first]
    assert numbers(desk, filed_from=now.isoformat()) == []
    assert numbers(desk, filed_to=datetime(2020, 1, 1, tzinfo=UTC).isoformat()) == []


@pytest.mark.parametrize(
    "params",
    [
        {"status": "Lost"},
        {"priority": "Urgent"},
        {"sort": "subject"},
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
        {"filed_from": "2026-01-01T00:00:00"},
        {"owner": "1"},
    ],
)
def test_conditions_that_are_not_offered_are_refused(desk: TestClient, params: dict[str, str]) -> None:
    answer = desk.simulate_get(PATH, params=params, headers=bearer(COORDINATOR))
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("sort", ["submitted_at", "-submitted_at"])
def test_pages_have_every_ticket_once(desk: TestClient, sort: str) -> None:
    filed = [file(desk) for _ in range(7)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 3, "sort": sort}
    while True:
        answer = desk.simulate_get(PATH, params=params, headers=bearer(EMPLOYEE)).json
        seen += [item["ticket_number"] for item in answer["items"]]
        if answer["next"] is None:
            break
        params["cursor"] = answer["next"]
    assert seen == (filed if sort == "submitted_at" else filed[::-1])


def test_a_list_leaves_the_descriptions_out(desk: TestClient) -> None:
    file(desk)
    item = desk.simulate_get(PATH, headers=bearer(EMPLOYEE)).json["items"][0]
    assert "description" not in item
    assert item["subject"]
