"""Turns, absences, capacity and the waiting list, as stored; the traps A-1 to A-7 and A-10."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from baton.actors.workflow.rotation import release
from baton.actors.workflow.sweep import serve_returned
from baton.models.transaction import write_tx
from baton.models.workflow import Member, Role, TaskItem, WaitingEntry, sync_store
from baton.models.workflow.intake_store import lock_tickets
from baton.models.workflow.request_store import open_items
from baton.pipelines.messages import AssignItem, AssignWaiting
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def away(user: int, **until: float | None) -> None:
    """Put a user out of office from an hour ago until so many seconds from now; without seconds for good."""
    with write_tx("workflow") as tx:
        seconds = until.get("seconds")
        end = None if seconds is None else tx.now + timedelta(seconds=seconds)
        sync_store.store_absence(tx, str(user), tx.now - timedelta(hours=1), end)


def present(user: int) -> None:
    with write_tx("workflow") as tx:
        sync_store.store_absence(tx, str(user), None, None)


def complete(number: str) -> None:
    """Finish a ticket's open items."""
    with write_tx("workflow") as tx:
        lock_tickets(tx, [number])
        release(tx, open_items(tx, [number]), "completed", "user:11", "done")


def limit(capacity: int | None) -> None:
    Member.update(capacity=capacity).execute()


def test_a_1_alternating_absences_keep_the_rotation_fair(desk: Any) -> None:
    for step in range(12):
        present(12), present(13)
        away(12 if step % 2 == 0 else 13)
        desk.file()
    assert "".join({"11": "A", "12": "B", "13": "C"}[str(user)] for user in desk.assignees()) == "ABCACBABCACB"


def test_a_3_a_deactivated_member_is_skipped_and_the_next_in_line_follows(desk: Any) -> None:
    desk.file(2)
    desk.grant(12, is_active=False)
    desk.file(4)
    assert desk.assignees()[2:] == ["13", "11", "13", "11"]


def test_a_4_a_new_member_gets_one_turn_then_every_fourth_and_a_returning_one_keeps_the_place(desk: Any) -> None:
    desk.file(30)
    desk.grant(14)
    desk.file(8)
    assert desk.assignees()[30:] == ["14", "11", "12", "13", "14", "11", "12", "13"]
    desk.grant(11, is_active=False)
    desk.file(3)
    desk.grant(11)
    desk.file(4)
    assert desk.assignees()[38:] == ["14", "12", "13", "11", "14", "12", "13"]


def test_a_5_an_assignment_delivered_three_times_uses_one_turn(desk: Any) -> None:
    (number,) = desk.file()
    item = TaskItem.get()
    for _ in range(3):
        desk.send(AssignItem(task_item_id=item.id, ticket_number=number), AssignItem(task_item_id=item.id, ticket_number=number))
    assert desk.assignees() == ["11"]
    assert [desk.member(user).turns for user in (11, 12, 13)] == [1, 0, 0]


def test_a_5_an_open_item_of_nobody_is_assigned_once(desk: Any) -> None:
    (number,) = desk.file()
    item = TaskItem.get()
    TaskItem.update(assignee=None).execute()
    for _ in range(3):
        desk.send(AssignItem(task_item_id=item.id, ticket_number=number))
    assert desk.assignees() == ["12"] and desk.member(12).turns == 1


def test_an_assignment_says_that_its_ticket_changed_even_where_nothing_is_left_to_assign(desk: Any) -> None:
    """Whoever opens a step leaves it to the assignment to say so."""
    (number,) = desk.file()
    item = TaskItem.get(TaskItem.ticket_number == number)
    desk.send(AssignItem(task_item_id=item.id, ticket_number=number))
    assert desk.announced() == {"workflow.track_clocks": [number], "workflow.tell_followers": [number]}


def test_a_5_a_transaction_rolled_back_uses_no_turn(desk: Any) -> None:
    (number,) = desk.file()
    TaskItem.update(assignee=None).execute()
    from baton.actors.handling import delivery_of

    delivery = delivery_of(AssignItem(task_item_id=TaskItem.get().id, ticket_number=number))
    with pytest.raises(ZeroDivisionError), write_tx("workflow") as tx:
        desk.actors[delivery.message.name].handle(tx, [delivery])
        raise ZeroDivisionError
    assert Role.get(Role.role_id == "1").turn == 1 and desk.member(12).turns == 0


