"""Each action on a task: reopening, cancelling, priority, another category, another owner."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.models.runtime import runtime_tables
from baton.models.workflow import ItemHold, Member, Task, TaskItem, TicketSnapshot, WaitingEntry
from baton.models.workflow.action_store import store_outcomes
from baton.pipelines.messages import ReopenTicket
from tests.factories import BACKENDS, ticket_data

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def finished(office: Any) -> tuple[str, TaskItem]:
    """Work a ticket to its end; return its number and its last item."""
    number, item = office.at_step_two()
    office.act(item.assignee, item.id, "complete")
    last = office.item(number)
    office.act(last.assignee, last.id, "complete")
    assert office.status(number) == "Resolved"
    return number, last


def test_a_10_staff_and_requester_reopen_alike_at_the_last_step_for_its_former_assignee(office: Any) -> None:
    by_staff, last = finished(office)
    turns = office.member(int(last.assignee)).turns
    assert office.act_on_task(31, by_staff, "reopen", reason="x").status_code == 403
    assert office.act_on_task(21, by_staff, "reopen", reason="it broke again").status_code == 200
    by_requester, former = finished(office)
    office.send(ReopenTicket(payload={"ticket": ticket_data(by_requester)}, request_id="r1"))
    office.run()
    for number, before in ((by_staff, last), (by_requester, former)):
        item = office.item(number)
        assert (item.assignee, item.step, item.visit) == (before.assignee, before.step, before.visit + 1)
        assert office.status(number) == "Assigned" and office.events(number)[-2:] == ["reopened", "assigned"]
    assert office.member(int(last.assignee)).turns >= turns
    assert office.act_on_task(21, by_staff, "reopen", reason="x").status_code == 409


@pytest.mark.parametrize("state", ["new", "in progress", "on hold"])
def test_w_10_cancelling_ends_whatever_is_open_in_any_state(office: Any, state: str) -> None:
    number, item = office.at_step_two()
    if state == "in progress":
        office.act(31, item.id, "start")
    if state == "on hold":
        office.act(31, item.id, "hold", reason="x", resume_at="2999-01-01T00:00:00Z")
    assert office.act_on_task(21, number, "cancel").status_code == 422
    cancelled = office.act_on_task(21, number, "cancel", reason="bought a new one")
    assert (cancelled.json["status"], cancelled.json["task"]["task_status"]) == ("Cancelled", "cancelled")
    assert (office.item(number).state, office.member(31, "3").open_items) == ("cancelled", 0)
    assert ItemHold.select().count() == 0 and WaitingEntry.select().count() == 0
    again = office.act_on_task(21, number, "cancel", reason="x")
    assert again.status_code == 409 and again.json["happened"]["event"] == "cancelled"
    assert office.act_on_task(21, number, "reopen", reason="x").status_code == 409
    assert office.act(31, item.id, "complete").status_code == 409


def test_a_ticket_in_triage_is_cancelled_and_leaves_it(office: Any) -> None:
    (number,) = office.file(category="thunderbird")
    assert office.act_on_task(21, number, "cancel", reason="spam").json["status"] == "Cancelled"
    assert office.counts() == (1, 0, 0, 0, 0)


def test_the_priority_is_noted_in_the_history(office: Any) -> None:
    (number,) = office.file()
    version = Task.get().version
    changed = office.act_on_task(21, number, "priority", priority="High", reason="the boss is waiting", version=version)
    assert (changed.json["task"]["priority"], changed.json["task"]["version"]) == ("High", version + 1)
    assert office.act_on_task(21, number, "priority", priority="Low", version=version).status_code == 409
    assert office.act_on_task(21, number, "priority", priority="High").status_code == 409
    assert office.events(number)[-1] == "priority changed"


def test_a_preview_tells_where_a_ticket_would_go_and_changes_nothing(office: Any) -> None:
    number, item = office.at_step_two()
    body = {"category": "Budget Proposal", "department": "Budget Department"}
    shown = office.post(21, f"/tasks/{number}/reclassify?preview=true", body).json
    assert (shown["workflow"], shown["moves"], shown["item"]) == ("Budget Proposal", True, item.id)
    assert shown["item_becomes"].startswith("cancelled")
    assert office.item(number).version == item.version
    assert TicketSnapshot.get().category == "IT Support"


def test_another_category_moves_the_task_to_the_workflow_that_matches(office: Any) -> None:
    number, item = office.at_step_two()
    office.act(31, item.id, "start")
    moved = office.act_on_task(21, number, "reclassify", category="Budget Proposal", department="Budget Department")
    assert moved.json["task"]["workflow"] == "Budget Proposal" and moved.json["status"] == "Pending"
    assert TaskItem.get_by_id(item.id).state == "cancelled" and office.member(31, "3").open_items == 0
    assert (office.item(number).state, office.status(number)) == ("new", "Assigned")
    back = office.act_on_task(21, number, "reclassify", category="IT Support", department="IT Department")
    assert back.status_code == 200 and office.item(number).visit == 2
    assert TaskItem.select().where(TaskItem.closed_at.is_null()).count() == 1


def test_a_category_that_nothing_matches_leaves_the_task_where_it_is(office: Any) -> None:
    number, _ = office.at_step_two()
    refused = office.act_on_task(21, number, "reclassify", category="thunderbird", department="nowhere")
    assert refused.status_code == 409 and "no deployed workflow matches" in refused.json["detail"]
    assert TicketSnapshot.get().category == "IT Support"
    assert office.act_on_task(21, number, "reclassify").status_code == 422


def test_a_ticket_in_triage_is_matched_again_by_its_new_names(office: Any) -> None:
    (number,) = office.file(category="thunderbird")
    assert office.act_on_task(21, number, "reclassify", category="IT Support").status_code == 200
    assert Task.get().ticket_number == number and office.status(number) == "Assigned"


def test_the_owner_is_an_active_coordinator_and_uses_no_turn(office: Any) -> None:
    (number,) = office.file()
    assert Task.get().owner_user_id == "21"
    assert office.act_on_task(21, number, "owner", to_user="11").status_code == 409
    changed = office.act_on_task(21, number, "owner", to_user="23", reason="holiday")
    assert changed.json["task"]["owner_user_id"] == "23"
    assert office.act_on_task(21, number, "owner", to_user="23").status_code == 409
    assert Member.get(Member.user_id == "23").turns == 0
    assert office.act_on_task(31, number, "owner", to_user="22").status_code in (403, 404)


def told(office: Any) -> list[tuple[str, str]]:
    """Return whom the notifications in the outbox tell of what, and carry the rest."""
    outbox = runtime_tables("workflow").Outbox
    rows = [row for row in outbox.select().order_by(outbox.id) if row.name.startswith("notifications.")]
    outbox.delete().where(outbox.id.in_([row.id for row in rows])).execute()
    office.run()
    found = [json.loads(row.kwargs) for row in rows]
    return [(each["user_id"], each["notification_type"]) for each in found]


def test_people_are_told_only_while_the_setting_is_on_and_nobody_of_their_own_deeds(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, item = office.at_step_two()
    office.escalates_to("1")
    with monkeypatch.context() as switched_off:
        switched_off.setattr("baton.http.workflow.acting.store_outcomes", _quiet)
        office.act(31, item.id, "transfer", to_user="32", carry=False)
    assert told(office) == []
    office.act(32, item.id, "transfer", to_user="33", carry=False)
    assert told(office) == [("33", "task_transfer_in")]
    office.act(21, item.id, "transfer", to_user="31", carry=False)
    assert told(office) == [("31", "task_transfer_in"), ("33", "task_transfer_out")]
    office.act(31, item.id, "escalate", reason="x", carry=False)
    assert sorted(told(office)) == [(user, "task_escalation") for user in ("11", "12", "13")]


def _quiet(tx: Any, outcomes: Any, news: Any, *, request: str | None, notices: bool) -> list[int | None]:
    return store_outcomes(tx, outcomes, news, request=request, notices=False)
