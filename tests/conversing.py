"""News of tickets as the workflow side tells them to the conversation service; every value is complete and valid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from baton.actors.handling import Delivery, delivery_of
from baton.models.database import service_database
from baton.pipelines.messages import FollowTicket, TellTicketEvent
from tests.factories import EMPLOYEE


def followed(number: str, version: int | None = 1, **changes: Any) -> Delivery[Any]:
    """Return the news of a ticket of EMPLOYEE's that user 31 works on, whose step belongs to the IT Managers."""
    content: dict[str, Any] = {
        "ticket_number": number,
        "subject": "The printer is jammed",
        "status": "Open",
        "requester": {"employee_id": EMPLOYEE.id, "user_id": None, "email": EMPLOYEE.email, "name": EMPLOYEE.name},
        "owner": "2",
        "participants": ["2", "31"],
        "assignees": [{"user_id": "31", "name": "Mia Manager", "step": "Resolve"}],
        "roles": ["tts:IT Manager"],
        **changes,
    }
    return delivery_of(FollowTicket(**content), version=version, ticket_number=number)


def happened(number: str, event_id: str, **changes: Any) -> Delivery[Any]:
    """Return the news of something that happened to a ticket, for staff only."""
    content: dict[str, Any] = {
        "ticket_number": number,
        "event_id": event_id,
        "kind": "sla_warning",
        "text": "First response is due in 30 minutes",
        "happened_at": "2026-06-01T08:00:00+00:00",
        **changes,
    }
    return delivery_of(TellTicketEvent(**content), ticket_number=number)


@contextmanager
def counted(service: str) -> Iterator[list[str]]:
    """Give the list of the statements that the service's database is sent within the block."""
    database: Any = service_database(service).obj
    found: list[str] = []
    run = database.execute_sql

    def note(sql: str, params: Any = None) -> Any:
        found.append(sql)
        return run(sql, params)

    database.execute_sql = note
    try:
        yield found
    finally:
        del database.execute_sql
