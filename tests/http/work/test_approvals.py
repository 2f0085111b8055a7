"""Approvals: n of the role, never one's own request, never an earlier visit's; substitutes decide under both names (W-3, A-8)."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.workflow import Approval, TaskItem, TicketSnapshot
from tests.factories import BACKENDS
from tests.http.work.conftest import person

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
AWAY = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}


def test_the_step_is_left_when_the_last_approval_needed_is_given(office: Any) -> None:
    office.need_approvals(2)
    number, item = office.at_step_two()
    assert office.act(31, item.id, "complete").json["detail"] == "2 of 2 approvals are missing"
    assert office.act(31, item.id, "approve", comment="fine").json["item"]["state"] == "new"
    assert office.act(31, item.id, "approve").status_code == 409
    assert office.act(32, item.id, "approve").json["item"]["state"] == "completed"
    assert office.item(number).id != item.id and office.member(31, "3").open_items == 0
    assert [row.name for row in Approval.select().order_by(Approval.id)] == ["User 31", "User 32"]


def test_w_3_a_rejection_sends_back_and_earlier_approvals_do_not_count_for_the_next_visit(office: Any) -> None:
    office.need_approvals(2)
    number, item = office.at_step_two()
    office.act(31, item.id, "approve")
    assert office.act(32, item.id, "reject", reason="too dear").status_code == 200
    back = office.item(number)
    assert (back.assignee, TaskItem.get_by_id(item.id).state) == ("11", "returned")
    assert office.act(33, item.id, "approve").status_code == 409
    office.act(11, back.id, "complete")
    again = office.item(number)
    assert again.visit == 2 and office.act(33, again.id, "approve").json["item"]["state"] == "new"
    assert office.act(31, again.id, "approve").json["item"]["state"] == "completed"
    decisions = [row.decision for row in Approval.select().where(Approval.item == item.id).order_by(Approval.id)]
    assert decisions == ["approved", "rejected"]


def test_w_3_nobody_decides_on_their_own_request(office: Any) -> None:
    office.need_approvals(1)
    _, item = office.at_step_two()
    TicketSnapshot.update(requester_user_id="32").execute()
    assert office.act(32, item.id, "approve").status_code == 403
    assert office.act(33, item.id, "approve").status_code == 200
    _, second = office.at_step_two()
    TicketSnapshot.update(requester_user_id=None, requester_email="u33@example.com").execute()
    assert office.act(33, second.id, "approve").status_code == 403


def test_a_8_who_had_the_step_before_neither_gets_nor_approves_the_next(office: Any) -> None:
    office.need_approvals(1, position=3)
    number, item = office.at_step_two()
    office.grant(31, "1")
    office.act(31, item.id, "complete")
    last = office.item(number)
    assert last.assignee not in (None, "31")
    assert office.act(person(31, "IT Manager", "Admin"), last.id, "approve").status_code == 403
    assert office.act(11, last.id, "approve").json["status"] == "Resolved"


def test_a_8_a_role_of_one_who_had_the_step_before_waits_and_says_why(office: Any) -> None:
    office.need_approvals(1, position=3)
    number, item = office.at_step_two()
    for user in (11, 12, 13):
        office.grant(user, "1", is_active=False)
    office.grant(31, "1")
    office.act(31, item.id, "complete")
    assert office.item(number).assignee is None
    entry = office.post(21, "/waiting?kind=item", None, method="GET").json["items"][0]
    assert "had the step before" in entry["reason"]
    office.grant(12, "1")
    assert office.item(number).assignee == "12"


def test_w_3_a_substitute_decides_under_both_names_and_once(office: Any) -> None:
    office.need_approvals(2)
    _, item = office.at_step_two()
    assert office.act(22, item.id, "approve").status_code == 403
    assert office.post(32, "/members/32/substitute", {"substitute": "22"}, method="PUT").status_code == 200
    assert office.post(21, "/members/33/substitute", {"substitute": "22"}, method="PUT").status_code == 200
    assert office.act(22, item.id, "approve").status_code == 403
    for user in (32, 33):
        office.post(21, f"/members/{user}/availability", AWAY, method="PUT")
    assert office.act(22, item.id, "approve", comment="agreed").status_code == 200
    row = Approval.get()
    assert (row.user_id, row.name, row.stands_for) == ("22", "User 22", "32") and row.stands_for_name
    assert "(22) for" in office.post(21, f"/tasks/{item.ticket_number}/history", None, method="GET").json["items"][-1]["reason"]
    assert office.act(22, item.id, "approve").status_code == 409
    assert office.act(32, item.id, "approve").status_code == 409


def test_a_step_that_asks_for_no_approval_takes_none(office: Any) -> None:
    _, item = office.at_step_two()
    assert office.act(31, item.id, "approve").status_code == 409
