"""Withdrawing and reopening: shown at once, put to the workflow side, settled by its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from baton.actors.handling import delivery_of
from baton.actors.helpdesk import send_ticket_status
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.messages import SendTicketStatus
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, SERVICE, bearer, ticket_body

PATH = "/api/v1/tickets"


@pytest.fixture
def desk(client: Callable[[str], TestClient]) -> Iterator[TestClient]:
    yield client("helpdesk")


@pytest.fixture
def number(desk: TestClient) -> str:
    return str(desk.simulate_post(PATH, json=ticket_body(), headers=bearer(EMPLOYEE)).json["ticket_number"])


def ask(desk: TestClient, number: str, wish: str, principal: Any = EMPLOYEE, **body: Any) -> Result:
    return desk.simulate_post(f"{PATH}/{number}/{wish}", json=body, headers=bearer(principal))


def told() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    table = runtime_tables("helpdesk").Outbox
    with database.read_tx("helpdesk"):
        rows = list(table.select().order_by(table.id))
    return [(row.name, json.loads(row.kwargs), json.loads(row.envelope)) for row in rows]


def news(number: str, status: str, version: int | None, trace_id: str = "another") -> None:
    with write_tx("helpdesk") as tx:
        message = SendTicketStatus(ticket_id=number, new_status=status)
        send_ticket_status.handle(tx, [delivery_of(message, version=version, trace_id=trace_id)])


def state(desk: TestClient, number: str) -> tuple[str, str | None]:
    read = desk.simulate_get(f"{PATH}/{number}", headers=bearer(EMPLOYEE)).json
    return read["status"], read["pending_request"]


def test_a_withdrawal_shows_at_once_and_tells_the_workflow_side_the_whole_ticket(desk: TestClient, number: str) -> None:
    answer = ask(desk, number, "withdraw", reason="It works again.")
    assert (answer.status_code, answer.json["status"], answer.json["pending_request"]) == (200, "Withdrawn", "withdraw")
    name, fields, envelope = told()[-1]
    assert (name, envelope["ticket_number"], fields["reason"]) == ("workflow.withdraw_ticket", number, "It works again.")
    assert fields["request_id"] == envelope["trace_id"]
    filed = told()[0][1]["payload"]
    assert fields["payload"] == filed


def test_a_request_needs_no_body(desk: TestClient, number: str) -> None:
    answer = desk.simulate_post(f"{PATH}/{number}/withdraw", headers=bearer(EMPLOYEE))
    assert (answer.status_code, answer.json["status"], told()[-1][1]["reason"]) == (200, "Withdrawn", "")


def test_asking_twice_is_one_request(desk: TestClient, number: str) -> None:
    assert ask(desk, number, "withdraw").json == ask(desk, number, "withdraw").json
    assert len(told()) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_news_that_crossed_the_withdrawal_do_not_undo_it(client: Callable[[str], TestClient]) -> None:
    desk = client("helpdesk")
    number = desk.simulate_post(PATH, json=ticket_body(), headers=bearer(EMPLOYEE)).json["ticket_number"]
    news(number, "Pending", 1)
    ask(desk, number, "withdraw")
    request_id = told()[-1][1]["request_id"]
    news(number, "Assigned", 2)
    assert state(desk, number) == ("Withdrawn", "withdraw")
    news(number, "Withdrawn", 3, request_id)
    assert state(desk, number) == ("Withdrawn", None)
    news(number, "Assigned", 2)
    assert state(desk, number) == ("Withdrawn", None)


def test_a_refusal_brings_the_true_status_back(desk: TestClient, number: str) -> None:
    ask(desk, number, "withdraw")
    request_id = told()[-1][1]["request_id"]
    news(number, "Resolved", 4, "another")
    assert state(desk, number) == ("Withdrawn", "withdraw")
    news(number, "Resolved", 5, request_id)
    assert state(desk, number) == ("Resolved", None)


def test_a_change_of_mind_before_the_answer_counts(desk: TestClient, number: str) -> None:
    ask(desk, number, "withdraw")
    assert ask(desk, number, "reopen").json["status"] == "Open"
    withdrawal, reopening = told()[-2:]
    assert (withdrawal[2]["version"], reopening[2]["version"]) == (1, 2)
    # The workflow side read the reopening first: it refuses that (the ticket is open) and ignores the older withdrawal.
    news(number, "Assigned", 3, reopening[1]["request_id"])
    assert state(desk, number) == ("Assigned", None)


def test_a_withdrawn_ticket_is_reopened(desk: TestClient, number: str) -> None:
    ask(desk, number, "withdraw")
    news(number, "Withdrawn", 1, told()[-1][1]["request_id"])
    reopened = ask(desk, number, "reopen", COORDINATOR, reason="Broken again.")
    assert (reopened.status_code, reopened.json["status"], reopened.json["pending_request"]) == (200, "Open", "reopen")
    name, fields, _ = told()[-1]
    assert (name, fields["payload"]["ticket"]["ticket_number"]) == ("workflow.reopen_ticket", number)
    news(number, "Assigned", 2, fields["request_id"])
    assert state(desk, number) == ("Assigned", None)


def test_what_does_not_fit_the_status_is_a_conflict(desk: TestClient, number: str) -> None:
    assert ask(desk, number, "reopen").status_code == 409
    news(number, "Closed", 1)
    answer = ask(desk, number, "withdraw")
    assert (answer.status_code, answer.json["ticket_status"]) == (409, "Closed")
    assert len(told()) == 1


def test_who_may_ask(desk: TestClient, number: str) -> None:
    assert ask(desk, number, "withdraw", SERVICE).status_code == 403
    assert ask(desk, number, "withdraw", COORDINATOR).status_code == 200


def test_the_history_tells_who_did_what(desk: TestClient, number: str) -> None:
    news(number, "Assigned", 1)
    ask(desk, number, "withdraw", reason="No longer needed.")
    items = desk.simulate_get(f"{PATH}/{number}/history", headers=bearer(EMPLOYEE)).json["items"]
    assert [(item["event"], item["from_status"], item["to_status"], item["actor"]) for item in items] == [
        ("filed", None, "Open", EMPLOYEE.subject),
        ("status", "Open", "Assigned", "workflow"),
        ("withdraw", "Assigned", "Withdrawn", EMPLOYEE.subject),
    ]
    assert (items[1]["version"], items[2]["reason"]) == (1, "No longer needed.")


def test_a_reason_that_cannot_be_stored_is_refused(desk: TestClient, number: str) -> None:
    assert ask(desk, number, "withdraw", reason="\x00").status_code == 422
    assert ask(desk, number, "withdraw", status="Closed").status_code == 422
    assert state(desk, number) == ("Open", None)
