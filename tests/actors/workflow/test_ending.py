"""The end of a task: its call is made once per completion, waits where it must, and is given up where it lacks something."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from baton.actors.handling import delivery_of
from baton.actors.workflow import ending
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import Hook, HookAttempt, Task, TaskItem, TicketSnapshot
from baton.pipelines.messages import EndTask
from tests.factories import BACKENDS

AMS, BMS = "AMS_WORKFLOW_QUEUE", "BMS_WORKFLOW_QUEUE"
ASSET = {"category": "Asset Check In", "department": "Asset Department", "asset_name": "ThinkPad", "serial_number": "SN-1"}
BUDGET = {"category": "Budget Proposal", "requested_budget": "1250.00", "cost_items": {"Chairs": "1250.00"}}
pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def rabbitmq(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the settings say that there is a RabbitMQ (nothing is sent: messages stay in the outbox)."""
    monkeypatch.setenv("BATON_BROKER_URL", "stub://")
    get_settings.cache_clear()


@pytest.fixture
def completed(desk: Any) -> Callable[..., str]:
    """File a ticket and complete its task."""

    def complete(**ticket: Any) -> str:
        [number] = desk.file(**ticket)
        finish(number)
        return number

    return complete


def finish(number: str) -> None:
    with write_tx("workflow") as tx:
        task = Task.get(Task.ticket_number == number)
        done = {"state": "completed", "closed_at": tx.now}
        TaskItem.update(done).where(TaskItem.task == task.id, TaskItem.closed_at.is_null()).execute()
        Task.update(status="completed", closed_at=tx.now).where(Task.id == task.id).execute()


def end(*numbers: str, **envelope: Any) -> list[Any]:
    deliveries = [delivery_of(EndTask(ticket_number=number), **envelope) for number in numbers]
    with write_tx("workflow") as tx:
        ending.end_task.handle(tx, deliveries)
    return deliveries


def sent(queue: str | None = None) -> list[tuple[str, dict[str, Any], str]]:
    """Return what waits in the outbox: name, keyword arguments, message id."""
    outbox = runtime_tables("workflow").Outbox
    with db.read_tx("workflow"):
        rows = list(outbox.select().order_by(outbox.id))
    return [
        (row.name, json.loads(row.kwargs), json.loads(row.envelope)["message_id"])
        for row in rows
        if row.queue == queue or queue is None
    ]


def hooks() -> list[Hook]:
    return list(Hook.select().order_by(Hook.id))


def test_ams_is_told_of_an_asset_ticket(rabbitmq: None, completed: Any) -> None:
    number = completed(**ASSET)
    end(number, trace_id="t" * 32)
    [(name, kwargs, message_id)] = sent(AMS)
    item = TaskItem.get(TaskItem.ticket_number == number)
    assert name == "ams.tasks.process_workflow_completion"
    assert kwargs == {
        "ticket_id": number,
        "asset_name": "ThinkPad",
        "serial_number": "SN-1",
        "action": "Asset Check In",
        "completed_at": item.closed_at.isoformat(),
    }
    [hook] = hooks()
    assert (hook.state, hook.attempts, hook.message_id, hook.completion) == ("sent", 1, message_id, item.id)
    assert json.loads(hook.kwargs) == kwargs


def test_bms_is_told_of_a_budget_and_who_owns_the_ticket(rabbitmq: None, completed: Any) -> None:
    number = completed(**BUDGET)
    end(number)
    [(_, kwargs, _)] = sent(BMS)
    assert (kwargs["requested_budget"], kwargs["cost_items"]) == ("1250.00", {"Chairs": "1250.00"})
    assert kwargs["approved_by"] == int(Task.get(Task.ticket_number == number).owner_user_id)


def test_a_workflow_without_end_logic_calls_nothing(rabbitmq: None, completed: Any) -> None:
    from baton.models.workflow import WorkflowVersion

    number = completed(**ASSET)
    with write_tx("workflow"):
        WorkflowVersion.update(end_logic="none").execute()
    end(number)
    assert hooks() == []


def test_q_8_the_same_end_three_times_is_one_call(rabbitmq: None, completed: Any) -> None:
    number = completed(**ASSET)
    end(number, number)
    end(number)
    assert len(sent(AMS)) == len(hooks()) == HookAttempt.select().count() == 1


def test_a_crash_before_the_commit_leaves_nothing_and_the_repeat_bears_the_same_id(rabbitmq: None, completed: Any) -> None:
    number = completed(**ASSET)
    ids = []
    for crash in (True, True, True, False):
        try:
            with write_tx("workflow") as tx:
                ending.end_task.handle(tx, [delivery_of(EndTask(ticket_number=number))])
                ids.append(Hook.get().message_id)
                if crash:
                    raise RuntimeError("killed")
        except RuntimeError:
            assert (sent(AMS), hooks()) == ([], [])
    assert len(sent(AMS)) == 1
    assert len(set(ids)) == 1


def test_a_reopened_task_ends_when_it_is_completed_again_and_each_completion_is_a_call_of_its_own(
    rabbitmq: None, completed: Any, desk: Any
) -> None:
    number = completed(**ASSET)
    end(number)
    reopen(number)
    end(number)
    assert len(sent(AMS)) == 1
    finish(number)
    end(number)
    first, second = hooks()
    assert first.message_id != second.message_id
    assert [message_id for _, _, message_id in sent(AMS)] == [first.message_id, second.message_id]


