"""Moving running tasks to another version: what would happen, what happens, and what stays with the reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import Member, Step, Task, TaskItem, WaitingEntry, definition_store
from tests.designs import PURCHASE
from tests.factories import BACKENDS
from tests.http.workflow.design_office import DesignOffice, open_office

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the seeded workflows and people."""
    return open_office(client)


def second_version() -> dict[str, Any]:
    """The second version: Triage is Check now, of the same role; Approve is gone; Order belongs to another role."""
    steps = copy.deepcopy([PURCHASE["steps"][0], PURCHASE["steps"][2]])
    steps[0] |= {"name": "Check", "transitions": [{"name": "Go", "to": "Order"}]}
    steps[1]["role"] = "IT Manager"
    return {**PURCHASE, "steps": steps}


@pytest.fixture
def path(office: DesignOffice) -> str:
    """A workflow with a deployed version 1, three tasks HD-1 to HD-3 at its first step, and a deployed version 2."""
    found = f"/workflows/{office.call('POST', '/workflows', PURCHASE).json['id']}"
    office.call("POST", f"{found}/deploy")
    for number in ("HD-1", "HD-2", "HD-3"):
        office.file(number, category="Purchase")
    office.call("POST", f"{found}/versions", {"definition": second_version()})
    assert office.call("POST", f"{found}/deploy").status_code == 200
    office.run()
    return found


def items(office: DesignOffice, number: str) -> list[tuple[str, str, str | None]]:
    return [(each["step"], each["state"], each["assignee"]) for each in office.call("GET", f"/tasks/{number}").json["items"]]


def stand_at(number: str, name: str, **changes: Any) -> None:
    """Put a task's item at another step of its version, as work would."""
    with write_tx("workflow"):
        from baton.models.workflow import Role

        item = TaskItem.get(TaskItem.ticket_number == number)
        step = Step.get(Step.version == Step.get_by_id(item.step).version, Step.name == name)
        Member.update(open_items=Member.open_items - 1).where(Member.role == item.role, Member.user_id == item.assignee).execute()
        TaskItem.update(step=step.id, role=step.role, **changes).where(TaskItem.id == item.id).execute()
        if changes.get("assignee"):
            member = (Member.role == step.role) & (Member.user_id == changes["assignee"])
            Member.update(open_items=Member.open_items + 1).where(member).execute()
        assert Role.get_by_id(step.role)


def test_a_dry_run_tells_for_each_task_what_would_happen_and_changes_nothing(office: DesignOffice, path: str) -> None:
    stand_at("HD-2", "Approve", assignee="5")
    answer = office.call("POST", f"{path}/move", {"to_version": 2, "mapping": {"Triage": "Check"}, "dry_run": True})
    assert answer.status_code == 200
    assert [(each["ticket_number"], each["outcome"], each["to_step"]) for each in answer.json["items"]] == [
        ("HD-1", "moved", "Check"),
        ("HD-2", "refused", None),
        ("HD-3", "moved", "Check"),
    ]
    assert "step 'Approve' has no counterpart" in answer.json["items"][1]["reason"]
    assert (answer.json["moved"], answer.json["refused"], answer.json["dry_run"]) == (2, 1, True)
    assert office.call("GET", "/tasks/HD-1").json["task"]["workflow_version"] == 1 and office.run() == []


def test_a_moved_task_goes_on_at_the_counterpart_with_its_assignee_and_its_history(office: DesignOffice, path: str) -> None:
    assignee = items(office, "HD-1")[0][2]
    body = {"to_version": 2, "mapping": {"Triage": "Check"}, "ticket_numbers": ["HD-1", "HD-404"], "reason": "audit"}
    answer = office.call("POST", f"{path}/move", body).json
    assert [(each["ticket_number"], each["outcome"]) for each in answer["items"]] == [("HD-1", "moved"), ("HD-404", "refused")]
    assert items(office, "HD-1") == [("Triage", "cancelled", assignee), ("Check", "new", assignee)]
    history = [row for row in office.call("GET", "/tasks/HD-1/history").json["items"] if row["event"] == "moved"]
    assert [(row["step"], row["to_state"], row["actor"]) for row in history] == [
        ("Triage", "cancelled", "user:1"),
        ("Check", "new", "user:1"),
    ]
    assert "from version 1, step Triage, to version 2, step Check: audit" in history[0]["reason"]
    allocations = office.call("GET", "/tasks/HD-1/explanation").json["allocations"]
    assert (allocations[-1]["workflow_version"], allocations[-1]["decided_by"]) == (2, "user:1")
    assert not any("assign" in name for name in office.run()) and items(office, "HD-2")[0][0] == "Triage"
    again = office.call("POST", f"{path}/move", {"to_version": 2, "ticket_numbers": ["HD-1"]}).json
    assert (again["moved"], again["items"][0]["outcome"]) == (0, "unchanged")


def test_a_step_of_another_role_is_given_out_in_turn_and_its_former_holder_is_freed(office: DesignOffice, path: str) -> None:
    stand_at("HD-1", "Order", assignee="6", state="in progress")
    answer = office.call("POST", f"{path}/move", {"to_version": 2, "step": "Order"}).json
    assert (answer["moved"], answer["items"][0]["to_step"]) == (1, "Order")
    assert "workflow.assign_item" in office.run()
    assert items(office, "HD-1")[-1] == ("Order", "new", "3")
    assert {m.user_id: m.open_items for m in Member.select().where(Member.user_id.in_(["3", "6"]))} == {"3": 1, "6": 0}


