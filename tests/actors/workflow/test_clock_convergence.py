"""Whatever happens to a ticket: tracked after each change, now and then, twice, or once at the end, its clocks end equal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from baton.models.workflow import SlaClock, SlaEvent, SlaMatch, SlaPause
from baton.pipelines.messages import NoteReply
from baton.pipelines.statuses import TICKET_TRANSITIONS
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
#: Columns that count what was written, or name rows.
_OWN = ("id", "ticket_number", "version", "updated_at", "item", "clock")
STATUSES = ("On Hold", "In Progress", "Resolved", "Closed", "Withdrawn", "Cancelled", "Pending")
PRIORITIES = ("Low", "High", "Odd")

#: Minutes since what happened before, what happens, and whether the first of the two tickets is tracked then.
happenings = st.tuples(
    st.integers(0, 900),
    st.sampled_from([*(("status", each) for each in STATUSES), *(("priority", each) for each in PRIORITIES),
                     ("reply", "staff"), ("reply", "requester")]),
    st.booleans(),
)  # fmt: skip


def offer(clocks: Any) -> None:
    """Offer policies that differ in everything that a change of priority may change."""
    escalating = {"warnings": [{"percent": 50}], "escalations": [{"after": "1h"}]}
    clocks.policy(
        "Low", match={"priority": ["Low"]}, targets={"first_response": "4h", "next_response": "2h", "resolution": "20h"},
        reopening="new_cycle", pauses={"waiting_for_requester": True}, steps={"share": True}, **escalating,
    )  # fmt: skip
    clocks.policy(
        "High", match={"priority": ["High"]}, targets={"next_response": "1h", "resolution": "5h"}, change="from_change",
        resolved_without_reply="cancels", **escalating,
    )  # fmt: skip


def seen(number: str) -> tuple[list[Any], ...]:
    """Return a ticket's matches, clocks and pauses, without what counts writes."""
    clocks = list(SlaClock.select().where(SlaClock.ticket_number == number).dicts())
    pauses = [list(SlaPause.select().where(SlaPause.clock == clock["id"]).dicts()) for clock in clocks]
    matched = SlaMatch.select().where(SlaMatch.ticket_number == number).order_by(SlaMatch.number).dicts()
    plain = [{name: value for name, value in row.items() if name not in _OWN} for row in clocks]
    for clock, held in zip(plain, pauses, strict=True):
        if clock["next_fire_kind"] == "projected":
            clock["next_level"] = "the ticket's own item"
        clock["pauses"] = sorted((str(row["from_at"]), str(row["to_at"]), row["reason"]) for row in held)
    told = [{name: row[name] for name in ("number", "at", "policy_version", "mode", "reason")} for row in matched]
    return told, sorted(plain, key=str)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=st.lists(happenings, max_size=12), shuffle=st.randoms())
@example(
    happened=[(60, ("status", "On Hold"), True), (60, ("priority", "High"), False), (0, ("status", "In Progress"), False),
              (600, ("status", "Resolved"), True), (10, ("priority", "Low"), False), (60, ("status", "Pending"), False)],
    shuffle=None,
)  # fmt: skip
@example(
    happened=[(0, ("priority", "High"), True), (0, ("priority", "Low"), False), (30, ("priority", "High"), True),
              (0, ("priority", "Odd"), True), (0, ("priority", "High"), True), (0, ("priority", "Low"), False)],
    shuffle=None,
)  # fmt: skip
def test_however_often_and_late_tickets_are_tracked_their_clocks_end_equal(
    clocks: Any, happened: Sequence[tuple[int, tuple[str, str], bool]], shuffle: Any
) -> None:
    if SlaMatch.select().count() == 0:
        offer(clocks)
    clocks.at("mon 09:00")
    prompt, late = clocks.file(priority="Low"), clocks.file(priority="Low")
    status, priority = "Pending", "Low"
    replies = []
    for minutes, (kind, value), track in happened:
        clocks.now += timedelta(minutes=minutes)
        if kind == "status" and value in TICKET_TRANSITIONS[status]:
            status = value
            for number in (prompt, late):
                clocks.status(number, value, track=False)
        elif kind == "priority" and value != priority:
            priority = value
            for number in (prompt, late):
                clocks.rename(number, priority=value, track=False)
        elif kind == "reply":
            replies.append((value, clocks.now))
            clocks.reply(prompt, value)
        if track:
            clocks.track(prompt)
    if shuffle is not None:
        shuffle.shuffle(replies)
    for side, at in replies:
        told = NoteReply(ticket_number=late, comment_id=f"{late}-{side}-{at}", side=side, author="x:1", written_at=at.isoformat())
        clocks.desk.send(told, told)
    clocks.track(prompt, late)
    clocks.track(late)
    assert seen(prompt) == seen(late)
    assert SlaEvent.select().count() == 0


def test_changes_whose_transactions_overtook_each_other_count_in_the_order_in_which_they_were_written(clocks: Any) -> None:
    offer(clocks)
    prompt, late = clocks.at("mon 09:00").file(priority="Low"), clocks.file(priority="Low")
    # The second one began earlier, and waited for the ticket.
    for at, priority in (("mon 11:00", "High"), ("mon 10:59", "Odd"), ("mon 10:58", "Low"), ("mon 12:00", "High")):
        clocks.at(at).rename(prompt, priority=priority)
        clocks.rename(late, priority=priority, track=False)
    clocks.track(late)
    assert seen(prompt) == seen(late)
    assert [(match.number, match.mode) for match in SlaMatch.select().where(SlaMatch.ticket_number == late)] == [
        (1, "start"), (2, "kept"), (3, "from_change"),
    ]  # fmt: skip
