"""The conversation service's handlers, called directly on its own tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.actors.handling import Delivery
from baton.actors.messaging.rooms import follow_ticket, tell_ticket_event
from baton.models import database
from baton.models.messaging import Entry, Room
from baton.models.transaction import write_tx
from tests.conversing import followed, happened


class Hall:
    """Rooms, and what is in their streams."""

    def follow(self, number: str, version: int | None, **changes: Any) -> list[Delivery[Any]]:
        """Tell of a ticket."""
        deliveries = [followed(number, version, **changes)]
        self.handle(follow_ticket, deliveries)
        return deliveries

    def tell(self, number: str, event_id: str, **changes: Any) -> list[Delivery[Any]]:
        """Tell of an event."""
        deliveries = [happened(number, event_id, **changes)]
        self.handle(tell_ticket_event, deliveries)
        return deliveries

    def handle(self, actor: Any, deliveries: list[Delivery[Any]]) -> None:
        """Have a handler handle deliveries in one transaction."""
        with write_tx("messaging") as tx:
            actor.handle(tx, deliveries)

    def room(self, number: str) -> Room:
        """Return a room."""
        found: Room = Room.get(Room.ticket_number == number)
        return found

    def stream(self, number: str) -> list[tuple[int, str | None, str]]:
        """Return number, event kind and visibility of a ticket's entries."""
        rows = Entry.select().where(Entry.ticket_number == number).order_by(Entry.number)
        return [(row.number, row.event_kind, row.visibility) for row in rows]


@pytest.fixture
def hall(databases: Any, stub_broker: Any) -> Iterator[Hall]:
    """The conversation service without any room."""
    with database.connection("messaging"):
        yield Hall()
