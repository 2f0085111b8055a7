"""The workflow side with its roles, people and workflows, and the messages it sends itself carried at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from baton.actors.handling import Delivery, delivery_of
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import Member, Role, Task, TaskItem, TicketSnapshot, TriageEntry, WaitingEntry
from baton.pipelines.messages import CATALOGUE, ReceiveTicket, SyncRole, SyncUserSystemRole
from tests.actors.workflow.clock_desk import clocks
from tests.actors_of import every_actor
from tests.factories import sync_grant, sync_role, ticket_data

__all__ = ["clocks"]

ADMIN, COORDINATOR, MANAGER = "1", "2", "3"


class Desk:
    """A workflow service whose handlers are called directly; `run` carries its messages to itself until none is left."""

    def __init__(self) -> None:
        self.actors = {actor.actor_name: actor for actor in every_actor() if hasattr(actor, "handle")}
        self.told: list[tuple[str, str, int | None]] = []

    def handle(self, *deliveries: Delivery[Any]) -> None:
        """Handle a batch of deliveries of one message in one transaction."""
        with write_tx("workflow") as tx:
            self.actors[deliveries[0].message.name].handle(tx, deliveries)

    def send(self, *messages: Any, **envelope: Any) -> None:
        """Handle messages of one kind as one batch."""
        self.handle(*(delivery_of(message, **envelope) for message in messages))

    def run(self) -> None:
        """Carry what the service sends itself until nothing is left; keep what it tells others in `told`."""
        outbox = runtime_tables("workflow").Outbox
        while True:
            rows = list(outbox.select().order_by(outbox.id))
            outbox.delete().where(outbox.id.in_([row.id for row in rows])).execute()
            if not rows:
                return
            for row in rows:
                self._carry(CATALOGUE[row.name], json.loads(row.kwargs), json.loads(row.envelope))

    def announced(self) -> dict[str, list[str]]:
        """Return the tickets that messages in the outbox name, by the message."""
        outbox = runtime_tables("workflow").Outbox
        rows = outbox.select(outbox.name, outbox.kwargs).order_by(outbox.id).tuples()
        return {name: json.loads(kwargs)["ticket_numbers"] for name, kwargs in rows}

    def _carry(self, message: Any, kwargs: dict[str, Any], envelope: dict[str, Any]) -> None:
        if message.receiver == "workflow":
            self.send(message(**kwargs), version=envelope["version"])
        elif "ticket_id" in kwargs:
            status = kwargs.get("new_status") or kwargs.get("status")
            self.told.append((kwargs["ticket_id"], str(status), envelope["version"]))

    def file(self, count: int = 1, **changes: Any) -> list[str]:
        """Take tickets in, as one batch; return their numbers."""
        tickets = [{**ticket_data(), **changes} for _ in range(count)]
        self.send(*(ReceiveTicket(payload={"ticket": ticket}) for ticket in tickets))
        self.run()
        return [ticket["ticket_number"] for ticket in tickets]

    def role(self, role_id: str, name: str, *users: int, version: int | None = 1) -> None:
        """Have auth tell of a role and its members."""
        self.send(SyncRole(payload=sync_role(role_id, name)), version=version)
        for user in users:
            self.grant(user, role_id)
        self.run()

    def grant(self, user: int, role_id: str = ADMIN, *, version: int | None = None, **changes: Any) -> None:
        """Have auth tell of a grant."""
        self.send(SyncUserSystemRole(payload=sync_grant(user, role_id, **changes)), version=version)
        self.run()

    def status(self, number: str) -> str:
        """Return a ticket's status."""
        return str(TicketSnapshot.get(TicketSnapshot.ticket_number == number).status)

    def assignees(self) -> list[str | None]:
        """Return who has the items, oldest first."""
        return [item.assignee for item in TaskItem.select().order_by(TaskItem.id)]

    def member(self, user: int, role_id: str = ADMIN) -> Member:
        """Return a member's row."""
        role = Role.get(Role.role_id == role_id)
        found: Member = Member.get(Member.role == role.id, Member.user_id == str(user))
        return found

    def counts(self) -> tuple[int, int, int, int, int]:
        """Return how many snapshots, tasks, items, triage and waiting entries there are."""
        tables = (TicketSnapshot, Task, TaskItem, TriageEntry, WaitingEntry)
        return tuple(table.select().count() for table in tables)  # type: ignore[return-value]


@pytest.fixture
def empty_desk(databases: Any, stub_broker: Any) -> Iterator[Desk]:
    """A workflow side that knows nothing."""
    from baton.models import database

    with database.connection("workflow"):
        yield Desk()


@pytest.fixture
def seeded_desk(empty_desk: Desk) -> Desk:
    """A workflow side with the seeded roles and workflows, and nobody in any role."""
    from baton.actors.workflow import seeding

    with write_tx("workflow") as tx:
        seeding.seed_roles(tx)
        seeding.seed_workflows(tx)
    empty_desk.run()
    return empty_desk


@pytest.fixture
def desk(seeded_desk: Desk) -> Desk:
    """A workflow side with users 11, 12, 13 as Admin and 21, 22 as Ticket Coordinator."""
    seeded_desk.role(ADMIN, "Admin", 11, 12, 13)
    seeded_desk.role(COORDINATOR, "Ticket Coordinator", 21, 22)
    seeded_desk.told.clear()
    return seeded_desk
