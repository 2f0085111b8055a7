"""The workflow side worked over its front: people act, and its own messages are carried at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import Step, TaskItem, TaskItemHistory
from baton.pipelines.permissions import Principal
from tests.actors.workflow.conftest import ADMIN, COORDINATOR, MANAGER, Desk
from tests.factories import bearer

ROLES = {"Admin": ADMIN, "Ticket Coordinator": COORDINATOR, "IT Manager": MANAGER}


def person(user: int | str, *roles: str) -> Principal:
    """Return a member of staff."""
    return Principal("user", str(user), f"User {user}", f"u{user}@example.com", frozenset(f"tts:{role}" for role in roles))


class Office(Desk):
    """Users 11 to 13 are Admins, 21 to 23 coordinators, who both lead all work; 31 to 33 are IT Managers, who do not."""

    def __init__(self, front: Any) -> None:
        super().__init__()
        self.front = front

    def who(self, user: int | str) -> Principal:
        """Return the principal of a user of this office."""
        kind = {"1": "Admin", "2": "Ticket Coordinator", "3": "IT Manager"}.get(str(user)[0], "Budget Manager")
        return person(user, kind)

    def act(self, user: int | str | Principal, item: int, action: str, *, key: str = "", carry: bool = True, **body: Any) -> Any:
        """Act on an item as a user; return the answer, its messages carried."""
        return self.post(user, f"/items/{item}/{action}", body, key=key, carry=carry)

    def act_on_task(self, user: int | str | Principal, number: str, action: str, **body: Any) -> Any:
        """Act on a task as a user; return the answer, its messages carried."""
        return self.post(user, f"/tasks/{number}/{action}", body)

    def post(
        self, user: int | str | Principal, path: str, body: Any, *, key: str = "", method: str = "POST", carry: bool = True
    ) -> Any:
        """Send a request as a user; return the answer, its messages carried."""
        who = user if isinstance(user, Principal) else self.who(user)
        headers = {**bearer(who), **({"Idempotency-Key": key} if key else {})}
        answer = self.front.simulate_request(method, f"/api/v1{path}", headers=headers, json=body)
        if carry:
            self.run()
        return answer

    def item(self, number: str) -> TaskItem:
        """Return a ticket's newest item."""
        found: TaskItem = TaskItem.select().where(TaskItem.ticket_number == number).order_by(TaskItem.id.desc()).get()
        return found

    def events(self, number: str) -> list[str]:
        """Return what happened to a ticket's items, oldest first."""
        rows = TaskItemHistory.select().where(TaskItemHistory.ticket_number == number).order_by(TaskItemHistory.id)
        return [row.event for row in rows]

    def at_step_two(self) -> tuple[str, TaskItem]:
        """File a ticket and bring it to its second step; return its number and the item there."""
        (number,) = self.file()
        first = self.item(number)
        assert self.act(first.assignee, first.id, "complete").status_code == 200
        return number, self.item(number)

    def need_approvals(self, count: int, position: int = 2) -> None:
        """Have a step of every workflow ask for approvals."""
        Step.update(approvals_needed=count).where(Step.position == position).execute()

    def escalates_to(self, role_id: str, position: int = 2) -> None:
        """Have a step of every workflow escalate to a role."""
        from baton.models.workflow import Role

        role = Role.get(Role.role_id == role_id)
        Step.update(escalation_role=role.id).where(Step.position == position).execute()


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> Iterator[Office]:
    """An office with its people and the seeded workflows."""
    from baton.actors.workflow import seeding
    from baton.models import database

    front = client("workflow")
    with database.connection("workflow"):
        found = Office(front)
        with write_tx("workflow") as tx:
            seeding.seed_roles(tx)
            seeding.seed_workflows(tx)
        found.run()
        for name, role_id in ROLES.items():
            users = [int(f"{role_id}{n}") for n in (1, 2, 3)]
            found.role(role_id, name, *users)
        found.told.clear()
        yield found
