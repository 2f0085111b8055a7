"""Pauses, replies, reopenings and changes of policy, as cases that real help desks got wrong. Calendar B, Monday 2026-06-01."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.workflow import SlaClock, SlaEvent, SlaMatch
from baton.pipelines.sla.working_time import consumed_ms
from tests.actors.workflow.clock_desk import CALENDAR_B, when
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def target(seconds: str, **others: str) -> dict[str, str]:
    return {"resolution": seconds, **others}


def hold(clocks: Any, number: str, *pauses: tuple[str, str]) -> None:
    for start, end in pauses:
        clocks.at(start).status(number, "On Hold")
        clocks.at(end).status(number, "In Progress")


def test_p1_a_pause_in_closed_time_moves_nothing(clocks: Any) -> None:
    clocks.policy(targets=target("10h"))
    number = clocks.file()
    hold(clocks, number, ("mon 17:30", "tue 08:30"))
    assert clocks.due(number) == "tue 11:00"


def test_p2_a_pause_moves_due_by_its_working_time(clocks: Any) -> None:
    clocks.policy(targets=target("10h"))
    number = clocks.file()
    hold(clocks, number, ("mon 15:00", "wed 10:00"))
    assert clocks.due(number) == "wed 14:00"
    assert clocks.paused(number) == [("mon 15:00", "wed 10:00", "on hold")]


def test_p3_every_pause_counts(clocks: Any) -> None:
    clocks.policy(targets=target("6h"))
    number = clocks.file()
    hold(clocks, number, ("mon 10:00", "mon 11:00"), ("mon 13:00", "mon 14:30"))
    assert clocks.due(number) == "tue 09:30"


def test_p4_short_pauses_are_not_rounded(clocks: Any) -> None:
    number = _with_short_pauses(clocks)
    clock = clocks.clock(number)
    assert clocks.due(number) == "tue 09:10", "thirty times twenty seconds are ten minutes"
    from baton.pipelines.sla.calendars import read_calendar

    held = [(when(start), when(end)) for start, end, _ in clocks.paused(number)]
    assert consumed_ms(read_calendar(CALENDAR_B), clock.started_at, clock.due_at, held) == 8 * 3600 * 1000


def _with_short_pauses(clocks: Any) -> str:
    clocks.policy()
    number = str(clocks.file())
    for minute in range(10, 40):
        clocks.at(f"mon 10:{minute}:50").status(number, "On Hold", track=False)
        clocks.at(f"mon 10:{minute + 1}:10").status(number, "In Progress", track=False)
    clocks.track(number)
    return number


def test_p6_a_new_target_from_the_start_keeps_the_pauses(clocks: Any) -> None:
    clocks.policy("Medium", targets=target("8h"), match={"priority": ["Medium"]})
    clocks.policy("High", targets=target("4h"), match={"priority": ["High"]}, change="from_start")
    number = clocks.file()
    hold(clocks, number, ("mon 11:00", "tue 11:00"))
    clocks.rename(number, priority="High")
    assert (clocks.due(number), clocks.state(number)) == ("tue 13:00", "running")


def test_p6_a_new_target_from_the_change_begins_there(clocks: Any) -> None:
    clocks.policy("Medium", targets=target("8h"), match={"priority": ["Medium"]})
    clocks.policy("High", targets=target("4h"), match={"priority": ["High"]}, change="from_change")
    number = clocks.file()
    clocks.at("mon 16:00").rename(number, priority="High")
    assert clocks.due(number) == "tue 12:00"
    assert clocks.clock(number).started_at == when("mon 09:00")


def test_p8_a_paused_clock_is_due_at_no_time_and_fires_nothing(clocks: Any) -> None:
    clocks.policy(targets=target("4h"), warnings=[{"percent": 75}])
    number = clocks.file()
    clocks.at("mon 11:00").status(number, "On Hold")
    clocks.at("tue 16:00").track(number)
    assert (clocks.state(number), clocks.due(number), clocks.fires(number)) == ("paused", None, (None, None, None))
    clocks.status(number, "In Progress")
    assert (clocks.state(number), clocks.due(number)) == ("running", "wed 10:00"), "two hours were left"


@pytest.mark.parametrize("first", ["On Hold", "Resolved"])
def test_p9_at_one_instant_stopping_comes_before_pausing(clocks: Any, first: str) -> None:
    clocks.policy()
    number = clocks.file()
    clocks.at("mon 12:00")
    for status in (first, "Resolved"):
        clocks.status(number, status)
    clock = clocks.clock(number)
    assert (clock.state, clock.stopped_at, clocks.paused(number)) == ("met", when("mon 12:00"), [])


def test_p10_a_reopened_ticket_continues_or_begins_a_new_cycle_as_the_policy_says(clocks: Any) -> None:
    clocks.policy("Continue", match={"priority": ["Low"]}, reopening="continue")
    clocks.policy("Anew", match={"priority": ["High"]}, reopening="new_cycle")
    continued, anew = clocks.file(priority="Low"), clocks.file(priority="High")
    for number in (continued, anew):
        clocks.at("mon 12:00").status(number, "Resolved")
        assert clocks.state(number) == "met"
        clocks.at("wed 10:00").status(number, "Assigned")
    assert (clocks.due(continued), clocks.metrics(continued)) == ("wed 15:00", {("resolution", 1): "running"})
    assert clocks.paused(continued) == [("mon 12:00", "wed 10:00", "resolved")]
    assert (clocks.due(anew, cycle=2), clocks.metrics(anew)) == (
        "thu 10:00",
        {("resolution", 1): "met", ("resolution", 2): "running"},
    )


def test_p11_a_finished_verdict_stays_when_the_policy_is_relaxed(clocks: Any) -> None:
    clocks.policy(targets=target("2h"))
    number = clocks.file()
    clocks.at("mon 15:00").status(number, "Resolved")
    clocks.policy(targets=target("40h"))
    clocks.at("tue 09:00")
    apply(clocks, number)
    assert (clocks.state(number), clocks.due(number)) == ("breached", "mon 11:00")


def test_p11_a_running_clock_is_breached_no_more_and_what_fired_is_marked(clocks: Any) -> None:
    clocks.policy(targets=target("2h"))
    number = clocks.file()
    clocks.at("mon 15:00")
    assert clocks.fire(number) == ("breach", 0)
    clocks.policy(targets=target("10h"))
    assert clocks.due(number) == "mon 11:00", "a new version touches no clock by itself"
    apply(clocks, number)
    event = SlaEvent.get()
    assert (clocks.due(number), clocks.fires(number)) == ("tue 11:00", ("tue 11:00:00.001", "breach", 0))
    assert event.retracted_at == when("mon 15:00") and "matches" in event.note
    clocks.at("tue 12:00")
    assert clocks.fire(number) == ("breach", 0), "and it may be breached again"
    assert [row.round for row in SlaEvent.select().order_by(SlaEvent.id)] == [0, 1]


def apply(clocks: Any, number: str) -> None:
    """Apply the policies as they are now to a ticket, twice over."""
    from baton.pipelines.messages import TrackClocks

    for _ in range(2):
        clocks.desk.send(TrackClocks(ticket_numbers=[number], apply_for="user:1", apply_at=clocks.now.isoformat()))


def test_p12_clocks_that_a_change_makes_obsolete_are_cancelled_at_once(clocks: Any) -> None:
    clocks.policy("IT", targets=target("8h", first_response="1h"), match={"category": ["IT Support"]})
    clocks.policy("Others", targets=target("8h"), match={"category": ["Others"]})
    number = clocks.file()
    clocks.at("mon 09:30").rename(number, category="Others")
    assert clocks.metrics(number) == {("first_response", 1): "cancelled", ("resolution", 1): "running"}
    assert clocks.clock(number, "first_response").stopped_at == when("mon 09:30")
    assert clocks.fires(number, "first_response") == (None, None, None)


def test_p13_before_the_first_reply_only_the_first_response_is_due(clocks: Any) -> None:
    clocks.policy(targets={"first_response": "4h", "next_response": "1h"})
    number = clocks.file()
    clocks.at("mon 09:10").reply(number, "requester")
    assert clocks.metrics(number) == {("first_response", 1): "running"}
    assert clocks.due(number, "first_response") == "mon 13:00"


def test_p14_who_waits_for_the_requester_owes_no_next_response(clocks: Any) -> None:
    clocks.policy(targets={"next_response": "1h"})
    number = clocks.file()
    clocks.at("mon 10:00").reply(number, "staff")
    clocks.at("mon 11:00").reply(number, "requester")
    clocks.at("mon 11:10").reply(number, "requester")
    assert clocks.due(number, "next_response") == "mon 12:00", "from the first of what was asked"
    clocks.at("mon 11:30").reply(number, "staff")
    clocks.at("fri 11:30").track(number)
    assert clocks.metrics(number) == {("next_response", 1): "met"}
    clocks.reply(number, "requester")
    assert clocks.due(number, "next_response", cycle=2) == "fri 12:30"


def test_p15_what_the_requester_writes_is_no_response(clocks: Any) -> None:
    clocks.policy(targets={"first_response": "4h"})
    number = clocks.file()
    clocks.at("mon 10:00").reply(number, "requester")
    assert clocks.state(number, "first_response") == "running"
    clocks.at("mon 11:00").reply(number, "staff")
    assert clocks.clock(number, "first_response").stopped_at == when("mon 11:00")


@pytest.mark.parametrize(("rule", "state"), [("counts", "met"), ("cancels", "cancelled")])
def test_p16_resolved_without_a_reply_the_policy_decides(clocks: Any, rule: str, state: str) -> None:
    clocks.policy(targets={"first_response": "4h"}, resolved_without_reply=rule)
    number = clocks.file()
    clocks.at("mon 10:00").status(number, "Resolved")
    assert clocks.state(number, "first_response") == state
    assert clocks.clock(number, "first_response").stopped_at == when("mon 10:00")


def test_p16_on_hold_without_a_reply_the_response_clock_runs_on(clocks: Any) -> None:
    clocks.policy(targets={"first_response": "4h", "resolution": "8h"}, pauses={"waiting_for_requester": True})
    number = clocks.file()
    clocks.at("mon 10:00").status(number, "On Hold")
    assert (clocks.state(number, "first_response"), clocks.due(number, "first_response")) == ("running", "mon 13:00")
    assert clocks.state(number) == "paused"


def test_p17_a_reply_written_in_time_is_met_however_late_it_is_told_of(clocks: Any) -> None:
    clocks.policy(targets={"first_response": "4h"})
    number = clocks.file()
    clocks.at("mon 13:01:30")
    assert clocks.fire(number, "first_response") == ("breach", 0)
    clocks.reply(number, "staff", at="mon 12:59:59")
    assert clocks.state(number, "first_response") == "met"
    assert SlaEvent.get().retracted_at is not None


@pytest.mark.parametrize(("at", "state"), [("mon 13:00", "met"), ("mon 13:00:00.001", "breached")])
def test_p18_exactly_at_due_is_met_and_a_millisecond_later_is_not(clocks: Any, at: str, state: str) -> None:
    clocks.policy(targets={"first_response": "4h"})
    number = clocks.file()
    clocks.at(at).reply(number, "staff")
    assert clocks.state(number, "first_response") == state
    fires = ("mon 13:00:00.001", "breach", 0) if state == "breached" else (None, None, None)
    assert clocks.fires(number, "first_response") == fires, "a breach that nobody saw is still to be told"


def test_p19_warnings_fire_in_working_time(clocks: Any) -> None:
    clocks.policy(warnings=[{"percent": 50}, {"percent": 75}, {"before": "1h"}])
    number = clocks.at("fri 15:00").file()
    fired = []
    for time in ("next mon 11:00", "next mon 13:00", "next mon 14:00", "next mon 15:01"):
        fired.append((clocks.fires(number)[0], *clocks.at(time).fire(number)))
    assert fired == [
        ("next mon 11:00", "warning", 1),
        ("next mon 13:00", "warning", 2),
        ("next mon 14:00", "warning", 3),
        ("next mon 15:00:00.001", "breach", 0),
    ]
    assert clocks.fires(number) == (None, None, None)


def test_p20_a_warning_before_due_counts_backwards_over_the_weekend(clocks: Any) -> None:
    clocks.policy(targets=target("3h"), warnings=[{"before": "2h"}])
    number = clocks.at("fri 15:00").file()
    assert (clocks.due(number), clocks.fires(number)) == ("next mon 10:00", ("fri 16:00", "warning", 1))


@pytest.mark.parametrize("status", ["Withdrawn", "Cancelled"])
def test_p22_the_clocks_of_an_abandoned_ticket_are_cancelled(clocks: Any, status: str) -> None:
    clocks.policy(targets=target("8h", first_response="1h"), escalations=[{"after": "1h"}])
    number = clocks.file()
    clocks.at("mon 09:30").status(number, status)
    assert clocks.metrics(number) == {("resolution", 1): "cancelled", ("first_response", 1): "cancelled"}
    assert not SlaClock.select().where(SlaClock.next_fire_at.is_null(False)).exists()


def test_p23_a_policy_that_comes_when_it_is_too_late_fires_one_breach_that_says_so(clocks: Any) -> None:
    number = clocks.file()
    assert clocks.metrics(number) == {}
    clocks.at("tue 16:00")
    clocks.policy(targets=target("4h"), warnings=[{"percent": 50}, {"percent": 75}], escalations=[{"after": "1h"}])
    apply(clocks, number)
    assert clocks.clock(number).on_attach
    assert clocks.fire(number) == ("breach", 0)
    assert SlaEvent.get().on_attach and clocks.fires(number) == (None, None, None)


def test_p24_of_several_policies_the_highest_rank_holds_and_the_reason_names_them(clocks: Any) -> None:
    clocks.policy("Everything", rank=1, targets=target("40h"))
    clocks.policy("Support", rank=50, match={"category": ["it support"], "department": ["IT*"]}, targets=target("8h"))
    clocks.policy("Board", rank=90, match={"requester": {"email": ["*@board.example.com"]}}, targets=target("2h"))
    number = clocks.file()
    assert clocks.due(number) == "mon 17:00"
    reason = SlaMatch.get().reason
    assert reason == clocks.clock(number).match_reason
    assert reason == ("'Support' (rank 50) matches category IT Support, department IT Department; so do 'Everything' (rank 1)")
    other = clocks.file(employee={"id": 9, "name": "Bea", "email": "Bea@Board.example.com"})
    assert clocks.due(other) == "mon 11:00"