def reopen(number: str) -> None:
    with write_tx("workflow") as tx:
        Task.update(status="open", closed_at=None).where(Task.ticket_number == number).execute()
        last = TaskItem.select().where(TaskItem.ticket_number == number).order_by(TaskItem.id.desc()).first()
        TaskItem.create(
            task=last.task, step=last.step, visit=last.visit + 1, ticket_number=number, role=last.role, created_at=tx.now
        )


def test_an_end_that_a_reopening_overtook_waits_for_the_next_completion(rabbitmq: None, completed: Any) -> None:
    number = completed(**ASSET)
    reopen(number)
    end(number)
    assert hooks() == []
    finish(number)
    end(number)
    assert len(hooks()) == 1


def test_a_ticket_that_lacks_its_serial_number_is_given_up_and_becomes_an_issue(rabbitmq: None, completed: Any) -> None:
    number = completed(**{**ASSET, "serial_number": ""})
    end(number)
    [hook] = hooks()
    assert (hook.state, hook.detail, hook.kwargs) == ("gave up", "the ticket lacks serial_number", None)
    assert sent(AMS) == []
    [(name, issue, _)] = sent("issues")
    assert (name, issue["ticket_number"]) == ("issues.record_issue", number)
    assert "serial_number" in issue["title"]


def test_one_bad_ticket_keeps_no_other_from_its_end(rabbitmq: None, completed: Any, desk: Any) -> None:
    good, bad = completed(**ASSET), completed(**{**ASSET, "asset_name": None})
    [parked] = desk.file(category="thunderbird", department="")
    [begun] = desk.file(**ASSET)
    refusals = [delivery.refusal for delivery in end(good, bad, parked, begun, "HD-404")]
    assert refusals == [None, None, f"{parked} has no task", f"no step of {begun} is completed", "HD-404 has no task"]
    assert [(hook.ticket_number, hook.state) for hook in hooks()] == [(good, "sent"), (bad, "gave up")]


def test_w_5_without_rabbitmq_the_call_waits_and_is_made_when_there_is_one(
    completed: Any, monkeypatch: pytest.MonkeyPatch, desk: Any
) -> None:
    end(completed(**ASSET))
    [hook] = hooks()
    assert (hook.state, sent(AMS)) == ("pending", [])
    assert ending.make_waiting_calls("workflow") == 0

    monkeypatch.setenv("BATON_BROKER_URL", "stub://")
    get_settings.cache_clear()
    assert ending.make_waiting_calls("workflow") == 0  # not due yet
    with write_tx("workflow") as tx:
        Hook.update(next_try_at=tx.now - timedelta(seconds=1)).execute()
    assert ending.make_waiting_calls("workflow") == 1
    assert ending.make_waiting_calls("workflow") == 0
    [hook] = hooks()
    assert (hook.state, hook.attempts, hook.next_try_at) == ("sent", 2, None)
    assert [message_id for _, _, message_id in sent(AMS)] == [hook.message_id]
    assert [attempt.outcome for attempt in HookAttempt.select().order_by(HookAttempt.id)] == ["pending", "sent"]


def test_the_requester_is_told_only_where_notifications_are_on(completed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.models.workflow import WorkflowVersion

    with write_tx("workflow"):
        WorkflowVersion.update(end_logic="notification").execute()
    staff = {"id": "101", "user_id": "9", "name": "Eve", "email": "eve@example.com"}
    monkeypatch.setenv("BATON_NOTIFICATIONS", "off")
    get_settings.cache_clear()
    end(completed(**ASSET, employee=staff))
    assert hooks()[0].state == "done"
    assert sent("INAPP_NOTIFICATION_QUEUE") == []
    monkeypatch.setenv("BATON_NOTIFICATIONS", "on")
    get_settings.cache_clear()
    number = completed(**ASSET, employee=staff)
    outbox = runtime_tables("workflow").Outbox
    with write_tx("workflow"):
        outbox.delete().execute()
    end(number)
    [(_, told, _)] = sent("INAPP_NOTIFICATION_QUEUE")
    assert (told["user_id"], told["notification_type"], told["related_ticket_number"]) == ("employee:101", "resolution", number)


def test_a_relay_that_dies_after_publishing_publishes_the_same_task_id_again(rabbitmq: None, completed: Any) -> None:
    from baton.actors.broker_api import BrokerUnavailableError
    from baton.actors.relay import ServiceRelay

    class Dying:
        published: ClassVar[list[Any]] = []

        def publish(self, messages: Any) -> None:
            self.published.extend(message for message in messages if message.queue == AMS)
            if len(self.published) == 1:
                raise BrokerUnavailableError("killed before the outbox row was deleted")

    end(completed(**ASSET))
    relay = ServiceRelay(get_settings(), "workflow", Dying())  # type: ignore[arg-type]
    with pytest.raises(BrokerUnavailableError):
        relay.relay_batch()
    relay.relay_batch()
    first, second = Dying.published
    assert first == second
    assert first.headers["id"] == hooks()[0].message_id


def test_the_journey_tells_of_calls(rabbitmq: None, completed: Any) -> None:
    from baton.models.workflow import journey

    number = completed(**ASSET)
    end(number)
    assert TicketSnapshot.get(TicketSnapshot.ticket_number == number)
    assert ("asset call sent", f"to {AMS}, by system") in [(entry["event"], entry["detail"]) for entry in journey(number)]
