"""From a submitted ticket to its assigned step, or to where people see that it waits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models import database
from baton.models.transaction import write_tx
from baton.models.workflow import Allocation, AssignmentPick, Member, Task, TaskItem, TicketSnapshot, journey
from baton.pipelines.intake import MAX_NAME_LENGTH, MAX_NUMBER_LENGTH
from baton.pipelines.messages import ReceiveTicket
from tests.factories import BACKENDS, incompressible, ticket_data

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def test_a_ticket_becomes_one_snapshot_one_task_one_item_with_assignee_and_owner(desk: Any) -> None:
    (number,) = desk.file()
    assert desk.counts() == (1, 1, 1, 0, 0)
    task, item = Task.get(), TaskItem.get()
    assert (task.owner_user_id, item.assignee, item.state) == ("21", "11", "new")
    assert item.assigned_at is not None and item.waiting_since is None
    assert desk.told == [(number, "Assigned", 1)]


def test_the_same_ticket_in_one_batch_and_again_later_changes_nothing_more(desk: Any) -> None:
    message = ReceiveTicket(payload={"ticket": ticket_data("HD-00000001")})
    desk.send(message, message, message)
    for _ in range(3):
        desk.send(message)
    desk.run()
    assert desk.counts() == (1, 1, 1, 0, 0)
    assert sum(member.turns for member in Member.select()) == 2
    assert desk.told == [("HD-00000001", "Assigned", 1)]


def test_a_payload_is_taken_bare_or_wrapped_and_kept_byte_for_byte(desk: Any) -> None:
    odd = ticket_data("A", subject="Grüße 😀 \\u0000 'quoted' %s", description="\t\r\n" * 3, category=None, department=None)
    desk.send(ReceiveTicket(payload=odd), ReceiveTicket(payload={"ticket": {**odd, "ticket_number": "B"}}))
    stored = {row.ticket_number: json.loads(row.ticket_data) for row in TicketSnapshot.select()}
    assert stored == {"A": odd, "B": {**odd, "ticket_number": "B"}}


def test_a_ticket_without_number_is_refused_and_the_rest_of_its_batch_goes_on(desk: Any) -> None:
    bad = delivery_of(ReceiveTicket(payload={"ticket": {"subject": "no number"}}))
    good = delivery_of(ReceiveTicket(payload={"ticket": ticket_data("HD-00000002")}))
    nul = delivery_of(ReceiveTicket(payload={"ticket": ticket_data("HD-00000003", subject="a\0b")}))
    desk.handle(bad, good, nul)
    assert [row.ticket_number for row in TicketSnapshot.select()] == ["HD-00000002"]
    assert "ticket_number" in str(bad.refusal) and "NUL" in str(nul.refusal) and good.refusal is None


def test_what_matches_no_workflow_stands_in_triage_and_says_why(desk: Any) -> None:
    (number,) = desk.file(category="thunderbird", department="")
    assert desk.counts() == (1, 0, 0, 1, 0)
    assert desk.told == [(number, "In Triage", 1)]
    assert Allocation.get().reason == "no deployed workflow matches category 'thunderbird' and no department"


def test_the_longest_names_that_are_taken_fit_into_every_index(desk: Any) -> None:
    long = incompressible(MAX_NAME_LENGTH)
    number = long[:MAX_NUMBER_LENGTH]
    desk.send(ReceiveTicket(payload=ticket_data(number, category=long, department=long[::-1], priority=long)))
    assert desk.status(number) == "In Triage"


def test_without_anybody_eligible_the_step_and_the_owner_wait(seeded_desk: Any) -> None:
    (number,) = seeded_desk.file()
    assert seeded_desk.counts() == (1, 1, 1, 0, 2)
    assert seeded_desk.told == [(number, "Pending", 1)]
    assert TaskItem.get().waiting_since is not None


def test_a_crash_before_the_commit_leaves_no_row_no_message_and_no_turn(desk: Any) -> None:
    with pytest.raises(ZeroDivisionError), write_tx("workflow") as tx:
        delivery = delivery_of(ReceiveTicket(payload={"ticket": ticket_data()}))
        desk.actors[delivery.message.name].handle(tx, [delivery])
        raise ZeroDivisionError
    desk.run()
    assert desk.counts() == (0, 0, 0, 0, 0) and desk.told == []
    assert sum(member.turns for member in Member.select()) == 0


def test_a_gateway_ticket_is_answered_to_the_gateway(desk: Any) -> None:
    desk.file(gateway=True)
    assert desk.told[0][1:] == ("Assigned", 1)


def test_every_decision_is_explained(desk: Any) -> None:
    (number,) = desk.file()
    allocation = Allocation.get()
    assert allocation.reason == "matches by category and department"
    assert json.loads(allocation.considered)[0]["workflow"] == "IT Support"
    step, owner = AssignmentPick.select().order_by(AssignmentPick.id)
    assert (step.kind, step.chosen, step.turn, owner.kind, owner.chosen) == ("item", "11", 1, "owner", "21")
    verdicts = [entry["verdict"] for entry in json.loads(step.considered)]
    assert verdicts == ["chosen", "later in line", "later in line"]
    assert [entry["event"] for entry in journey(number)][:1] == ["taken in"]


def test_the_number_of_statements_does_not_grow_with_the_batch_or_with_what_is_stored(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    real = database.service_database("workflow").obj
    execute = real.execute_sql

    def counted(sql: str, *args: Any, **kwargs: Any) -> Any:
        statements.append(sql)
        return execute(sql, *args, **kwargs)

    monkeypatch.setattr(real, "execute_sql", counted)

    def take_in(count: int) -> int:
        statements.clear()
        desk.send(*(ReceiveTicket(payload={"ticket": ticket_data()}) for _ in range(count)))
        return len(statements)

    one, fifty = take_in(2), take_in(50)
    assert fifty == one
    for _ in range(5):
        take_in(50)
    assert take_in(50) == one
