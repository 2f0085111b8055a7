"""What people do by hand to the rotation, which is nothing: no turn is used, nobody moves in the line (A-10, A-11)."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.workflow import Member, Role
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def line(role_id: str) -> tuple[int, list[tuple[str, int, int]]]:
    """Return a role's sequence, and of each member: user, last turn, turns taken."""
    role = Role.get(Role.role_id == role_id)
    members = Member.select().where(Member.role == role.id).order_by(Member.user_id)
    return role.turn, [(member.user_id, member.last_turn, member.turns) for member in members]


def test_a_11_a_transfer_uses_no_turn_and_the_next_in_line_stays_the_next(office: Any) -> None:
    _, item = office.at_step_two()
    before = line("3")
    assert office.act(31, item.id, "transfer", to_user="32").status_code == 200
    assert line("3") == before
    assert office.at_step_two()[1].assignee == "32"


def test_a_11_assigning_and_taking_by_hand_use_no_turn(office: Any) -> None:
    for user in (31, 32, 33):
        office.post(21, f"/roles/3/members/{user}/capacity", {"capacity": 0}, method="PUT")
    first, second = (office.at_step_two()[1] for _ in range(2))
    before = line("3")
    for user in (31, 32):
        office.post(21, f"/roles/3/members/{user}/capacity", {"capacity": 5}, method="PUT", carry=False)
    assert office.act(21, first.id, "assign", to_user="32", carry=False).status_code == 200
    assert office.act(31, second.id, "take", carry=False).status_code == 200
    assert line("3") == before


def test_a_11_an_escalation_uses_a_turn_of_the_escalation_role_and_none_of_the_items_own(office: Any) -> None:
    _, item = office.at_step_two()
    office.escalates_to("1")
    own, (turn, _) = line("3"), line("1")
    assert office.act(31, item.id, "escalate", reason="x").status_code == 200
    after, members = line("1")
    assert line("3") == own and after == turn + 1
    assert max(last for _, last, _ in members) == after


def test_a_11_a_hand_over_to_a_substitute_uses_no_turn_and_one_to_the_rotation_one(office: Any) -> None:
    office.at_step_two()
    office.post(21, "/members/31/substitute", {"substitute": "33"}, method="PUT")
    office.post(21, "/members/31/availability", {"away_from": "2020-01-01T00:00:00Z", "away_to": None}, method="PUT")
    before = line("3")
    assert office.post(21, "/members/31/handover", {"to": "substitute"}).json["done"] == 1
    assert line("3") == before
    office.post(21, "/members/33/availability", {"away_from": "2020-01-01T00:00:00Z", "away_to": None}, method="PUT")
    assert office.post(21, "/members/33/handover", {"to": "rotation"}).json["done"] == 1
    assert line("3")[0] == before[0] + 1 and office.member(32, "3").last_turn == before[0] + 1


def test_w_10_a_cancellation_closes_whatever_is_open_and_leaves_no_wait_and_no_hold(office: Any) -> None:
    from baton.models.workflow import ItemHold, TaskItem, WaitingEntry

    number, item = office.at_step_two()
    office.act(31, item.id, "start")
    office.act(31, item.id, "hold", reason="x", resume_at="2999-01-01T00:00:00Z")
    assert office.act_on_task(21, number, "cancel", reason="no longer wanted").status_code == 200
    assert office.status(number) == "Cancelled" and office.member(31, "3").open_items == 0
    assert {each.state for each in TaskItem.select()} == {"completed", "cancelled"}
    assert (ItemHold.select().count(), WaitingEntry.select().count()) == (0, 0)
    assert office.act(31, item.id, "resume").status_code == 409


def test_w_4_statuses_are_told_under_versions_that_only_rise(office: Any) -> None:
    number, item = office.at_step_two()
    office.act(31, item.id, "hold", reason="x")
    office.act(31, item.id, "resume")
    versions = [version for ticket, _, version in office.told if ticket == number]
    assert versions == sorted(set(versions)) and len(versions) >= 3
