"""The end of a task: what is called, what a ticket must say for it, and what becomes of a call that cannot be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from baton.pipelines.ending import (
    DONE,
    GAVE_UP,
    NO_BROKER,
    PENDING,
    SENT,
    CorrectionError,
    Ended,
    Means,
    Repeat,
    check_corrections,
    decide,
    hook_of,
    issue_of,
    repeat,
)

ALL = Means(rabbitmq=True, notifications=True)
ASSET = {"asset_name": "ThinkPad", "serial_number": "SN-1", "action": "something else"}
BUDGET = {"requested_budget": "1250.00", "cost_items": {"Chairs (4)": "1250.00"}}


def ended(data: dict[str, Any], **changes: Any) -> Ended:
    facts = Ended(
        ticket_number="HD-00000001",
        subject="New laptop",
        category="Check-in",
        data=data,
        workflow="Asset Check In",
        owner_user_id="7",
        requester_user_id="9",
        completion=3,
        completed_at=datetime(2026, 6, 1, 8, 30, tzinfo=UTC),
    )
    return replace(facts, **changes)


def test_only_a_completed_task_ends_and_only_with_an_end_logic():
    assert hook_of("asset", "completed") == "asset"
    assert hook_of("none", "completed") is None
    assert hook_of("asset", "open") is None
    assert hook_of("asset", "withdrawn") is None


def test_ams_is_told_exactly_the_contracts_fields():
    verdict = decide("asset", ended(ASSET), ALL)
    assert (verdict.state, verdict.message.queue) == (SENT, "AMS_WORKFLOW_QUEUE")
    assert verdict.message.name == "ams.tasks.process_workflow_completion"
    assert verdict.message.to_kwargs() == {
        "ticket_id": "HD-00000001",
        "asset_name": "ThinkPad",
        "serial_number": "SN-1",
        "action": "Check-in",
        "completed_at": "2026-06-01T08:30:00+00:00",
    }


def test_bms_is_told_exactly_the_contracts_fields():
    verdict = decide("budget", ended(BUDGET), ALL)
    assert (verdict.message.queue, verdict.message.name) == ("BMS_WORKFLOW_QUEUE", "bms.tasks.process_budget_approval")
    assert verdict.message.to_kwargs() == {
        "ticket_id": "HD-00000001",
        "requested_budget": "1250.00",
        "cost_items": {"Chairs (4)": "1250.00"},
        "approved_by": 7,
        "completed_at": "2026-06-01T08:30:00+00:00",
    }
    assert decide("budget", ended(BUDGET, owner_user_id=None), ALL).message.approved_by is None
    assert decide("budget", ended(BUDGET, owner_user_id="u-7"), ALL).message.approved_by == "u-7"


@pytest.mark.parametrize(
    ("given", "told"), [(1250, "1250"), (1250.5, "1250.5"), (1e22, "10000000000000000000000"), ("1 k", "1 k")]
)
def test_an_amount_is_told_as_text(given, told):
    assert decide("budget", ended({"requested_budget": given}), ALL).message.to_kwargs()["requested_budget"] == told
    assert decide("budget", ended({"requested_budget": given}), ALL).message.cost_items == {}


@pytest.mark.parametrize(
    ("hook", "data", "reason"),
    [
        ("asset", {}, "the ticket lacks asset_name and serial_number"),
        ("asset", {"asset_name": "ThinkPad", "serial_number": " "}, "the ticket lacks serial_number"),
        ("asset", {"asset_name": ["ThinkPad"], "serial_number": "1"}, "the ticket lacks asset_name"),
        ("budget", {"requested_budget": True}, "the ticket lacks requested_budget"),
        ("budget", {"requested_budget": "1", "cost_items": [1]}, "cost_items of the ticket is not an object"),
    ],
)
def test_what_a_ticket_does_not_say_is_not_made_up(hook, data, reason):
    verdict = decide(hook, ended(data), ALL)
    assert (verdict.state, verdict.detail, verdict.message) == (GAVE_UP, reason, None)


def test_corrections_go_before_what_the_ticket_says():
    verdict = decide("asset", ended({"asset_name": "ThinkPad"}), ALL, {"serial_number": "SN-2", "action": "Check-out"})
    assert (verdict.message.serial_number, verdict.message.action) == ("SN-2", "Check-out")


def test_corrections_must_be_fields_of_the_call_with_usable_values():
    check_corrections("asset", {"serial_number": "1", "action": "Check-out"})
    check_corrections("budget", {"requested_budget": "12.50", "cost_items": {}})
    with pytest.raises(
        CorrectionError, match="ticket_id is no field of the asset call; it has: action, asset_name, serial_number"
    ):
        check_corrections("asset", {"ticket_id": "1"})
    for wrong in ({"serial_number": " "}, {"action": 7}):
        with pytest.raises(CorrectionError):
            check_corrections("asset", wrong)
    with pytest.raises(CorrectionError, match="requested_budget must be an amount"):
        check_corrections("budget", {"requested_budget": "much"})


def test_without_rabbitmq_a_complete_call_waits_and_an_incomplete_one_is_given_up():
    alone = Means(rabbitmq=False, notifications=False)
    assert (decide("asset", ended(ASSET), alone).state, decide("asset", ended(ASSET), alone).detail) == (PENDING, NO_BROKER)
    assert decide("asset", ended({}), alone).state == GAVE_UP


def test_the_requester_is_told_where_notifications_are_on_and_the_owner_not_twice():
    told = decide("notification", ended({}), ALL).message
    assert (told.user_id, told.notification_type, told.related_ticket_number) == ("9", "resolution", "HD-00000001")
    assert decide("notification", ended({}), replace(ALL, notifications=False)).state == DONE
    assert decide("notification", ended({}, requester_user_id=None), ALL).state == DONE
    employee = {"employee": {"id": 101, "name": "Eve"}}
    assert decide("notification", ended(employee, requester_user_id=None), ALL).message.user_id == "employee:101"
    assert decide("notification", ended({}, requester_user_id="7"), ALL).state == DONE


def test_a_repeat_is_word_for_word():
    verdict = repeat(Repeat("ams.x", "AMS", {"ticket_id": "1"}))
    assert (verdict.state, verdict.message.to_kwargs()) == (SENT, {"ticket_id": "1"})


def test_calls_that_lack_the_same_are_one_issue():
    one, other = (ended({}, ticket_number=number) for number in ("HD-1", "HD-2"))
    issues = [issue_of("asset", each, decide("asset", each, ALL), "temp-1") for each in (one, other)]
    assert issues[0].title == issues[1].title
    assert [issue.ticket_number for issue in issues] == ["HD-1", "HD-2"]
