"""The help desk's handlers: statuses and people converge, in batches, whatever the order; nothing foreign breaks them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.actors.handling import Delivery, delivery_of
from baton.actors.helpdesk import send_ticket_status, sync_employee, sync_hdts_user
from baton.http.helpdesk.filing import file_ticket
from baton.models import database
from baton.models.helpdesk import journey, tickets
from baton.models.helpdesk.tables import Employee, HdtsUser, Ticket, TicketHistory
from baton.models.transaction import write_tx
from baton.pipelines.filing import Draft, Person
from baton.pipelines.messages import SendTicketStatus, SyncEmployee, SyncHdtsUser
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def filed(count: int = 1) -> list[str]:
    draft = Draft(subject="It is broken", category="IT Support", employee=Person(id="101"))
    with write_tx("helpdesk") as tx:
        return [file_ticket(tx, draft, filed_by="test").ticket.number for _ in range(count)]


def status(number: str, new_status: str, version: int | None) -> Delivery[SendTicketStatus]:
    return delivery_of(SendTicketStatus(ticket_id=number, new_status=new_status), version=version)


def employee(version: int | None, **changes: Any) -> Delivery[SyncEmployee]:
    person = {"id": 7, "email": "a@example.com", "full_name": "A", "department": "IT Department", "is_active": True}
    return delivery_of(SyncEmployee(payload={"employee": {**person, **changes}}), version=version)


def handle(actor: Any, *deliveries: Delivery[Any]) -> list[str | None]:
    with write_tx("helpdesk") as tx:
        actor.handle(tx, list(deliveries))
    return [delivery.refusal for delivery in deliveries]


def stored(number: str) -> tuple[str, int]:
    with database.read_tx("helpdesk"):
        ticket = tickets.find(number)
    assert ticket is not None
    return ticket.status, ticket.status_version


def rows(table: Any) -> list[dict[str, Any]]:
    with database.read_tx("helpdesk"):
        return list(table.select().order_by(table.id).dicts())


def test_a_batch_brings_every_ticket_its_newest_status(databases: Any) -> None:
    first, second, third = filed(3)
    handle(
        send_ticket_status,
        status(first, "In Triage", 1),
        status(second, "Pending", 1),
        status(first, "Assigned", 2),
        status(second, "Assigned", 2),
    )
    assert [stored(number) for number in (first, second, third)] == [("Assigned", 2), ("Assigned", 2), ("Open", 0)]
    changes = [(row["ticket"], row["from_status"], row["to_status"], row["version"]) for row in rows(TicketHistory)]
    assert changes == [
        (1, "Open", "In Triage", 1),
        (2, "Open", "Pending", 1),
        (1, "In Triage", "Assigned", 2),
        (2, "Pending", "Assigned", 2),
    ]


def test_statuses_out_of_order_or_twice_leave_the_newest(databases: Any) -> None:
    (number,) = filed()
    handle(send_ticket_status, status(number, "Resolved", 5), status(number, "In Progress", 4))
    handle(send_ticket_status, status(number, "Resolved", 5), status(number, "Assigned", 3))
    assert stored(number) == ("Resolved", 5)
    assert len(rows(TicketHistory)) == 1


def test_a_foreign_status_without_a_version_applies(databases: Any) -> None:
    (number,) = filed()
    handle(send_ticket_status, status(number, "Assigned", 2), status(number, "In Progress", None))
    assert stored(number) == ("In Progress", 2)
    handle(send_ticket_status, status(number, "Resolved", 3))
    assert stored(number) == ("Resolved", 3)


def test_statuses_of_unknown_tickets_are_no_fault(databases: Any) -> None:
    (number,) = filed()
    strangers = [status(name, "Assigned", 1) for name in ("HD-99999999", "GW-00000001", "OLD-17", "", "\x00")]
    assert handle(send_ticket_status, *strangers, status(number, "Assigned", 1)) == [None] * 6
    assert stored(number) == ("Assigned", 1)


def test_a_status_that_does_not_exist_is_refused_and_the_others_go_on(databases: Any) -> None:
    (number,) = filed()
    refusals = handle(send_ticket_status, status(number, "Lost", 2), status(number, "Assigned", 1))
    assert (refusals[0] is not None and "Lost" in refusals[0], refusals[1]) == (True, None)
    assert stored(number) == ("Assigned", 1)


def test_a_crash_before_the_commit_leaves_nothing(databases: Any) -> None:
    (number,) = filed()
    with pytest.raises(RuntimeError), write_tx("helpdesk") as tx:
        send_ticket_status.handle(tx, [status(number, "Assigned", 1)])
        raise RuntimeError("killed")
    assert stored(number) == ("Open", 0)
    assert rows(TicketHistory) == []


def test_an_empty_batch_of_usable_messages_writes_nothing(databases: Any) -> None:
    assert handle(send_ticket_status, status("HD-00000001", "Lost", 1)) != [None]
    nameless = delivery_of(SyncEmployee(payload={"employee": {}}))
    assert handle(sync_employee, nameless) == ["id: is missing, or no id of at most 200 characters"]
    assert rows(Ticket) == []


def test_the_journey_tells_filing_and_changes_in_order(databases: Any) -> None:
    (number,) = filed()
    handle(send_ticket_status, status(number, "Assigned", 1))
    with database.read_tx("helpdesk"):
        events = journey(number)
        assert journey("HD-99999999") == journey("GW-00000001") == []
    assert [(event["service"], event["event"], event["detail"]) for event in events] == [
        ("helpdesk", "filed", "Open by test"),
        ("helpdesk", "status", "Open -> Assigned (version 1) by workflow"),
    ]


def test_employees_follow_the_register_and_older_news_are_ignored(databases: Any) -> None:
    handle(sync_employee, employee(2, full_name="New"), employee(1, full_name="Old"), employee(1, id=8))
    handle(sync_employee, employee(1, full_name="Older"))
    assert [(row["id"], row["full_name"], row["version"]) for row in rows(Employee)] == [("7", "New", 2), ("8", "A", 1)]
    handle(sync_employee, employee(3, is_active=False))
    assert [row["is_active"] for row in rows(Employee)] == [False, True]


def test_a_foreign_employee_without_a_version_applies_and_keeps_the_version(databases: Any) -> None:
    handle(sync_employee, employee(5))
    handle(sync_employee, employee(None, full_name="Foreign"))
    handle(sync_employee, employee(4, full_name="Late"))
    assert [(row["full_name"], row["version"]) for row in rows(Employee)] == [("Foreign", 5)]


def test_staff_are_kept_with_the_role_that_counts_and_all_roles(databases: Any) -> None:
    user = {"id": 3, "email": "c@example.com", "full_name": "C", "role": "Admin", "roles": ["Admin", "Employee"]}
    assert handle(sync_hdts_user, delivery_of(SyncHdtsUser(payload={"user": user}), version=1)) == [None]
    gone = {**user, "role": None, "roles": [], "is_active": False}
    (before,) = rows(HdtsUser)
    handle(sync_hdts_user, delivery_of(SyncHdtsUser(payload={"user": gone}), version=2))
    (after,) = rows(HdtsUser)
    assert (before["role"], json.loads(before["roles"]), before["is_active"]) == ("Admin", ["Admin", "Employee"], True)
    assert (after["role"], json.loads(after["roles"]), after["is_active"]) == (None, [], False)


def test_unreadable_people_are_refused_and_the_others_stored(databases: Any) -> None:
    wrong = delivery_of(SyncEmployee(payload={"employee": {"id": 1, "email": 5}}))
    assert handle(sync_employee, wrong, employee(1)) == ["email: must be text", None]
    assert [row["id"] for row in rows(Employee)] == ["7"]
