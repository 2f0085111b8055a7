"""What is done to late tickets: each event's effects once, whatever comes twice, late, or dies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.actors.workflow import firing, overdue
from baton.models.workflow import Role, SlaClock, SlaEvent, Step, Task, TaskItem, TaskItemHistory, TicketSnapshot
from baton.pipelines.messages import ActOnOverdue
from tests.actors.workflow.passing_time import outgoing, pass_time, promise
from tests.factories import BACKENDS

DAY = 24 * 3600


def late(desk: Any, **breach: Any) -> dict[str, Any]:
    """Have a ticket breach a policy whose breach does this; return the command that follows."""
    promise(escalations=[], warnings=[], breach={"tell": ["assignee"], **breach})
    desk.role("9", "Chief", 91)
    desk.file(submitted_at=None)
    Step.update(escalation_role=Role.get(Role.name == "Chief").id).where(Step.id == TaskItem.get().step).execute()
    pass_time(DAY)
    firing.fire_clocks("workflow")
    [command] = outgoing("workflow.act_on_overdue")
    return command


def done() -> list[dict[str, str]]:
    """Return what the event says was done."""
    return list(json.loads(SlaEvent.get().detail).get("done", []))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_late_ticket_is_escalated_and_its_priority_raised(desk: Any) -> None:
    late(desk, escalate=True, raise_priority=True)
    desk.run()
    item = TaskItem.get()
    assert (item.state, item.assignee, TicketSnapshot.get().priority) == ("escalated", "91", "High")
    history = TaskItemHistory.get(TaskItemHistory.event == "escalated")
    assert history.actor == "system"
    assert "policy Everything" in history.reason
    assert done() == [{"action": "priority", "outcome": "done"}, {"action": "escalate", "outcome": "done"}]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_late_ticket_is_transferred_to_whom_the_policy_names(desk: Any) -> None:
    promise(escalations=[], warnings=[], breach={"transfer_to": "13"})
    desk.file(submitted_at=None)
    TaskItem.update(assignee="11").execute()
    pass_time(DAY)
    firing.fire_clocks("workflow")
    desk.run()
    assert TaskItem.get().assignee == "13"
    assert done() == [{"action": "transfer", "outcome": "done"}]


def test_twice_is_once(desk: Any) -> None:
    command = late(desk, raise_priority=True)
    for _ in range(3):
        desk.send(ActOnOverdue(**command), ActOnOverdue(**command))
    assert TicketSnapshot.get().priority == "High"


def test_what_was_taken_back_or_has_ended_meanwhile_asks_for_nothing(desk: Any) -> None:
    command = late(desk, escalate=True)
    SlaClock.update(stopped_at=SlaClock.started_at).execute()
    desk.send(ActOnOverdue(**command))
    assert done() == [{"action": "none", "outcome": "the clock has stopped"}]
    SlaEvent.update(detail="{}", retracted_at=SlaEvent.fired_at).execute()
    desk.send(ActOnOverdue(**command))
    assert done() == [{"action": "none", "outcome": "the event was taken back"}]
    assert TaskItem.get().state == "new"


def test_what_cannot_be_done_is_noted_and_changes_nothing(desk: Any) -> None:
    command = late(desk, escalate=True)
    Step.update(escalation_role=None).execute()
    before = TaskItem.get().version
    desk.send(ActOnOverdue(**command))
    [said] = done()
    assert said["outcome"].startswith("not done: the step")
    assert TaskItem.get().version == before


def test_who_cannot_be_escalated_to_gives_way_to_whom_the_policy_names(desk: Any) -> None:
    command = late(desk, escalate=True, transfer_to="13")
    Step.update(escalation_role=None).execute()
    TaskItem.update(assignee="11").execute()
    desk.send(ActOnOverdue(**command))
    assert [each["action"] for each in done()] == ["escalate", "transfer"]
    assert TaskItem.get().assignee == "13"


def test_the_highest_priority_stays(desk: Any) -> None:
    command = late(desk, raise_priority=True)
    TicketSnapshot.update(priority="Critical").execute()
    desk.send(ActOnOverdue(**command))
    assert (TicketSnapshot.get().priority, done()) == ("Critical", [])


@pytest.mark.parametrize("changes", [{"event_id": 10**9}, {"ticket_number": "HD-NONE"}])
def test_an_event_that_is_not_there_is_a_dead_letter(desk: Any, changes: dict[str, Any]) -> None:
    from baton.actors.handling import delivery_of

    command = late(desk, escalate=True)
    delivery = delivery_of(ActOnOverdue(**{**command, **changes}))
    desk.handle(delivery)
    assert delivery.refusal
    assert TaskItem.get().state == "new"


def test_a_crash_before_the_commit_leaves_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    command = late(desk, escalate=True, raise_priority=True)

    def crash(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(overdue.store, "note_done", crash)
    before = len(outgoing(""))
    with pytest.raises(SystemExit):
        desk.send(ActOnOverdue(**command))
    assert (TaskItem.get().state, TicketSnapshot.get().priority, Task.get().version) == ("new", "Medium", 2)
    assert len(outgoing("")) == before
