"""Clocks follow what people do over the front: steps, holds, priorities, other workflows, ends and reopenings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from baton.models import database
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaMatch
from baton.models.workflow.sla_policy_store import store_calendar
from tests.actors.workflow.clock_desk import CALENDAR_B, ClockDesk, when
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def desk_at_work(office: Any, monkeypatch: pytest.MonkeyPatch) -> ClockDesk:
    """An office in the week of the cases, with calendar B and no policies."""
    found = ClockDesk(office)
    monkeypatch.setattr(database, "now", lambda service: found.now)
    with write_tx("workflow") as tx:
        store_calendar(tx, "B", CALENDAR_B, "user:1")
    return found


def act(clocks: ClockDesk, number: str, action: str, **body: Any) -> None:
    item = clocks.item(number)
    answer = clocks.desk.act("21", item.id, action, **body)
    assert answer.status_code == 200, answer.text


def act_on_task(clocks: ClockDesk, number: str, action: str, **body: Any) -> None:
    answer = clocks.desk.act_on_task("21", number, action, **body)
    assert answer.status_code == 200, answer.text


def steps(number: str) -> list[tuple[int, str]]:
    """Return target hours and state of a ticket's step clocks, oldest first."""
    rows = SlaClock.select().where(SlaClock.ticket_number == number, SlaClock.metric == "step").order_by(SlaClock.item)
    return [(row.target_seconds // 3600, row.state) for row in rows]


def test_each_step_has_its_share_of_the_resolution_and_ends_with_its_item(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": "10h"}, steps={"share": True, "targets": {"Finalize": "3h"}})
    number = clocks.file()
    for at in ("mon 10:00", "mon 17:00"):
        clocks.at(at)
        act(clocks, number, "complete")
    assert steps(number) == [(2, "met"), (6, "breached"), (3, "running")]
    act(clocks, number, "complete")
    assert steps(number)[-1] == (3, "met") and clocks.state(number) == "met"
    act_on_task(clocks, number, "close")
    assert clocks.state(number) == "met"


def test_a_hold_pauses_the_resolution_and_the_step(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": "10h", "first_response": "1h"}, steps={"share": True})
    number = clocks.file()
    clocks.at("mon 10:00")
    act(clocks, number, "hold", reason="parts are on their way")
    assert [clocks.state(number, metric) for metric in ("resolution", "step", "first_response")] == [
        "paused",
        "paused",
        "running",
    ]
    clocks.at("mon 12:00")
    act(clocks, number, "resume")
    assert (clocks.due(number, "step"), clocks.due(number)) == ("mon 13:00", "tue 13:00")


def test_the_projected_end_warns_when_what_is_left_is_too_little(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": "10h"}, steps={"share": True})
    number = clocks.file()
    first = clocks.item(number).id
    assert clocks.fires(number) == ("mon 11:00", "projected", first), "what the following steps need begins then"
    clocks.at("mon 12:00")
    assert clocks.fire(number) == ("projected", first)
    act(clocks, number, "complete")
    second = clocks.item(number).id
    assert clocks.fires(number) == ("mon 12:00", "projected", second), "an hour is lost: the ticket would end after due"
    assert clocks.fire(number) == ("projected", second)
    clocks.at("mon 13:00")
    act(clocks, number, "complete")
    assert clocks.fires(number) == ("tue 11:00:00.001", "breach", 0), "time was made up; the last step has enough"


@pytest.mark.parametrize(
    ("target", "late", "fires"),
    [
        ("10h", 350, ("mon 10:54:10.000", "projected")),  # a hundredth of the target: when the first step's 2 h are used up
        ("10h", 370, ("mon 09:00", "projected")),  # more than that: the plan cannot be kept any more
        ("10m", 55, ("mon 09:01:05.000", "projected")),  # a minute, at least
        ("10m", 65, ("mon 09:00", "projected")),
    ],
)
def test_what_passes_between_filing_and_the_first_step_warns_only_when_it_endangers_the_plan(
    desk_at_work: ClockDesk, target: str, late: int, fires: tuple[str, str]
) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": target}, steps={"share": True}, calendar="Always")
    with write_tx("workflow") as tx:
        store_calendar(tx, "Always", {"time_zone": "Europe/Berlin", "windows": "always"}, "user:1")
    (number,) = clocks.desk.file(submitted_at=(clocks.now - timedelta(seconds=late)).isoformat())
    assert clocks.fires(number)[:2] == fires


def test_another_priority_matches_another_policy_from_that_instant(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy("Medium", match={"priority": ["Medium"]})
    clocks.policy("Critical", match={"priority": ["Critical"]}, targets={"resolution": "2h"}, change="from_change")
    number = clocks.file()
    clocks.at("mon 13:00")
    act_on_task(clocks, number, "priority", priority="Critical")
    assert (clocks.due(number), clocks.clock(number).target_seconds) == ("mon 15:00", 7200)
    assert [row.mode for row in SlaMatch.select().order_by(SlaMatch.number)] == ["start", "from_change"]


def test_another_workflow_matches_its_policies_and_cancels_the_steps_of_the_old(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    for workflow, target in (("IT Support", "10h"), ("Budget Proposal", "20h")):
        clocks.policy(workflow, match={"workflow": [workflow]}, targets={"resolution": target}, steps={"share": True})
    number = clocks.file()
    clocks.at("mon 10:00")
    act_on_task(clocks, number, "reclassify", category="Budget Proposal", department="Budget Department")
    assert clocks.clock(number).target_seconds == 20 * 3600
    assert steps(number) == [(2, "cancelled"), (4, "running")]


def test_a_ticket_in_triage_is_matched_by_its_workflow_once_it_has_one(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy("IT", match={"workflow": ["IT Support"]})
    number = clocks.file(category="thunderbird", department="nowhere")
    assert clocks.metrics(number) == {}
    clocks.at("mon 11:00")
    act_on_task(clocks, number, "reclassify", category="IT Support", department="IT Department")
    assert (clocks.due(number), clocks.clock(number).started_at) == ("mon 17:00", when("mon 09:00"))


def test_a_reopened_task_continues_with_a_new_item(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": "10h"}, steps={"share": True})
    number = clocks.file()
    clocks.at("mon 12:00")
    for _ in range(3):
        act(clocks, number, "complete")
    clocks.at("tue 12:00")
    act_on_task(clocks, number, "reopen", reason="it is broken again")
    assert (clocks.state(number), clocks.due(number)) == ("running", "wed 11:00")
    assert steps(number) == [(2, "breached"), (6, "met"), (2, "met"), (2, "running")]


def test_a_cancelled_task_has_no_running_clock(desk_at_work: ClockDesk) -> None:
    clocks = desk_at_work
    clocks.policy(targets={"resolution": "10h", "first_response": "1h"}, steps={"share": True})
    number = clocks.file()
    act_on_task(clocks, number, "cancel", reason="a test")
    assert set(clocks.metrics(number).values()) == {"cancelled"}
