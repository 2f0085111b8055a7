"""Promises through every process: who is warned, when a promise is broken, who hears of it, once each, whoever dies meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from baton.models import database
from baton.models.messaging import Entry
from baton.models.notifications import Notification
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.models.workflow import Member, SlaClock, SlaEvent, Step, Task, TaskItem
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from baton.pipelines.sla_policy_texts import policy_of
from baton.scripts.stack import Stack
from tests.factories import ticket_body

EMPLOYEE = {"id": "101", "name": "Eve Employee", "email": "eve@example.com"}
pytestmark = pytest.mark.usefixtures("alone")
KINDS = ["embedded", pytest.param("distributed", marks=pytest.mark.distributed)]
ALWAYS = {"time_zone": "UTC", "windows": "always"}
SLA_TYPES = ("sla_warning", "sla_breach")
TICKETS = 8
#: A clock that is due fires within so many seconds, also when its scheduler has just been killed.
IN_TIME = 10.0


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A running stack of each kind, the distributed one with two schedulers."""
    if request.param == "embedded":
        made = Stack.embedded()
    else:
        postgres, rabbitmq = (request.getfixturevalue(f"{name}_server") for name in ("postgres", "rabbitmq"))
        database_url, broker_url = postgres.fresh_url(), rabbitmq.fresh_url()
        request.addfinalizer(lambda: postgres.forget(database_url))
        request.addfinalizer(lambda: rabbitmq.forget(broker_url))
        made = Stack.distributed(database_url, broker_url, BATON_POOL_SIZE="3")
        made.programs["scheduler-2"] = ("scheduler",)
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


def read(service: str, query: Callable[[], Any]) -> Any:
    """Return the rows of a query of a service."""
    with database.read_tx(service):
        return query()


def promise(**document: Any) -> None:
    """Offer a policy before all others, at any hour."""
    whole = {"name": "Soon", "rank": 1000, "calendar": "Always", "steps": {"share": False}, **document}
    policy_of(whole)
    with write_tx("workflow") as tx:
        store_calendar(tx, "Always", ALWAYS, "user:1")
        store_policy(tx, "Soon", whole, "user:1")


def file(stack: Stack, count: int, **changes: Any) -> list[str]:
    """File tickets by the help desk's front; return their numbers once each has its first assignee."""
    headers = {"Authorization": f"Bearer {stack.service_token('operator')}"}
    url, numbers = f"{stack.url('helpdesk')}/api/v1/tickets", []
    for _ in range(count):
        answer = httpx.post(url, timeout=60, json=ticket_body(employee=EMPLOYEE, **changes), headers=headers)
        assert answer.status_code == 201, answer.text
        numbers.append(answer.json()["ticket_number"])
    eventually(_assigned, lambda found: found.keys() >= set(numbers))
    return numbers


def _assigned() -> dict[str, Any]:
    t, i = Task, TaskItem
    query: Any = i.select(t.ticket_number, i.id, i.assignee, t.owner_user_id, i.step).join(t, on=(t.id == i.task))
    rows = read("workflow", lambda: list(query.where(i.assignee.is_null(False), i.closed_at.is_null()).tuples()))
    return {number: rest for number, *rest in rows}


def _events() -> list[tuple[str, str, int, float]]:
    e = SlaEvent
    rows = read("workflow", lambda: list(e.select().order_by(e.id)))
    return [(row.ticket_number, row.kind, row.level, (row.fired_at - row.due_at).total_seconds()) for row in rows]


def _told() -> Counter[tuple[str, str, str]]:
    n = Notification
    query: Any = n.select(n.ticket_number, n.type, n.recipient).where(n.type.in_(SLA_TYPES))
    return Counter(read("notifications", lambda: list(query.tuples())))


def _shown() -> Counter[tuple[str, str]]:
    query: Any = Entry.select(Entry.ticket_number, Entry.event_kind).where(Entry.event_kind.in_(SLA_TYPES))
    return Counter(read("messaging", lambda: list(query.tuples())))


