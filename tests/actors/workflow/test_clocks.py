"""Tracking: clocks follow the life of tickets, whatever happens to the messages about it."""

from __future__ import annotations

from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models import database
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent, SlaMatch, SlaPause, TicketChange, TicketReply
from baton.pipelines.messages import NoteReply, ReceiveTicket, ReopenTicket, TrackClocks, WithdrawTicket
from tests.actors.workflow.clock_desk import when
from tests.factories import BACKENDS, ticket_data

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
EVERYTHING = {"first_response": "4h", "next_response": "1h", "resolution": "10h"}


def rows() -> tuple[list[dict[str, Any]], ...]:
    """Return everything that tracking writes."""
    tables = (SlaMatch, SlaClock, SlaPause, SlaEvent, TicketReply)
    return tuple(list(table.select().order_by(table._meta.primary_key).dicts()) for table in tables)


def reply(number: str, comment: str = "c1", **changes: Any) -> NoteReply:
    told = {"side": "staff", "author": "user:11", "written_at": "2026-06-01T08:00:00+00:00"}
    return NoteReply(ticket_number=number, comment_id=comment, **{**told, **changes})


def test_a_new_ticket_has_its_clocks_from_its_submission_on(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING, steps={"share": True})
    number = clocks.file()
    assert clocks.metrics(number) == {("first_response", 1): "running", ("resolution", 1): "running", ("step", 1): "running"}
    step = clocks.clock(number, "step")
    assert (step.item, step.target_seconds, step.started_at) == (clocks.item(number).id, 7200, clocks.now)
    assert clocks.due(number, "step") == "mon 11:00"


def test_a_ticket_that_waited_in_a_queue_counts_from_its_submission(clocks: Any) -> None:
    clocks.policy(targets={"first_response": "4h"})
    submitted = when("mon 09:00").isoformat()
    (late,) = clocks.at("mon 15:00").desk.file(submitted_at=submitted)
    (future,) = clocks.desk.file(submitted_at=when("tue 09:00").isoformat())
    (unread,) = clocks.desk.file(submitted_at="yesterday")
    assert (clocks.due(late, "first_response"), clocks.clock(late, "first_response").on_attach) == ("mon 13:00", True)
    assert [clocks.due(number, "first_response") for number in (future, unread)] == ["tue 11:00", "tue 11:00"]