def test_what_waits_keeps_its_place_in_the_waiting_list(office: DesignOffice, path: str) -> None:
    with write_tx("workflow"):
        Member.update(is_active=False).where(Member.user_id.in_(["1", "4"])).execute()
    office.call("POST", f"{path}/deploy", {"version": 1})
    office.file("HD-8", category="Purchase")
    before = WaitingEntry.get(WaitingEntry.ticket_number == "HD-8", WaitingEntry.kind == "item")
    answer = office.call("POST", f"{path}/move", {"to_version": 2, "mapping": {"Triage": "Check"}, "ticket_numbers": ["HD-8"]})
    assert answer.json["items"][0]["reason"] == "it waits on"
    office.run()
    after = WaitingEntry.get(WaitingEntry.ticket_number == "HD-8", WaitingEntry.kind == "item")
    assert (after.id, after.since) == (before.id, before.since)
    item = TaskItem.get_by_id(after.subject_id)
    assert item.id != before.subject_id and item.waiting_since is not None and item.closed_at is None


def test_many_tasks_move_in_batches_and_end_where_a_fresh_call_finds_none(office: DesignOffice, path: str) -> None:
    body = {"to_version": 2, "mapping": {"Triage": "Check"}, "from_version": 1, "limit": 2}
    first = office.call("POST", f"{path}/move", body).json
    assert ([each["ticket_number"] for each in first["items"]], first["next"] is not None) == (["HD-1", "HD-2"], True)
    second = office.call("POST", f"{path}/move", {**body, "after": first["next"]}).json
    assert ([each["ticket_number"] for each in second["items"]], second["next"]) == (["HD-3"], None)
    assert office.call("POST", f"{path}/move", body).json["items"] == []
    for member in Member.select():
        held = TaskItem.select().where(TaskItem.assignee == member.user_id, TaskItem.role == member.role)
        assert member.open_items == held.where(TaskItem.closed_at.is_null()).count()


def test_a_task_moves_back_to_its_former_version(office: DesignOffice, path: str) -> None:
    there = {"to_version": 2, "mapping": {"Triage": "Check"}, "ticket_numbers": ["HD-1"]}
    office.call("POST", f"{path}/move", there)
    back = {"to_version": 1, "mapping": {"Check": "Triage"}, "ticket_numbers": ["HD-1"]}
    assert office.call("POST", f"{path}/move", back).json["moved"] == 1
    assert [step for step, _, _ in items(office, "HD-1")] == ["Triage", "Check", "Triage"]
    assert office.call("POST", f"{path}/move", there).json["moved"] == 1


def test_what_cannot_be_a_target_is_refused(office: DesignOffice, path: str) -> None:
    office.call("POST", f"{path}/versions")
    assert office.call("POST", f"{path}/move", {"to_version": 3}).status_code == 409
    assert office.call("POST", f"{path}/move", {"to_version": 9}).status_code == 422
    lost = office.call("POST", f"{path}/move", {"to_version": 2, "mapping": {"Triage": "Nirvana"}})
    assert [error["field"] for error in lost.json["errors"]] == ["mapping.Triage"]
    other = office.call("POST", "/workflows/1/move", {"to_version": 1, "ticket_numbers": ["HD-1"]}).json
    assert other["items"][0]["reason"] == "it has no task on this workflow"


def test_the_same_move_again_is_one_move(office: DesignOffice, path: str) -> None:
    body = {"to_version": 2, "mapping": {"Triage": "Check"}}
    answers = [office.call("POST", f"{path}/move", body, Idempotency_Key="move") for _ in range(2)]
    assert answers[0].json == answers[1].json and answers[0].json["moved"] == 3
    assert len(items(office, "HD-1")) == 2


def test_what_was_deployed_is_not_written_even_by_the_store(office: DesignOffice, path: str) -> None:
    workflow = int(path.rpartition("/")[2])
    with write_tx("workflow") as tx, pytest.raises(definition_store.ImmutableVersionError):
        from tests.designs import purchase

        version = definition_store.find_version(tx, workflow, 1)
        assert version is not None
        definition_store.change_draft(tx, version, purchase(), PURCHASE)


def test_a_moved_item_goes_back_within_the_new_version_only(office: DesignOffice, path: str) -> None:
    item = TaskItem.get(TaskItem.ticket_number == "HD-1")
    followed = office.call("POST", f"/items/{item.id}/follow", {"transition": "Cheap", "version": item.version})
    assert followed.status_code == 200, followed.text
    office.run()
    steps = [{**PURCHASE["steps"][0], "transitions": [{"name": "Go", "to": "Order"}]}, PURCHASE["steps"][2]]
    office.call("POST", f"{path}/versions", {"definition": {**PURCHASE, "steps": steps}})
    assert office.call("POST", f"{path}/deploy", {"version": 3}).status_code == 200
    for number, refused in ((2, True), (3, False)):
        body = {"to_version": number, "ticket_numbers": ["HD-1"]}
        assert office.call("POST", f"{path}/move", body).json["moved"] == 1
        office.run()
        item = TaskItem.select().where(TaskItem.ticket_number == "HD-1").order_by(TaskItem.id.desc()).get()
        answer = office.call("POST", f"/items/{item.id}/return", {"reason": "wrong", "version": item.version})
        assert (answer.status_code == 409) is refused, answer.text
    office.run()
    task = office.call("GET", "/tasks/HD-1").json
    assert (task["task"]["workflow_version"], task["items"][-1]["step"]) == (3, "Triage")
    assert Step.get_by_id(task["items"][-1]["step_id"]).version == Task.get(Task.ticket_number == "HD-1").workflow_version
