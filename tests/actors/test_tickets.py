"""The gateway's handler: receipts converge on the workflow's status, whatever the order."""

from __future__ import annotations

from typing import Any

import pytest

from baton.actors.handling import Delivery, delivery_of
from baton.actors.tickets import update_status
from baton.models import database, tickets
from baton.models.transaction import write_tx
from baton.pipelines.messages import UpdateGatewayStatus
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
COLUMNS = ("subject", "description", "category", "subcategory", "department", "priority")


@pytest.fixture
def numbers(databases: Any) -> list[str]:
    with write_tx("tickets") as tx:
        values = {
            **dict.fromkeys(COLUMNS, "x"),
            **dict.fromkeys(("employee_id", "employee_name", "employee_email"), ""),
            "sender": "service:ams",
            "source_service": "ams",
            "status": "Open",
            "submitted_at": tx.now,
            "updated_at": tx.now,
        }
        return [tickets.number_of(tickets.add_receipt(values)) for _ in range(2)]


def status(number: str, new_status: str, version: int | None) -> Delivery[UpdateGatewayStatus]:
    return delivery_of(UpdateGatewayStatus(ticket_id=number, status=new_status), version=version)


def handle(*deliveries: Delivery[Any]) -> list[str | None]:
    with write_tx("tickets") as tx:
        update_status.handle(tx, list(deliveries))
    return [delivery.refusal for delivery in deliveries]


def stored(number: str) -> tuple[str, int]:
    with database.read_tx("tickets"):
        receipt = tickets.find(number)
    assert receipt is not None
    return receipt.status, receipt.status_version


def test_a_batch_brings_every_receipt_its_newest_status(numbers: list[str]) -> None:
    first, second = numbers
    handle(status(first, "Assigned", 2), status(second, "In Triage", 1), status(first, "Pending", 1))
    handle(status(first, "Assigned", 2), status(first, "In Triage", 1))
    assert [stored(number) for number in numbers] == [("Assigned", 2), ("In Triage", 1)]


def test_a_foreign_status_without_a_version_applies(numbers: list[str]) -> None:
    handle(status(numbers[0], "Assigned", 2), status(numbers[0], "Resolved", None))
    assert stored(numbers[0]) == ("Resolved", 2)


def test_unknown_receipts_are_no_fault_and_unknown_statuses_are_refused(numbers: list[str]) -> None:
    refusals = handle(
        status("GW-99999999", "Closed", 1),
        status("HD-00000001", "Closed", 1),
        status("\x00", "Closed", 1),
        status(numbers[0], "Lost", 1),
        status(numbers[1], "Closed", 1),
    )
    assert [refusal is None for refusal in refusals] == [True, True, True, False, True]
    assert [stored(number)[0] for number in numbers] == ["Open", "Closed"]


def test_the_journey_tells_submission_and_status(numbers: list[str]) -> None:
    handle(status(numbers[0], "Assigned", 2))
    with database.read_tx("tickets"):
        events = tickets.journey(numbers[0])
        assert len(tickets.journey(numbers[1])) == 1
        assert tickets.journey("GW-99999999") == []
    assert [(event["event"], event["detail"]) for event in events] == [
        ("submitted", "by service:ams for ams"),
        ("status", "Assigned (version 2)"),
    ]
