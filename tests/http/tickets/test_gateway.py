"""The submission gateway: contracts' body in, a receipt out, seen by its sender only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.tickets import Receipt
from baton.pipelines.permissions import Principal
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, TECHNICIAN, bearer, gateway_body

AMS = Principal("service", "ams", "ams")
BMS = Principal("service", "bms", "bms")


@pytest.fixture
def gateway(client: Callable[[str], TestClient]) -> Iterator[TestClient]:
    yield client("tickets")


def send(gateway: TestClient, principal: Principal = AMS, body: dict[str, Any] | None = None, **headers: str) -> Result:
    return gateway.simulate_post("/send/", json=body or gateway_body(), headers={**bearer(principal), **headers})


def outbox() -> list[dict[str, Any]]:
    with database.read_tx("tickets"):
        return list(runtime_tables("tickets").Outbox.select().dicts())


def stored() -> int:
    with database.read_tx("tickets"):
        return int(Receipt.select().count())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_submission_is_answered_with_its_receipt_and_queued(client: Callable[[str], TestClient]) -> None:
    gateway = client("tickets")
    body = gateway_body(description="\U0001f600\r\n", asset_name="Laptop", cost_items={"a": "1.00"}, requested_budget="1.00")
    answer = send(gateway, body=body)
    assert (answer.status_code, answer.json["ticket_number"], answer.json["status"]) == (201, "GW-00000001", "Open")
    (row,) = outbox()
    ticket = json.loads(row["kwargs"])["payload"]["ticket"]
    assert row["queue"] == "TICKET_TASKS_PRODUCTION"
    assert {key: ticket[key] for key in body} == body
    assert (ticket["ticket_number"], ticket["gateway"]) == ("GW-00000001", True)


def test_the_receipt_is_found_with_and_without_the_last_slash(gateway: TestClient) -> None:
    sent = send(gateway)
    for path in ("/send/GW-00000001/", "/send/GW-00000001", sent.headers["location"]):
        assert gateway.simulate_get(path, headers=bearer(AMS)).json == sent.json


def test_a_receipt_is_its_senders_and_the_coordinators(gateway: TestClient) -> None:
    number = send(gateway).json["ticket_number"]
    unknown = gateway.simulate_get("/send/GW-99999999/", headers=bearer(BMS))
    for stranger in (BMS, EMPLOYEE, TECHNICIAN):
        answer = gateway.simulate_get(f"/send/{number}/", headers=bearer(stranger))
        assert (answer.status_code, answer.json["detail"]) == (404, unknown.json["detail"])
        assert gateway.simulate_get("/send/", headers=bearer(stranger)).json["items"] == []
    assert gateway.simulate_get(f"/send/{number}/", headers=bearer(COORDINATOR)).status_code == 200
    assert len(gateway.simulate_get("/send/", headers=bearer(COORDINATOR)).json["items"]) == 1


def test_own_receipts_are_listed_newest_first_by_status(gateway: TestClient) -> None:
    numbers = [send(gateway).json["ticket_number"] for _ in range(3)]
    send(gateway, BMS)
    listed = gateway.simulate_get("/send/", params={"limit": 2}, headers=bearer(AMS)).json
    rest = gateway.simulate_get("/send/", params={"cursor": listed["next"]}, headers=bearer(AMS)).json
    assert [item["ticket_number"] for item in listed["items"] + rest["items"]] == numbers[::-1]
    assert gateway.simulate_get("/send/", params={"status": "Closed"}, headers=bearer(AMS)).json["items"] == []
    assert gateway.simulate_get("/send/", params={"status": "Lost"}, headers=bearer(AMS)).status_code == 422


def test_the_same_idempotency_key_is_one_submission_per_sender(gateway: TestClient) -> None:
    body = gateway_body()
    first, again = (send(gateway, body=body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert send(gateway, BMS, body, **{"Idempotency-Key": "k"}).json["ticket_number"] != first.json["ticket_number"]
    assert stored() == len(outbox()) == 2


def test_without_a_token_nothing_is_taken(gateway: TestClient) -> None:
    assert gateway.simulate_post("/send/", json=gateway_body()).status_code == 401
    wrong = gateway.simulate_post("/send/", json=gateway_body(), headers={"Authorization": "Bearer x.y.z"})
    assert (wrong.status_code, wrong.json["title"]) == (401, "invalid token")
    assert stored() == 0


@pytest.mark.parametrize("missing", ["subject", "category", "employee", "source_service"])
def test_what_is_missing_is_named(gateway: TestClient, missing: str) -> None:
    body = {key: value for key, value in gateway_body().items() if key != missing}
    answer = send(gateway, body=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [missing]


@pytest.mark.parametrize("field", ["status", "ticket_number", "sender", "gateway", "source"])
def test_nobody_sets_what_is_not_theirs_to_set(gateway: TestClient, field: str) -> None:
    assert send(gateway, body={**gateway_body(), field: "x"}).status_code == 422
    assert (stored(), outbox()) == (0, [])


def test_an_employee_submits_for_themselves(gateway: TestClient) -> None:
    assert send(gateway, EMPLOYEE).status_code == 201
    assert send(gateway, OTHER_EMPLOYEE).status_code == 403


def test_an_employee_id_may_be_a_number(gateway: TestClient) -> None:
    answer = send(gateway, body={**gateway_body(), "employee": {"id": 101, "name": "Eve", "email": "eve@example.com"}})
    assert answer.json["employee"]["id"] == "101"
    for wrong in (True, None, 1.5, "", [], -1):
        assert send(gateway, body={**gateway_body(), "employee": {"id": wrong}}).status_code == 422
