"""Filing at the help desk: stored byte for byte, queued in the same transaction, once per intent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from baton.models import database
from baton.models.helpdesk.tables import Ticket
from baton.models.runtime import runtime_tables
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, SERVICE, TECHNICIAN, bearer, ticket_body

PATH = "/api/v1/tickets"
HOSTILE = {
    "emoji": "\U0001f9ef on \U0001f525",
    "zero width": "a\u200bb\u200d\ufeffc\u202edesrever",
    "line ends": "one\r\ntwo\rthree\n\n\tfour ",
    "markup": "<script>alert('x')</script> & \"quotes\" \\ backslash %s {0} ${x}",
    "combining": "e\u0301 is not \u00e9",
    "controls": "\x01\x1b[31m\x7f\u2028\u2029",
    "blanks around": "  \u00a0 text \u3000 ",
}


@pytest.fixture
def desk(client: Callable[[str], TestClient]) -> Iterator[TestClient]:
    yield client("helpdesk")


def file(desk: TestClient, body: dict[str, Any], principal: Any = EMPLOYEE, **headers: str) -> Result:
    return desk.simulate_post(PATH, json=body, headers={**bearer(principal), **headers})


def outbox() -> list[dict[str, Any]]:
    with database.read_tx("helpdesk"):
        return list(runtime_tables("helpdesk").Outbox.select().order_by(runtime_tables("helpdesk").Outbox.id).dicts())


def stored() -> int:
    with database.read_tx("helpdesk"):
        return int(Ticket.select().count())


def test_an_employee_files_a_ticket_of_their_own(desk: TestClient) -> None:
    answer = file(desk, ticket_body(subject="Printer"))
    assert (answer.status_code, answer.json["ticket_number"], answer.json["status"]) == (201, "HD-00000001", "Open")
    assert answer.headers["location"] == f"{PATH}/HD-00000001"
    assert answer.json["employee"] == {"id": EMPLOYEE.id, "name": EMPLOYEE.name, "email": EMPLOYEE.email}
    assert desk.simulate_get(f"{PATH}/HD-00000001", headers=bearer(EMPLOYEE)).json == answer.json


def test_the_ticket_and_its_message_are_one_transaction(desk: TestClient) -> None:
    body = ticket_body(asset_name="Laptop", requested_budget="12.50", cost_items={"Bag": "12.50"})
    number = file(desk, body).json["ticket_number"]
    (row,) = outbox()
    ticket = json.loads(row["kwargs"])["payload"]["ticket"]
    assert (row["queue"], row["name"]) == ("TICKET_TASKS_PRODUCTION", "tickets.tasks.receive_ticket")
    assert ticket["ticket_number"] == json.loads(row["envelope"])["ticket_number"] == number
    assert {key: ticket[key] for key in body} == body
    assert (ticket["status"], ticket["source_service"], ticket["employee"]["id"]) == ("Open", "hdts", EMPLOYEE.id)
    assert "gateway" not in ticket


def test_when_the_message_cannot_be_written_there_is_no_ticket(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.models.transaction import Transaction

    def fail(self: Transaction) -> bool:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Transaction, "flush", fail)
    assert file(desk, ticket_body()).status_code == 500
    assert (stored(), outbox()) == (0, [])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_text_is_stored_byte_for_byte(client: Callable[[str], TestClient], name: str) -> None:
    desk, text = client("helpdesk"), HOSTILE[name]
    number = file(desk, ticket_body(subject=text, description=text, category=text)).json["ticket_number"]
    read = desk.simulate_get(f"{PATH}/{number}", headers=bearer(EMPLOYEE)).json
    assert (read["subject"], read["description"], read["category"]) == (text, text, text)
    assert json.loads(outbox()[0]["kwargs"])["payload"]["ticket"]["description"] == text


def test_a_description_may_be_empty_or_very_long(desk: TestClient) -> None:
    for text in ("", "\U0001f600\r\n" * 30_000):
        number = file(desk, ticket_body(description=text)).json["ticket_number"]
        assert desk.simulate_get(f"{PATH}/{number}", headers=bearer(EMPLOYEE)).json["description"] == text


@pytest.mark.parametrize(
    "field", ["status", "ticket_number", "id", "owner", "employee_id", "submitted_at", "filed_by", "status_version", "gateway"]
)
def test_nobody_sets_what_is_not_theirs_to_set(desk: TestClient, field: str) -> None:
    for principal in (EMPLOYEE, COORDINATOR, SERVICE):
        answer = file(desk, ticket_body(**{field: "Closed"}), principal)
        assert answer.status_code == 422
        assert field in [error["field"] for error in answer.json["errors"]]
    assert stored() == 0


def test_all_wrong_fields_are_named_at_once(desk: TestClient) -> None:
    body = {"subject": " ", "priority": "Whenever", "requested_budget": 5, "cost_items": [], "expected_return_date": "soon"}
    answer = file(desk, body)
    assert answer.status_code == 422
    named = {error["field"] for error in answer.json["errors"]}
    assert named == {"subject", "category", "priority", "requested_budget", "cost_items", "expected_return_date"}


def test_what_only_the_rules_find_is_answered_alike(desk: TestClient) -> None:
    answer = file(desk, ticket_body(expected_return_date="2026-02-30", cost_items={"a": 2**70}))
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == {"expected_return_date", "cost_items"}


def test_urgent_is_taken_as_critical(desk: TestClient) -> None:
    assert file(desk, ticket_body(priority="Urgent")).json["priority"] == "Critical"


def test_services_and_coordinators_name_the_employee(desk: TestClient) -> None:
    for principal in (SERVICE, COORDINATOR, ADMIN):
        answer = file(desk, ticket_body(employee={"id": 7, "name": "Kim", "email": "kim@example.com"}), principal)
        assert (answer.status_code, answer.json["employee"]["id"]) == (201, "7")
        assert file(desk, ticket_body(), principal).status_code == 422


def test_an_employee_cannot_file_for_somebody_else_nor_claim_a_source(desk: TestClient) -> None:
    assert file(desk, ticket_body(employee={"id": OTHER_EMPLOYEE.id})).status_code == 403
    assert file(desk, ticket_body(source="forum", source_id="1")).status_code == 403
    own = file(desk, ticket_body(employee={"id": EMPLOYEE.id, "name": "Somebody Else"}))
    assert own.json["employee"]["name"] == EMPLOYEE.name


def test_who_may_not_file_is_told_so(desk: TestClient) -> None:
    assert file(desk, ticket_body(), TECHNICIAN).status_code == 403
    assert desk.simulate_post(PATH, json=ticket_body()).status_code == 401
    assert stored() == 0


def test_the_same_idempotency_key_is_one_ticket(desk: TestClient) -> None:
    body = ticket_body()
    first, again = (file(desk, body, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert file(desk, ticket_body(), **{"Idempotency-Key": "k1"}).status_code in (409, 422)
    assert (stored(), len(outbox())) == (1, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_source_reference_is_one_ticket(client: Callable[[str], TestClient]) -> None:
    desk = client("helpdesk")
    reference = {"source": "forum", "source_id": "1234", "employee": {"id": "7"}}
    first = file(desk, ticket_body(**reference), SERVICE)
    again = file(desk, ticket_body(**reference), SERVICE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert (stored(), len(outbox())) == (1, 1)
    found = desk.simulate_get(PATH, params={"source": "forum", "source_id": "1234"}, headers=bearer(SERVICE)).json
    assert [item["ticket_number"] for item in found["items"]] == [first.json["ticket_number"]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_tickets_filed_at_the_same_time_all_get_numbers_of_their_own(client: Callable[[str], TestClient]) -> None:
    desk = client("helpdesk")
    answers: list[Result] = []

    def some(worker: int) -> None:
        for turn in range(6):
            # Every other filing is one that all workers make: by its source reference it is one ticket.
            reference = f"shared-{turn}" if turn % 2 else f"own-{worker}-{turn}"
            body = ticket_body(source="forum", source_id=reference, employee={"id": "7"})
            answers.append(file(desk, body, SERVICE))

    threads = [threading.Thread(target=some, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json["ticket_number"] for answer in answers}) == 8 * 3 + 3
    assert [answer.status_code for answer in answers].count(201) == stored() == len(outbox()) == 27