def test_a_6_what_waits_is_served_oldest_first_when_somebody_comes(seeded_desk: Any) -> None:
    numbers = seeded_desk.file(3) + seeded_desk.file(2)
    seeded_desk.role("1", "Admin", 11)
    seeded_desk.role("2", "Ticket Coordinator", 21)
    items = [(item.ticket_number, item.assignee, item.waiting_since) for item in TaskItem.select().order_by(TaskItem.assigned_at)]
    assert items == [(number, "11", None) for number in numbers]
    assert WaitingEntry.select().count() == 0
    assert [status for _, status, _ in seeded_desk.told] == ["Pending"] * 5 + ["Assigned"] * 5


def test_a_6_the_longest_waiting_gets_the_only_room(seeded_desk: Any) -> None:
    first, second = seeded_desk.file() + seeded_desk.file()
    seeded_desk.role("1", "Admin")
    role = Role.get(Role.role_id == "1")
    Member.create(role=role.id, user_id="11", capacity=1)
    seeded_desk.send(AssignWaiting(role_id="1"))
    seeded_desk.run()
    assert {item.ticket_number: item.assignee for item in TaskItem.select()} == {first: "11", second: None}


def test_a_6_the_sweep_serves_when_an_absence_ends_by_time(desk: Any) -> None:
    for user in (11, 12, 13):
        away(user)
    (number,) = desk.file()
    assert desk.status(number) == "Pending" and serve_returned("workflow") == 0
    away(12, seconds=-1)
    assert serve_returned("workflow") == 1
    desk.run()
    assert desk.assignees() == ["12"] and desk.status(number) == "Assigned"
    assert serve_returned("workflow") == 0


def test_a_7_capacity_leaves_one_waiting_until_one_is_completed(desk: Any) -> None:
    limit(2)
    numbers = desk.file(7)
    assert Counter(desk.assignees()) == {"11": 2, "12": 2, "13": 2, None: 1}
    complete(numbers[1])
    desk.run()
    assert desk.assignees()[6] == "12" and desk.member(12).open_items == 2
    assert WaitingEntry.select().count() == 0


def test_work_that_arrives_does_not_overtake_work_that_can_be_served(desk: Any) -> None:
    limit(1)
    numbers = desk.file(4)
    with write_tx("workflow") as tx:
        lock_tickets(tx, [numbers[0]])
        release(tx, open_items(tx, [numbers[0]]), "completed", "user:11", "done")
    numbers += desk.file()
    assert desk.assignees() == ["11", "12", "13", "11", None]
    assert desk.status(numbers[3]) == "Assigned" and desk.status(numbers[4]) == "Pending"


def test_the_requester_is_not_given_their_own_ticket_and_does_not_block_others(seeded_desk: Any) -> None:
    seeded_desk.role("1", "Admin")
    seeded_desk.grant(11, user_email="Eve@Example.com")
    own = seeded_desk.file(2)
    other = seeded_desk.file(employee={"id": 5, "name": "Bob", "email": "bob@example.com"})
    assert [seeded_desk.status(number) for number in own + other] == ["Pending", "Pending", "Assigned"]
    assert serve_returned("workflow") == 0
    seeded_desk.grant(12)
    assert seeded_desk.assignees() == ["12", "12", "11"]


def test_serving_a_list_longer_than_a_page_goes_on_until_it_is_empty(seeded_desk: Any) -> None:
    for _ in range(3):
        seeded_desk.file(50)
    seeded_desk.role("1", "Admin", 11)
    seeded_desk.role("2", "Ticket Coordinator", 21)
    assert Counter(seeded_desk.assignees()) == {"11": 150}
    assert WaitingEntry.select().count() == 0


def test_serving_a_list_three_times_gives_everything_once(seeded_desk: Any) -> None:
    seeded_desk.file(3)
    role = Role.get(Role.name == "Admin")
    Member.create(role=role.id, user_id="11")
    for _ in range(3):
        seeded_desk.send(AssignWaiting(role_id=role.role_id), AssignWaiting(role_id=role.role_id))
    seeded_desk.run()
    assert seeded_desk.assignees() == ["11"] * 3
    member = Member.get()
    assert (member.turns, member.open_items, member.last_turn) == (3, 3, 3)