def test_tracking_again_changes_nothing(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    number = clocks.file()
    clocks.at("mon 10:00").status(number, "On Hold")
    before = rows()
    clocks.at("mon 11:00").track(number, number)
    clocks.desk.handle(*(delivery_of(TrackClocks(ticket_numbers=[number, "HD-404"])) for _ in range(3)))
    assert rows() == before


def test_messages_that_come_late_leave_what_they_would_have_left_in_time(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    prompt, late = clocks.file(), clocks.file()
    for at, status in (("mon 10:00", "On Hold"), ("mon 12:00", "In Progress"), ("mon 16:00", "Resolved")):
        clocks.at(at).status(prompt, status)
        clocks.status(late, status, track=False)
    clocks.at("fri 09:00").track(late)
    assert clocks.metrics(late) == clocks.metrics(prompt) == {("first_response", 1): "breached", ("resolution", 1): "met"}
    assert clocks.paused(late) == clocks.paused(prompt) and clocks.due(late) == clocks.due(prompt)


def test_a_command_that_cannot_be_understood_is_refused_and_the_others_apply(clocks: Any) -> None:
    clocks.policy()
    number = clocks.file()
    SlaClock.delete().execute()
    wrong = [delivery_of(TrackClocks(ticket_numbers=[number], apply_for="user:1", apply_at=at)) for at in (None, "now")]
    clocks.desk.handle(*wrong, delivery_of(TrackClocks(ticket_numbers=[number])))
    assert all(each.refusal for each in wrong) and SlaClock.select().count() == 1


@pytest.mark.parametrize("message", [TrackClocks(ticket_numbers=["HD-1"]), reply("HD-1")])
def test_a_crash_before_the_commit_leaves_nothing(clocks: Any, message: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    clocks.desk.send(ReceiveTicket(payload=ticket_data("HD-1")))
    before = rows()
    with pytest.raises(ZeroDivisionError), write_tx("workflow") as tx:
        clocks.desk.actors[message.name].handle(tx, [delivery_of(message)])
        raise ZeroDivisionError
    assert rows() == before
    clocks.desk.send(message)
    assert rows() != before


def test_a_reply_is_noted_once_and_stops_the_response(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    number = clocks.file()
    clocks.at("mon 12:00")
    for _ in range(2):
        clocks.desk.send(reply(number), reply(number), reply(number, side="requester"))
    assert TicketReply.select().count() == 1
    assert clocks.clock(number, "first_response").stopped_at == when("mon 10:00")


def test_replies_out_of_order_leave_the_same_waits(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    number = clocks.file()
    clocks.at("tue 09:00")
    for side, at in (("requester", "mon 11:00"), ("staff", "mon 11:30"), ("requester", "mon 12:00"), ("staff", "mon 10:00")):
        clocks.reply(number, side, at=at)
    assert clocks.metrics(number)["next_response", 1] == "met" and clocks.metrics(number)["next_response", 2] == "running"
    assert clocks.clock(number, "first_response").stopped_at == when("mon 10:00")
    assert (clocks.due(number, "next_response"), clocks.due(number, "next_response", cycle=2)) == ("mon 12:00", "mon 13:00")


def test_a_reply_that_overtakes_its_ticket_counts_when_the_ticket_comes(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING)
    clocks.at("mon 11:00").reply("HD-77", "staff", at="mon 10:30")
    assert SlaClock.select().count() == 0
    clocks.desk.send(ReceiveTicket(payload=ticket_data("HD-77") | {"submitted_at": when("mon 10:00").isoformat()}))
    clocks.desk.run()
    assert clocks.state("HD-77", "first_response") == "met"


@pytest.mark.parametrize(
    "wrong", [{"side": "watcher"}, {"written_at": "soon"}, {"written_at": "2026-06-01T08:00:00"}, {"author": "u" * 301}]
)
def test_a_reply_that_tells_nothing_is_refused_and_the_others_count(clocks: Any, wrong: dict[str, Any]) -> None:
    clocks.policy(targets=EVERYTHING)
    number = clocks.file()
    bad = delivery_of(reply(number, "c2", **wrong))
    clocks.desk.handle(bad, delivery_of(reply(number)))
    assert bad.refusal and TicketReply.select().count() == 1


def test_withdrawing_and_reopening_through_their_messages_ends_and_begins_a_cycle(clocks: Any) -> None:
    clocks.policy(targets=EVERYTHING, steps={"share": True})
    number = clocks.file()
    first = clocks.item(number).id
    clocks.at("mon 10:00").desk.send(WithdrawTicket(payload={"ticket": ticket_data(number)}, request_id="w"))
    clocks.desk.run()
    assert set(clocks.metrics(number).values()) == {"cancelled"}
    clocks.at("mon 11:00").desk.send(ReopenTicket(payload={"ticket": ticket_data(number)}, request_id="r"))
    clocks.desk.run()
    assert (clocks.due(number, cycle=2), clocks.state(number, cycle=2)) == ("tue 13:00", "running")
    assert clocks.state(number, "first_response", cycle=2) == "running"
    assert {(row.item == first, row.state) for row in SlaClock.select().where(SlaClock.metric == "step")} == {
        (True, "cancelled"),
        (False, "running"),
    }


def test_waiting_for_the_requester_pauses_the_resolution_where_the_policy_says_so(clocks: Any) -> None:
    clocks.policy("Waits", targets=EVERYTHING, match={"priority": ["Low"]}, pauses={"waiting_for_requester": True})
    clocks.policy("Runs", targets=EVERYTHING, match={"priority": ["High"]})
    waits, runs = clocks.file(priority="Low"), clocks.file(priority="High")
    for number in (waits, runs):
        clocks.at("mon 10:00").reply(number, "staff")
        clocks.at("mon 11:00").reply(number, "staff")
    assert (clocks.state(waits), clocks.due(waits)) == ("paused", None)
    for number in (waits, runs):
        clocks.at("mon 15:00").reply(number, "requester")
    assert (clocks.due(waits), clocks.due(runs)) == ("tue 16:00", "tue 11:00")
    assert clocks.paused(waits) == [("mon 10:00", "mon 15:00", "waiting for the requester")]


def test_the_match_is_kept_with_its_reason_for_each_change(clocks: Any) -> None:
    clocks.policy("Any", targets={"resolution": "20h"}, rank=1)
    clocks.policy("High", match={"priority": ["High"]}, rank=5)
    number = clocks.file()
    clocks.at("mon 10:00").rename(number, priority="High", track=False)
    clocks.at("mon 11:00").rename(number, department="Elsewhere", track=False)
    clocks.at("mon 12:00").rename(number, priority="Low")
    kept = [(row.number, row.mode, row.reason.split()[0], row.at) for row in SlaMatch.select().order_by(SlaMatch.number)]
    assert kept == [
        (1, "start", "'Any'", when("mon 09:00")),
        (2, "from_start", "'High'", when("mon 10:00")),
        (3, "kept", "'High'", when("mon 11:00")),
        (4, "from_start", "'Any'", when("mon 12:00")),
    ]
    assert TicketChange.select().where(TicketChange.field == "priority").count() == 2


def test_a_new_version_of_a_policy_counts_for_new_tickets_only(clocks: Any) -> None:
    clocks.policy()
    old = clocks.file()
    clocks.policy(targets={"resolution": "1h"})
    new = clocks.file()
    clocks.rename(old, department="Elsewhere")
    assert (clocks.due(old), clocks.due(new)) == ("mon 17:00", "mon 10:00")


def test_neither_the_tickets_in_a_batch_nor_those_stored_make_more_statements(
    clocks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.policy(targets=EVERYTHING, steps={"share": True})
    real = database.service_database("workflow").obj
    execute, statements = real.execute_sql, []
    monkeypatch.setattr(real, "execute_sql", lambda sql, *rest: statements.append(sql) or execute(sql, *rest))

    def cost(count: int, status: str | None = None) -> int:
        tickets = [ticket_data() for _ in range(count)]
        clocks.desk.send(*(ReceiveTicket(payload=ticket) for ticket in tickets))
        numbers = [ticket["ticket_number"] for ticket in tickets]
        clear_outbox()
        if status is not None:
            clocks.track(*numbers)
            for number in numbers:
                clocks.status(number, status, track=False)
        statements.clear()
        clocks.desk.send(TrackClocks(ticket_numbers=numbers))
        return len(statements)

    def clear_outbox() -> None:
        from baton.models.runtime import runtime_tables

        runtime_tables("workflow").Outbox.delete().execute()

    assert cost(1) == cost(50) == cost(1) <= 14, "tickets that are new"
    assert cost(1, "On Hold") == cost(50, "On Hold") == cost(1, "On Hold") <= 20, "tickets that changed"
