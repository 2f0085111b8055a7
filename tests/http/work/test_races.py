"""Two people at once: one is done, the other is told what happened (W-1, A-12)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from baton.models.workflow import TaskItem
from tests.factories import BACKENDS, bearer

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def race(office: Any, *requests: tuple[int, str, dict[str, Any]]) -> list[Any]:
    """Send (user, path, body) at the same moment, each on a thread and connection of its own; return the answers."""
    gate, answers = threading.Barrier(len(requests)), [None] * len(requests)

    def send(place: int, user: int, path: str, body: dict[str, Any]) -> None:
        headers = bearer(office.who(user))
        gate.wait()
        answers[place] = office.front.simulate_post(f"/api/v1{path}", headers=headers, json=body)

    threads = [threading.Thread(target=send, args=(place, *request)) for place, request in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    office.run()
    return answers


def test_a_12_of_two_who_take_an_item_one_gets_it(office: Any) -> None:
    for user in (31, 32, 33):
        office.grant(user, "3", is_active=False)
    number, item = office.at_step_two()
    from baton.models.workflow import Member

    Member.update(is_active=True).where(Member.user_id.in_(["31", "32"])).execute()
    answers = race(office, *((user, f"/items/{item.id}/take", {}) for user in (31, 32)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(answer for answer in answers if answer.status_code == 200).json["item"]["assignee"]
    loser = next(answer for answer in answers if answer.status_code == 409).json
    assert loser["happened"]["to_user"] == winner == office.item(number).assignee
    assert office.member(31, "3").open_items + office.member(32, "3").open_items == 1


def test_w_1_of_many_clicks_at_once_one_opens_the_next_step(office: Any) -> None:
    number, item = office.at_step_two()
    answers = race(office, *((31, f"/items/{item.id}/complete", {}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert TaskItem.select().where(TaskItem.ticket_number == number).count() == 3


def test_a_cancellation_and_a_completion_at_once_leave_one_of_them(office: Any) -> None:
    number, item = office.at_step_two()
    answers = race(
        office, (31, f"/items/{item.id}/complete", {"version": item.version}), (21, f"/tasks/{number}/cancel", {"reason": "x"})
    )
    assert answers[1].status_code == 200 and answers[0].status_code in (200, 409)
    assert office.status(number) == "Cancelled"
    assert all(item.closed_at is not None for item in TaskItem.select())


def test_two_who_move_items_between_each_other_do_not_block(office: Any) -> None:
    _, first = office.at_step_two()
    _, second = office.at_step_two()
    for _ in range(5):
        answers = race(
            office,
            (21, f"/items/{first.id}/transfer", {"to_user": "33"}),
            (21, f"/items/{second.id}/transfer", {"to_user": "33"}),
            (21, "/items/bulk", {"action": "transfer", "to_user": "31", "items": [{"id": second.id}, {"id": first.id}]}),
        )
        assert all(answer.status_code in (200, 409) for answer in answers)
    held = [office.member(user, "3").open_items for user in (31, 32, 33)]
    assert sum(held) == 2
