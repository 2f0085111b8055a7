"""People are told through every process, while these are killed: once each, of what really happened, and nothing is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from baton.models import database
from baton.models.notifications import EmailDelivery, Mailbox, Notification
from baton.models.settings import SERVICES
from baton.models.workflow import TaskItem, TaskItemHistory, TicketSnapshot
from baton.scripts.stack import Stack
from tests.factories import ticket_body

EMPLOYEE = {"id": "101", "name": "Eve Employee", "email": "eve@example.com"}
pytestmark = pytest.mark.usefixtures("alone")
KINDS = ["embedded", pytest.param("distributed", marks=pytest.mark.distributed)]
TICKETS = 12


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A running stack of each kind, seeded, with the models of this process bound to its databases."""
    if request.param == "embedded":
        made = Stack.embedded()
    else:
        postgres, rabbitmq = (request.getfixturevalue(f"{name}_server") for name in ("postgres", "rabbitmq"))
        database_url, broker_url = postgres.fresh_url(), rabbitmq.fresh_url()
        request.addfinalizer(lambda: postgres.forget(database_url))
        request.addfinalizer(lambda: rabbitmq.forget(broker_url))
        made = Stack.distributed(database_url, broker_url, BATON_POOL_SIZE="3")
    with made:
        database.configure(made.settings)
        yield made
        for service in SERVICES:
            database.close(service)


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 90.0) -> Any:
    """Return what `look` sees once it is as wanted; fail with what it saw last."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds:.0f} s"
        time.sleep(0.1)
    return seen


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """Send a request until a front that was killed answers again; an idempotency key makes the repeats one."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = httpx.request(method, url, timeout=60, **options)
            if answer.status_code < 500:
                return answer
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.2)


def read(service: str, query: Callable[[], Any]) -> Any:
    """Return the rows of a query of a service."""
    with database.read_tx(service):
        return query()


def kill_some(stack: Stack) -> None:
    """Kill whatever handles and carries messages, in the middle of it."""
    for name in sorted({"server", "workflow-worker-1", "notifications-worker", "relay-1", "scheduler"} & stack.programs.keys()):
        stack.kill(name)


def test_everybody_is_told_once_of_what_really_happened_while_processes_die(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.service_token('operator')}"}
    numbers = []
    for n in range(TICKETS):
        options: dict[str, Any] = {"json": ticket_body(employee=EMPLOYEE), "headers": {**headers, "Idempotency-Key": f"n-{n}"}}
        answer = request("POST", f"{stack.url('helpdesk')}/api/v1/tickets", **options)
        assert answer.status_code == 201, answer.text
        numbers.append(answer.json()["ticket_number"])
        if n == TICKETS // 2:
            kill_some(stack)
    items = eventually(_first_items, lambda found: len(found) == TICKETS)
    for n, (item, _) in enumerate(items[: TICKETS // 2]):
        path = f"{stack.url('workflow')}/api/v1/items/{item}/complete"
        answer = request("POST", path, headers={**headers, "Idempotency-Key": f"c-{n}"}, json={})
        assert answer.status_code == 200, answer.text
        if n == 2:
            kill_some(stack)
    assert stack.deaths >= 2
    eventually(_assignments, lambda given: len(given) == TICKETS + TICKETS // 2)
    eventually(_told, lambda told: told >= _expected())
    assert _told_twice() == [] and _miscounted() == []
    assert {each[2] for each in _told() if each[0].startswith("employee:")} <= {"status_changed", "resolution"}


def _first_items() -> list[tuple[int, str]]:
    def rows() -> Any:
        query: Any = TaskItem.select(TaskItem.id, TaskItem.assignee).where(TaskItem.assignee.is_null(False))
        return list(query.order_by(TaskItem.id).tuples())

    found: list[tuple[int, str]] = read("workflow", rows)
    return found


def _assignments() -> set[tuple[str, str, str]]:
    """Return who was given what, by the history: recipient, ticket and type."""
    h = TaskItemHistory

    def rows() -> Any:
        query: Any = h.select(h.to_user, h.ticket_number, h.item).where(h.event == "assigned")
        return {(f"user:{user}", number, item) for user, number, item in query.tuples()}

    return {(user, number, str(item)) for user, number, item in read("workflow", rows)}


def _expected() -> set[tuple[str, str, str]]:
    """Return who must have been told of what: everybody given work, and the requester of a ticket that moved on."""
    statuses: Any = read(
        "workflow", lambda: list(TicketSnapshot.select(TicketSnapshot.ticket_number, TicketSnapshot.status).tuples())
    )
    moved = {("employee:101", number, "status_changed") for number, status in statuses if status == "In Progress"}
    return {(user, number, "task_assignment") for user, number, _ in _assignments()} | moved


def _told() -> set[tuple[str, str, str]]:
    n = Notification
    rows: Any = read("notifications", lambda: list(n.select(n.recipient, n.ticket_number, n.type).where(n.in_app).tuples()))
    return set(rows)


def _told_twice() -> list[Any]:
    """Return assignments of one item that a person was told of twice, and mails that say the same."""
    n = Notification

    def rows() -> Any:
        query: Any = n.select(n.recipient, n.task_item_id, n.email).where(n.type == "task_assignment")
        return list(query.tuples())

    found = read("notifications", rows)
    pairs = [(user, item) for user, item, _ in found]
    mails = [mail for *_, mail in found]
    known = read("notifications", lambda: EmailDelivery.select().where(EmailDelivery.id.in_(mails)).count())
    assert known == len(set(mails)) == len(mails)
    return sorted({pair for pair in pairs if pairs.count(pair) > 1})


def _miscounted() -> list[str]:
    n = Notification

    def rows() -> Any:
        boxes = {box.recipient: box.unread for box in Mailbox.select()}
        return [
            who for who, unread in boxes.items() if n.select().where(n.recipient == who, n.in_app, n.unread).count() != unread
        ]

    found: list[str] = read("notifications", rows)
    return found
