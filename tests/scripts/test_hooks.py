"""`baton hooks` and what `baton doctor` says of calls: an operator sees what was given up, and sees to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models.settings import get_settings
from tests.ended import ended_ticket, messages

AMS = "AMS_WORKFLOW_QUEUE"


@pytest.fixture
def baton(databases: Any, stub_broker: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`baton("list")` runs `baton hooks list` where there is a RabbitMQ (nothing is sent: messages stay in the outbox)."""
    from baton.scripts.hooks import hooks

    monkeypatch.setenv("BATON_BROKER_URL", "stub://")
    get_settings.cache_clear()
    return lambda *arguments: CliRunner().invoke(hooks, arguments)


def test_calls_are_listed_and_shown(baton: Callable[..., Result]) -> None:
    assert baton("list").output == "No calls.\n"
    sent, given_up = ended_ticket(), ended_ticket(category="Asset Check In")
    lines = baton("list").output.splitlines()
    assert lines[1].split()[:4] == [str(given_up.id), given_up.ticket_number, "asset", "gave"]
    assert lines[2].split()[:4] == [str(sent.id), sent.ticket_number, "asset", "sent"]
    assert [hook["id"] for hook in json.loads(baton("list", "--state", "sent", "--json").output)] == [sent.id]
    assert [hook["id"] for hook in json.loads(baton("list", "--ticket", given_up.ticket_number, "--json").output)] == [
        given_up.id
    ]
    shown = baton("show", str(sent.id)).output
    assert sent.message_id in shown
    assert "SN-1" in shown
    assert "sent by system" in shown


def test_a_call_is_replayed_with_what_the_ticket_lacks(baton: Callable[..., Result]) -> None:
    hook = ended_ticket(category="Asset Check In", asset_name="ThinkPad")
    assert baton("replay", "--gave-up").exit_code == 1
    assert "action, asset_name, serial_number" in baton("replay", str(hook.id), "--set", "colour=red").output
    assert baton("replay", str(hook.id), "--set", "serial_number").exit_code == 2
    done = baton("replay", str(hook.id), "--set", "serial_number=SN=9")
    assert (done.exit_code, done.output) == (0, f"{hook.id} {hook.ticket_number} asset: sent, to {AMS}\n")
    assert messages(AMS)[0][0]["serial_number"] == "SN=9"
    assert baton("replay", "--gave-up").output == "No call was given up.\n"


def test_several_calls_are_repeated_under_their_own_ids(baton: Callable[..., Result]) -> None:
    one, other = ended_ticket(), ended_ticket()
    assert baton("replay", str(one.id), str(other.id)).exit_code == 0
    ids = [message_id for _, message_id in messages(AMS)]
    assert ids == [one.message_id, other.message_id] * 2
    assert baton("replay", str(one.id), "--set", "serial_number=2").exit_code == 1
    assert baton("replay", "99").exit_code == 1
    assert baton("replay").exit_code == 2


def test_budget_items_are_given_as_json(baton: Callable[..., Result]) -> None:
    hook = ended_ticket("budget", category="Budget Proposal", cost_items=["chairs"])
    assert baton("replay", str(hook.id), "--set", "cost_items=chairs").exit_code == 2
    both = ("--set", 'cost_items={"Chairs": "10.00"}', "--set", "requested_budget=10.00")
    assert baton("replay", str(hook.id), *both).exit_code == 0
    assert messages("BMS_WORKFLOW_QUEUE")[0][0]["cost_items"] == {"Chairs": "10.00"}


def test_a_call_is_settled_by_hand(baton: Callable[..., Result]) -> None:
    hook = ended_ticket(category="Asset Check In")
    assert baton("settle", str(hook.id), "--reason", " ").exit_code == 1
    assert baton("settle", str(hook.id), "--reason", "told by telephone").exit_code == 0
    assert "nothing to settle" in baton("settle", str(hook.id), "--reason", "again").output


def test_the_doctor_names_what_was_given_up_and_what_waits(databases: Any, stub_broker: Any) -> None:
    from baton.scripts.checks.hooks import check_hooks

    assert [finding.level for finding in check_hooks(databases)] == ["ok"]
    waiting, given_up = ended_ticket(), ended_ticket(category="Asset Check In")
    bad, patient = check_hooks(databases)
    assert (bad.level, patient.level) == ("fail", "warn")
    assert given_up.ticket_number in bad.detail
    assert f"baton hooks replay {given_up.id}" in bad.remedy
    assert waiting.state == "pending"
    assert "BATON_BROKER_URL" in patient.detail


def test_the_doctor_names_celery_queues_that_nothing_is_sent_to(databases: Any) -> None:
    from dataclasses import replace

    from baton.actors.broker_api import QueueState
    from baton.scripts.checks.queues import check_broker

    settings = replace(databases, celery_queues=frozenset({"TICKET_STATUS_QUEUE", "ticket-status"}))
    [finding] = [each for each in check_broker(settings, list[QueueState](), "") if each.check == "celery queues"]
    assert finding.level == "warn"
    assert "ticket-status," in finding.detail
    assert "TICKET_STATUS_QUEUE" not in finding.detail
