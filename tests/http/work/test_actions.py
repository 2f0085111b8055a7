"""Each action on an item: does it, is refused in the wrong state and to the wrong person, and twice is once."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.workflow import Task, TaskItem, TaskItemHistory
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
STRANGER = 99


def test_an_item_is_started_followed_and_ends_with_the_last_step(office: Any) -> None:
    (number,) = office.file()
    first = office.item(number)
    started = office.act(11, first.id, "start")
    assert (started.status_code, started.json["item"]["state"], started.json["status"]) == (200, "in progress", "In Progress")
    followed = office.act(11, first.id, "follow", transition="Accept", comment="all there")
    assert followed.json["item"]["state"] == "completed" and followed.json["opened"]
    second = office.item(number)
    assert (second.assignee, second.state) == ("31", "new")
    assert office.act(31, second.id, "complete").status_code == 200
    third = office.item(number)
    assert office.act(third.assignee, third.id, "complete").json["status"] == "Resolved"
    assert (Task.get().status, office.status(number)) == ("completed", "Resolved")
    assert [status for _, status, _ in office.told] == ["Assigned", "In Progress", "Resolved"]
    assert [version for *_, version in office.told] == [1, 2, 3]
    assert all(office.member(user, str(user)[0]).open_items == 0 for user in (11, 12, 13, 31, 32, 33))
    row = TaskItemHistory.select().where(TaskItemHistory.event == "completed").order_by(TaskItemHistory.id).first()
    assert (row.actor, row.reason, row.from_state, row.from_user) == ("user:11", "Accept: all there", "in progress", "11")
    assert row.request


def test_what_nobody_may_see_and_what_does_not_exist_answer_alike(office: Any) -> None:
    number, item = office.at_step_two()
    unknown = office.act(STRANGER, 4711, "start")
    hidden = office.act(STRANGER, item.id, "start")
    assert (unknown.status_code, hidden.status_code) == (404, 404)
    assert unknown.json["detail"].replace("4711", str(item.id)) == hidden.json["detail"]
    assert office.act_on_task(STRANGER, number, "cancel", reason="x").status_code == 404
    assert office.act_on_task(STRANGER, "HD-nothing", "cancel", reason="x").status_code == 404


@pytest.mark.parametrize("action", ["start", "complete", "return", "transfer", "escalate", "hold"])
def test_only_the_assignee_and_who_leads_act(office: Any, action: str) -> None:
    _, item = office.at_step_two()
    body = {"return": {"reason": "x"}, "escalate": {"reason": "x"}, "hold": {"reason": "x"}, "transfer": {"to_user": "32"}}
    assert item.assignee == "31"
    answer = office.act(32, item.id, action, **body.get(action, {}))
    assert answer.status_code == 403 and office.item(item.ticket_number).version == item.version


def test_sending_back_returns_to_whoever_had_it_without_a_turn_and_forward_again_likewise(office: Any) -> None:
    number, item = office.at_step_two()
    turns = office.member(11).turns
    assert office.act(31, item.id, "return", reason="serial number missing").status_code == 200
    back = office.item(number)
    assert (back.assignee, back.visit, back.came_from) == ("11", 2, None)
    assert office.member(11).turns == turns
    assert TaskItem.get_by_id(item.id).state == "returned"
    assert office.act(11, back.id, "return", reason="x").status_code == 409
    office.file(2)
    assert office.act(11, back.id, "complete").status_code == 200
    assert office.item(number).assignee == "31" and office.member(31, "3").turns == 1


def test_a_transfer_goes_to_an_active_colleague_of_the_role_and_uses_no_turn(office: Any) -> None:
    _, item = office.at_step_two()
    for user in ("31", "11", "nobody"):
        assert office.act(31, item.id, "transfer", to_user=user).status_code == 409
    turns = office.member(32, "3").last_turn
    moved = office.act(31, item.id, "transfer", to_user="32", reason="knows printers")
    assert (moved.json["item"]["assignee"], moved.json["item"]["state"]) == ("32", "transferred")
    assert (office.member(31, "3").open_items, office.member(32, "3").open_items) == (0, 1)
    assert office.member(32, "3").last_turn == turns
    assert office.act(31, item.id, "start").status_code == 403
    assert office.act(32, item.id, "start").json["item"]["state"] == "in progress"


def test_somebody_away_or_at_capacity_gets_no_transfer(office: Any) -> None:
    _, item = office.at_step_two()
    away = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}
    assert office.post(21, "/members/32/availability", away, method="PUT").status_code == 200
    answer = office.act(31, item.id, "transfer", to_user="32")
    assert answer.status_code == 409 and answer.json["detail"] == "user 32 cannot be given it: away"
    assert office.post(21, "/roles/3/members/33/capacity", {"capacity": 0}, method="PUT").status_code == 200
    assert "at capacity" in office.act(31, item.id, "transfer", to_user="33").json["detail"]


def test_an_escalation_goes_to_the_escalation_role_in_turn(office: Any) -> None:
    number, item = office.at_step_two()
    office.escalates_to("1", position=3)
    from baton.models.workflow import Step

    Step.update(escalation_role=None).where(Step.position == 2).execute()
    assert office.act(31, item.id, "escalate", reason="x").status_code == 409
    office.escalates_to("1")
    assert office.act(31, item.id, "escalate", reason="too hard").status_code == 200
    now = office.item(number)
    assert (now.id, now.state, now.assignee) == (item.id, "escalated", "12")
    assert office.member(31, "3").open_items == 0 and office.member(12).open_items == 1
    assert office.act(12, item.id, "escalate", reason="again").status_code == 409
    assert office.act(12, item.id, "complete").status_code == 200
    assert office.member(12).open_items in (0, 1) and office.events(number)[-1] == "assigned"


def test_a_hold_stops_the_ticket_and_resuming_brings_back_what_was(office: Any) -> None:
    _, item = office.at_step_two()
    office.act(31, item.id, "start")
    assert office.act(31, item.id, "hold", reason=" ").status_code == 422
    assert office.act(31, item.id, "hold", reason="x", resume_at="2020-01-01T00:00:00Z").status_code == 422
    held = office.act(31, item.id, "hold", reason="waiting for a part")
    assert (held.json["item"]["state"], held.json["status"]) == ("on hold", "On Hold")
    assert office.act(31, item.id, "complete").status_code == 409
    assert office.act(31, item.id, "hold", reason="x").status_code == 409
    resumed = office.act(21, item.id, "resume")
    assert (resumed.json["item"]["state"], resumed.json["status"]) == ("in progress", "In Progress")
    assert office.act(31, item.id, "resume").status_code == 409


def test_a_hold_that_is_due_is_resumed_once_by_the_scheduler(office: Any) -> None:
    from baton.actors.workflow.holds import resume_due
    from baton.models.workflow import ItemHold

    number, item = office.at_step_two()
    assert office.act(31, item.id, "hold", reason="x", resume_at="2999-01-01T00:00:00Z").status_code == 200
    assert resume_due("workflow") == 0
    ItemHold.update(resume_at=item.created_at).execute()
    assert (resume_due("workflow"), resume_due("workflow")) == (1, 0)
    office.run()
    assert (office.item(number).state, office.status(number)) == ("new", "In Progress")
    last = TaskItemHistory.select().order_by(TaskItemHistory.id.desc()).first()
    assert (last.actor, last.event) == ("system", "resumed")


def test_an_item_that_waits_is_taken_once_by_an_eligible_member(office: Any) -> None:
    for user in (31, 32, 33):
        office.grant(user, "3", is_active=False)
    _, item = office.at_step_two()
    assert item.assignee is None and item.waiting_since is not None
    assert office.act(31, item.id, "take").status_code == 403
    office.post(21, "/roles/3/members/32/capacity", {"capacity": 0}, method="PUT")
    office.grant(32, "3")
    assert office.act(32, item.id, "take").status_code == 409
    office.post(21, "/roles/3/members/32/capacity", {"capacity": 5}, method="PUT", carry=False)
    taken = office.act(32, item.id, "take")
    assert (taken.status_code, taken.json["item"]["assignee"]) == (200, "32")
    again = office.act(33, item.id, "take")
    assert again.status_code == 409 and again.json["current"]["assignee"] == "32"
    assert again.json["happened"]["event"] == "taken"
    assert office.member(32, "3").turns == 0 and office.counts()[4] == 0


def test_a_coordinator_assigns_what_waits(office: Any) -> None:
    for user in (31, 32, 33):
        office.post(21, f"/roles/3/members/{user}/capacity", {"capacity": 0}, method="PUT")
    _, item = office.at_step_two()
    assert office.act(32, item.id, "assign", to_user="32").status_code == 403
    office.post(21, "/roles/3/members/33/capacity", {"capacity": 1}, method="PUT", carry=False)
    assert office.act(21, item.id, "assign", to_user="33").status_code == 200
    assert office.act(21, item.id, "assign", to_user="32").status_code == 409
    assert office.counts()[4] == 0 and office.member(33, "3").open_items == 1


def test_w_1_a_double_click_is_one_transition(office: Any) -> None:
    number, item = office.at_step_two()
    version = office.item(number).version
    first = office.act(31, item.id, "complete", version=version)
    second = office.act(31, item.id, "complete", version=version)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json["current"]["state"] == "completed"
    assert (second.json["happened"]["event"], second.json["happened"]["actor"]) == ("completed", "user:31")
    assert TaskItem.select().where(TaskItem.ticket_number == number).count() == 3


def test_w_1_a_replayed_request_gets_the_same_answer(office: Any) -> None:
    number, item = office.at_step_two()
    first = office.act(31, item.id, "complete", key="k1")
    second = office.act(31, item.id, "complete", key="k1")
    assert (first.status_code, second.status_code) == (200, 200) and first.text == second.text
    assert TaskItem.select().where(TaskItem.ticket_number == number).count() == 3


def test_a_version_in_the_header_that_does_not_match_is_a_failed_precondition(office: Any) -> None:
    from tests.factories import bearer

    _, item = office.at_step_two()
    path, headers = f"/api/v1/items/{item.id}/start", bearer(office.who(31))
    stale = office.front.simulate_post(path, headers={**headers, "If-Match": '"1"'})
    assert stale.status_code == 412 and stale.json["current"]["version"] == item.version
    fresh = office.front.simulate_post(path, headers={**headers, "If-Match": f'"{item.version}"'})
    assert fresh.status_code == 200 and fresh.headers["ETag"] == f'"{item.version + 1}"'


def test_bulk_does_what_it_may_and_says_what_it_may_not(office: Any) -> None:
    numbers = office.file(3)
    items = [office.item(number) for number in numbers]
    wanted = [{"id": item.id} for item in items] + [{"id": 4711}]
    wanted[1]["version"] = 99
    answer = office.post(21, "/items/bulk", {"action": "hold", "reason": "stocktaking", "items": wanted})
    assert [result["status"] for result in answer.json["results"]] == [200, 409, 200, 404]
    assert (answer.json["done"], answer.json["refused"]) == (2, 2)
    assert office.post(21, "/items/bulk", {"action": "hold", "items": wanted}).status_code == 422
    assert office.post(21, "/items/bulk", {"action": "resume", "to_user": "x", "items": wanted}).status_code == 422


def test_the_table_of_actions_is_shown_and_documented(office: Any) -> None:
    table = office.post(31, "/actions", None, method="GET").json["items"]
    assert {row["name"] for row in table if row["on"] == "item"} >= {"start", "follow", "take", "approve"}
    document = office.front.simulate_get("/openapi.json").json
    shown = document["paths"]["/api/v1/items/{item_id}/take"]["post"]
    assert "active members" in shown["description"]
