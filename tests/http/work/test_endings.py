"""A ticket that people work to its end over the front ends in the call that its workflow asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def test_a_ticket_worked_to_its_last_step_ends_in_a_call_and_once_more_after_a_reopening(office: Any) -> None:
    from baton.models.workflow import Hook, TaskItem

    office.role("4", "Asset Manager", 41)
    [number] = office.file(category="Asset Check In", department="Asset Department", asset_name="ThinkPad", serial_number="SN-1")
    for _ in range(3):
        item = office.item(number)
        assert office.act(item.assignee, item.id, "complete").status_code == 200
    hook = Hook.get(Hook.ticket_number == number)
    assert (hook.state, hook.hook, hook.completion) == ("pending", "asset", office.item(number).id)  # there is no RabbitMQ
    assert office.act_on_task(21, number, "reopen", reason="not yet").status_code == 200
    item = office.item(number)
    assert office.act(item.assignee, item.id, "complete").status_code == 200
    assert [hook.completion for hook in Hook.select().order_by(Hook.id)] == [hook.completion, item.id]
    assert TaskItem.select().count() == 4
