"""Firing: what is due fires once, in order, from what the rows say; people are told once; what changed meanwhile counts."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from baton.actors.scheduler_lease import Leadership, NoLongerLeadingError
from baton.actors.workflow import firing
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent, Task, TaskItem, TicketChange, TicketReply, TicketSnapshot
from baton.models.workflow import firing_store as store
from tests.actors.workflow.passing_time import clock, fired, outgoing, pass_time, promise
from tests.factories import BACKENDS

HOUR = 3600


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """People are told: the setting `notifications` is on."""
    monkeypatch.setenv("BATON_NOTIFICATIONS", "on")
    get_settings.cache_clear()


def notices() -> list[tuple[str, str]]:
    """Return who was told of what, in order."""
    return [(each["user_id"], each["notification_type"]) for each in outgoing("create_sla_notification")]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_clock_warns_is_breached_and_escalates_each_once_and_says_what_comes_next(desk: Any, told: None) -> None:
    promise()
    desk.file(submitted_at=None)
    assert firing.fire_clocks("workflow") == 0
    for hours, expected in ((6, ("warning", 1)), (2, ("breach", 0)), (1, ("escalation", 1))):
        pass_time(hours * HOUR + 1)
        assert firing.fire_clocks("workflow") == 1
        assert firing.fire_clocks("workflow") == 0, "twice is once"
        assert fired()[-1] == expected
    assert fired() == [("warning", 1), ("breach", 0), ("escalation", 1)]
    assert (clock().state, clock().next_fire_at) == ("running", None)
    assert not SlaEvent.select().where(SlaEvent.late).exists()
    live = outgoing("messaging.tickets.event")
    assert [each["kind"] for each in live] == ["sla_warning", "sla_breach", "sla_breach"]
    assert all(each["staff_only"] for each in live)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_assignee_and_the_owner_are_warned_and_the_assignee_and_the_manager_are_told_of_a_breach(
    desk: Any, told: None
) -> None:
    promise(escalations=[])
    desk.role("9", "Chief", 91, 92)
    desk.file(submitted_at=None)
    item, task = TaskItem.get(), Task.get()
    pass_time(6 * HOUR + 1)
    firing.fire_clocks("workflow")
    assert notices() == [(item.assignee, "sla_warning"), (task.owner_user_id, "sla_warning")]
    from baton.models.workflow import Role, Step

    Step.update(escalation_role=Role.get(Role.name == "Chief").id).where(Step.id == item.step).execute()
    pass_time(2 * HOUR)
    firing.fire_clocks("workflow")
    assert notices()[2:] == [(item.assignee, "sla_breach"), ("91", "sla_breach"), ("92", "sla_breach")]


@pytest.mark.parametrize("backend", BACKENDS)
def test_after_hours_without_a_scheduler_each_level_is_kept_once_as_late_and_people_are_told_once(desk: Any, told: None) -> None:
    promise()
    desk.file(3, submitted_at=None)
    pass_time(24 * HOUR)
    assert firing.fire_clocks("workflow") == 9
    assert fired().count(("warning", 1)) == fired().count(("breach", 0)) == fired().count(("escalation", 1)) == 3
    assert SlaEvent.select().where(~SlaEvent.late).count() == 0
    people = notices()
    tickets = [each["related_ticket_number"] for each in outgoing("create_sla_notification")]
    assert len(set(zip(people, tickets, strict=True))) == len(people), "nobody is told of a ticket twice"
    assert {kind for _, kind in people} == {"sla_breach"}
    assert len(outgoing("messaging.tickets.event")) == 3


def test_who_would_be_told_of_very_many_late_ones_gets_one_list(desk: Any, told: None) -> None:
    promise(escalations=[], breach={"tell": ["user:77"]}, warnings=[])
    numbers = desk.file(12, submitted_at=None)
    pass_time(24 * HOUR)
    firing.fire_clocks("workflow")
    [message] = outgoing("create_sla_notification")
    assert (message["user_id"], message["metadata"]["tickets"]) == ("77", numbers)
    assert message["related_ticket_number"] is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_paused_clock_fires_nothing_though_nobody_has_heard_of_the_pause(desk: Any) -> None:
    promise()
    [number] = desk.file(submitted_at=None)
    pass_time(5 * HOUR)
    with write_tx("workflow") as tx:  # as putting on hold does; its message is not handled yet
        TicketSnapshot.update(status="On Hold").execute()
        TicketChange.insert(ticket_number=number, field="status", value="On Hold", at=tx.now).execute()
    pass_time(10 * HOUR)
    assert firing.fire_clocks("workflow") == 0
    assert (clock().state, clock().next_fire_at, fired()) == ("paused", None, [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_reply_in_time_that_is_heard_of_late_makes_the_verdict_met_and_takes_the_breach_back(desk: Any, told: None) -> None:
    promise(targets={"first_response": "1h"}, warnings=[], escalations=[])
    [number] = desk.file(submitted_at=None)
    pass_time(HOUR + 90)
    assert firing.fire_clocks("workflow") == 1
    from baton.pipelines.messages import NoteReply

    written = (clock("first_response").due_at - timedelta(seconds=1)).isoformat()
    desk.send(NoteReply(ticket_number=number, comment_id="c1", side="staff", author="user:11", written_at=written))
    assert clock("first_response").state == "met"
    assert (fired(), fired(taken_back=True)) == ([], [("breach", 0)])
    assert firing.fire_clocks("workflow") == 0
    assert TicketReply.select().count() == 1
    told_of = {each["metadata"]["event"] for each in outgoing("create_sla_notification")}
    assert {each["event"] for each in outgoing("retract_notifications")} == told_of != set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_past_due_when_the_policy_came_is_kept_and_nobody_is_told(desk: Any, told: None) -> None:
    [number] = desk.file(submitted_at="2026-06-01T08:00:00+00:00")
    promise()
    from baton.pipelines.messages import TrackClocks

    with write_tx("workflow") as tx:
        now = tx.now.isoformat()
    desk.send(TrackClocks(ticket_numbers=[number], apply_for="user:1", apply_at=now))
    firing.fire_clocks("workflow")
    assert fired()[0] == ("breach", 0)
    assert SlaEvent.select().order_by(SlaEvent.id).first().on_attach
    assert ("warning", 1) not in fired()


@pytest.mark.parametrize("backend", BACKENDS)
def test_clocks_fire_oldest_first_however_many_batches_it_takes(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 3)
    promise(escalations=[], warnings=[])
    desk.file(8, submitted_at=None)
    pass_time(10 * HOUR)
    ids = [each.id for each in SlaClock.select().order_by(SlaClock.id)]
    for place, each in enumerate(reversed(ids)):
        moment = db.now("workflow") - timedelta(minutes=60 - place)
        SlaClock.update(next_fire_at=moment).where(SlaClock.id == each).execute()
    assert firing.fire_clocks("workflow") == 8
    assert [event.clock for event in SlaEvent.select().order_by(SlaEvent.id)] == ids[::-1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_that_fire_at_once_fire_each_level_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 5)
    promise()
    desk.file(40, submitted_at=None)
    pass_time(24 * HOUR)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(firing.fire_clocks("workflow"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.append(firing.fire_clocks("workflow"))
    assert sum(counts) == SlaEvent.select().count() == 120
    assert len(outgoing("messaging.tickets.event")) == 40


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crash_before_the_commit_leaves_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    promise()
    desk.file(submitted_at=None)
    pass_time(24 * HOUR)
    before = clock().next_fire_at

    def crash(_tx: Any) -> None:
        raise SystemExit  # nothing may catch it

    monkeypatch.setattr(firing, "fence", crash)
    with pytest.raises(SystemExit):
        firing.fire_clocks("workflow")
    assert (fired(), clock().next_fire_at, outgoing("messaging")) == ([], before, [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_leader_that_lost_its_lease_in_the_middle_fires_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    promise()
    desk.file(submitted_at=None)
    pass_time(24 * HOUR)
    held, other = Leadership("workflow", "a:1", "A"), Leadership("workflow", "b:1", "B")
    assert held.keep()
    announce = firing.announce_fired

    def meanwhile(tx: Any, *rest: Any) -> None:
        announce(tx, *rest)
        lease = runtime_tables("workflow").Lease
        lease.update(holder="b:1", token=lease.token + 1).execute()

    monkeypatch.setattr(firing, "announce_fired", meanwhile)
    with held.acting(), pytest.raises(NoLongerLeadingError):
        firing.fire_clocks("workflow")
    assert (fired(), outgoing("messaging")) == ([], [])
    monkeypatch.undo()
    assert not other.keep(), "the test's update went with the transaction"
    with held.acting():
        assert firing.fire_clocks("workflow") == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_next_run_is_when_the_next_clock_is_due(desk: Any) -> None:
    assert store.next_due("workflow") is None
    promise()
    desk.file(submitted_at=None)
    assert store.next_due("workflow") == clock().next_fire_at
    pass_time(24 * HOUR)
    due = store.next_due("workflow")
    assert due is not None
    assert abs((due - db.now("workflow")).total_seconds()) < 5, "now"
