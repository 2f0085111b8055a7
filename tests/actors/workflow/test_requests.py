"""Withdrawing and reopening: in any state, twice, late, and before the ticket itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models.workflow import Member, Task, TaskItem, TaskItemHistory, TicketSnapshot, WaitingEntry
from baton.pipelines.messages import ReceiveTicket, ReopenTicket, WithdrawTicket
from tests.factories import BACKENDS, incompressible, ticket_data

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def withdraw(desk: Any, number: str, request: str = "w1", **envelope: Any) -> None:
    desk.send(WithdrawTicket(payload={"ticket": ticket_data(number)}, request_id=request, reason="mistake"), **envelope)
    desk.run()


def reopen(desk: Any, number: str, request: str = "r1", **envelope: Any) -> None:
    desk.send(ReopenTicket(payload={"ticket": ticket_data(number)}, request_id=request), **envelope)
    desk.run()


def test_a_withdrawal_cancels_the_item_frees_its_person_and_answers_with_a_version(desk: Any) -> None:
    (number,) = desk.file()
    for _ in range(3):
        withdraw(desk, number)
    assert (desk.status(number), Task.get().status, TaskItem.get().state) == ("Withdrawn", "withdrawn", "cancelled")
    assert desk.member(11).open_items == 0 and TaskItem.get().closed_at is not None
    assert desk.told == [(number, "Assigned", 1), (number, "Withdrawn", 2)]
    assert [row.event for row in TaskItemHistory.select().order_by(TaskItemHistory.id)] == ["assigned", "cancelled"]


def test_withdrawing_gives_the_room_to_whoever_waits_longest(desk: Any) -> None:
    Member.update(capacity=1).execute()
    numbers = desk.file(5)
    withdraw(desk, numbers[0])
    assert desk.assignees() == ["11", "12", "13", "11", None]


def test_withdrawing_what_waits_or_stands_in_triage_takes_it_off_the_list(seeded_desk: Any) -> None:
    (waiting,) = seeded_desk.file()
    (parked,) = seeded_desk.file(category="thunderbird")
    withdraw(seeded_desk, waiting, "w1")
    withdraw(seeded_desk, parked, "w2")
    assert seeded_desk.counts() == (2, 1, 1, 0, 0)
    seeded_desk.role("1", "Admin", 11)
    assert seeded_desk.assignees() == [None]


def test_a_withdrawal_that_overtakes_its_ticket_stores_it_as_withdrawn(desk: Any) -> None:
    withdraw(desk, "HD-00000009")
    desk.send(ReceiveTicket(payload={"ticket": ticket_data("HD-00000009")}))
    desk.run()
    assert desk.counts() == (1, 0, 0, 0, 0)
    assert desk.told == [("HD-00000009", "Withdrawn", 1)]


def test_a_reopened_ticket_goes_back_to_whoever_had_it_without_using_a_turn(desk: Any) -> None:
    (number,) = desk.file()
    withdraw(desk, number)
    for _ in range(3):
        reopen(desk, number)
    assert desk.assignees() == ["11", "11"]
    assert [item.visit for item in TaskItem.select().order_by(TaskItem.id)] == [1, 2]
    assert (desk.member(11).turns, desk.member(11).open_items) == (1, 1)
    assert (desk.status(number), Task.get().status) == ("Assigned", "open")
    assert desk.told[1:] == [(number, "Withdrawn", 2), (number, "Assigned", 3)]


def test_a_reopened_ticket_whose_former_assignee_left_goes_to_the_next_in_turn(desk: Any) -> None:
    (number,) = desk.file()
    withdraw(desk, number)
    desk.grant(11, is_active=False)
    reopen(desk, number)
    assert desk.assignees() == ["11", "12"] and desk.member(12).turns == 1


def test_a_reopened_ticket_without_a_task_is_allocated_like_a_new_one(desk: Any) -> None:
    withdraw(desk, "HD-00000009")
    reopen(desk, "HD-00000009")
    assert desk.counts() == (1, 1, 1, 0, 0) and desk.status("HD-00000009") == "Assigned"


def test_a_request_that_is_refused_is_answered_with_the_status_as_it_is(desk: Any) -> None:
    (number,) = desk.file()
    TicketSnapshot.update(status="Resolved").execute()
    withdraw(desk, number)
    assert desk.told[-1] == (number, "Resolved", 2)
    TicketSnapshot.update(status="In Progress").execute()
    reopen(desk, number)
    assert desk.told[-1] == (number, "In Progress", 3)


def test_requests_that_arrive_in_the_wrong_order_end_in_the_state_of_the_newest(desk: Any) -> None:
    (number,) = desk.file()
    reopen(desk, number, "r2", version=2)
    withdraw(desk, number, "w1", version=1)
    assert desk.status(number) == "Assigned" and desk.assignees() == ["11"]


def test_a_request_whose_id_is_too_long_for_an_index_is_refused(desk: Any) -> None:
    (number,) = desk.file()
    message = WithdrawTicket(payload={"ticket": ticket_data(number)}, request_id=incompressible(201))
    refused, kept = delivery_of(message), delivery_of(replace(message, request_id=incompressible(200)))
    desk.handle(refused, kept)
    assert "longer than 200" in str(refused.refusal) and kept.refusal is None
    assert desk.status(number) == "Withdrawn"


def test_without_versions_the_time_of_sending_orders_the_requests(desk: Any) -> None:
    (number,) = desk.file()
    withdraw(desk, number, "w1", sent_at="2026-06-01T08:00:00.000001+00:00")
    reopen(desk, number, "r1", sent_at="2026-06-01T08:00:03+00:00")
    withdraw(desk, number, "w0", sent_at="2026-06-01T07:59:00+00:00")
    assert desk.status(number) == "Assigned" and desk.assignees() == ["11", "11"]


def test_a_reopening_that_overtakes_its_ticket_is_its_arrival(desk: Any) -> None:
    reopen(desk, "HD-00000009", version=2)
    withdraw(desk, "HD-00000009", version=1)
    desk.send(ReceiveTicket(payload={"ticket": ticket_data("HD-00000009")}))
    desk.run()
    assert desk.counts() == (1, 1, 1, 0, 0) and desk.status("HD-00000009") == "Assigned"


def test_an_owner_is_found_again_after_a_withdrawal_took_the_task_off_the_list(seeded_desk: Any) -> None:
    (number,) = seeded_desk.file()
    withdraw(seeded_desk, number)
    reopen(seeded_desk, number)
    assert {entry.kind for entry in WaitingEntry.select()} == {"item", "owner"}
