"""The workflow front over seeded workflows, with what the tests of their design ask of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from baton.actors.handling import delivery_of
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.messages import CATALOGUE, ReceiveTicket, SyncRole, SyncUserSystemRole
from baton.pipelines.permissions import Principal
from tests.actors_of import every_actor
from tests.factories import ADMIN, bearer, sync_grant, sync_role, ticket_data

#: Role -> who is active in it, when the office opens.
PEOPLE = {"Admin": (1, 4), "IT Manager": (3,), "Budget Manager": (5, 8), "Asset Manager": (6, 7)}


class DesignOffice:
    """The front, called as an admin unless said otherwise, and the service's own messages carried on demand."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.actors = {actor.actor_name: actor for actor in every_actor() if hasattr(actor, "handle")}

    def call(self, method: str, path: str, body: Any = None, who: Principal = ADMIN, **headers: str) -> Any:
        """Send a request below /api/v1."""
        given = {**bearer(who), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.simulate_request(method, f"/api/v1{path}", headers=given, json=body)

    def handle(self, *messages: Any) -> None:
        """Handle messages of one kind as one batch."""
        with write_tx("workflow") as tx:
            self.actors[messages[0].name].handle(tx, [delivery_of(message, version=1) for message in messages])

    def file(self, number: str, **changes: Any) -> None:
        """Take a ticket in."""
        self.handle(ReceiveTicket(payload={**ticket_data(number), **changes}))

    def run(self) -> list[str]:
        """Carry what the service sends itself until nothing is left; return the names of all that was sent."""
        outbox, sent = runtime_tables("workflow").Outbox, []
        while True:
            with write_tx("workflow"):
                rows = list(outbox.select().order_by(outbox.id))
                outbox.delete().execute()
            if not rows:
                return sent
            for row in rows:
                sent.append(row.name)
                if CATALOGUE[row.name].receiver == "workflow":
                    self.handle(CATALOGUE[row.name](**json.loads(row.kwargs)))


def open_office(client: Callable[[str], Any]) -> DesignOffice:
    """Return an office with the seeded workflows and `PEOPLE`."""
    from baton.actors.workflow import seeding

    with write_tx("workflow") as tx:
        seeding.seed_roles(tx)
        seeding.seed_workflows(tx)
    office = DesignOffice(client("workflow"))
    for role_id, (name, users) in enumerate(PEOPLE.items(), start=1):
        office.handle(SyncRole(payload=sync_role(role_id, name)))
        for user in users:
            office.handle(SyncUserSystemRole(payload=sync_grant(user, role_id)))
    office.run()
    return office