def _expected(numbers: list[str]) -> Counter[tuple[str, str, str]]:
    """Return who must be told of what: of the warning assignee and owner, of breach and escalation those whom they name."""
    expected: Counter[tuple[str, str, str]] = Counter()
    found = _assigned()
    for number in numbers:
        _, assignee, owner, step = found[number]
        role = read("workflow", lambda step=step: Step.get_by_id(step).escalation_role)
        active: Any = Member.select(Member.user_id).where(Member.role == role, Member.is_active)
        managers = {user for (user,) in read("workflow", lambda active=active: list(active.tuples()))} or {owner}
        expected.update((number, "sla_warning", f"user:{who}") for who in {assignee, owner})
        expected.update((number, "sla_breach", f"user:{who}") for who in {assignee, *managers})
        expected.update((number, "sla_breach", f"user:{who}") for who in managers)
    return expected


def _kill_leader(stack: Stack) -> None:
    """Kill the scheduler that leads the workflow service, where another can take over."""
    holder = read("workflow", lambda: runtime_tables("workflow").Lease.get().holder)
    for name, pid in stack.pids().items():
        if name.startswith("scheduler") and holder.endswith(f":{pid}"):
            stack.kill(name)


def test_warning_breach_and_escalation_come_in_time_and_once_to_whom_they_are_for_while_the_scheduler_dies(stack: Stack) -> None:
    promise(
        match={"priority": ["Critical"]},
        targets={"resolution": "25s"},
        warnings=[{"before": "12s", "tell": ["assignee", "owner"]}],
        escalations=[{"after": "12s", "tell": ["manager"]}],
    )
    numbers = file(stack, TICKETS, priority="Critical")
    for kind in ("warning", "breach"):
        eventually(_events, lambda events, kind=kind: any(event[1] == kind for event in events))
        _kill_leader(stack)
    assert stack.deaths == (2 if "scheduler-2" in stack.programs else 0)
    eventually(_events, lambda events: len(events) == 3 * TICKETS)
    events = _events()
    assert Counter(kind for _, kind, *_ in events) == dict.fromkeys(("warning", "breach", "escalation"), TICKETS)
    assert max(late for *_, late in events) <= IN_TIME, sorted(events, key=lambda event: event[3])[-5:]
    expected = _expected(numbers)
    eventually(_told, lambda told: told == expected)
    shown = {**{(number, "sla_warning"): 1 for number in numbers}, **{(number, "sla_breach"): 2 for number in numbers}}
    eventually(_shown, lambda found: found == Counter(shown))


def test_a_ticket_that_goes_its_way_warns_nobody_and_one_whose_step_is_overdrawn_does(stack: Stack) -> None:
    promise(match={"priority": ["Critical"]}, targets={"resolution": "30s"}, steps={"share": True}, breach={"tell": []})
    numbers = file(stack, 3, priority="Medium")
    headers = {"Authorization": f"Bearer {stack.service_token('operator')}"}
    for number in numbers:
        item = _assigned()[number][0]
        answer = httpx.post(f"{stack.url('workflow')}/api/v1/items/{item}/start", json={}, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
    clocks = eventually(_clocks_of(numbers), lambda found: {number for number, *_ in found} == set(numbers))
    assert {metric for _, metric in clocks} >= {"first_response", "resolution", "step"}
    (overdrawn,) = file(stack, 1, priority="Critical")
    eventually(_events, lambda events: any(kind == "projected" for _, kind, *_ in events))
    eventually(_told, lambda told: {kind for _, kind, _ in told} == {"sla_warning"})
    eventually(_shown, lambda shown: (overdrawn, "sla_warning") in shown)
    assert {number for number, *_ in _events()} == {number for number, *_ in _told()} == {number for number, _ in _shown()}
    assert {number for number, *_ in _events()} == {overdrawn}


def _clocks_of(numbers: list[str]) -> Callable[[], Any]:
    query: Any = SlaClock.select(SlaClock.ticket_number, SlaClock.metric).where(SlaClock.ticket_number.in_(numbers))
    return lambda: read("workflow", lambda: list(query.tuples()))
