"""Rooms follow what workflow tells of tickets: newest version only, changes and events once, in the stream."""

from __future__ import annotations

import itertools
import json

import pytest

from baton.actors.handling import NotYetError
from baton.actors.messaging.rooms import follow_ticket, tell_ticket_event
from baton.models.messaging import Entry, Room
from baton.models.transaction import write_tx
from tests.actors.messaging.conftest import Hall
from tests.conversing import counted, followed, happened
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
NUMBER = "HD-00000001"


def test_a_room_is_as_the_ticket_was_told(hall: Hall) -> None:
    hall.follow(NUMBER, 1)

    room = hall.room(NUMBER)
    assert (room.version, room.status, room.owner, room.requester_employee_id) == (1, "Open", "2", "101")
    assert json.loads(room.roles) == ["tts:IT Manager"] and json.loads(room.participants) == ["2", "31"]
    assert hall.stream(NUMBER) == []


def test_a_change_of_status_and_of_assignee_is_told_to_everybody_in_the_room(hall: Hall) -> None:
    hall.follow(NUMBER, 1)
    hall.follow(NUMBER, 2, status="In Progress", assignees=[{"user_id": "32", "name": "Ned", "step": "Resolve"}])

    assert hall.stream(NUMBER) == [(1, "status_changed", "public"), (2, "assignment_changed", "public")]
    texts = [row.body for row in Entry.select().order_by(Entry.number)]
    assert texts == ["Status: Open → In Progress", "Now with Ned (Resolve)"]
    assert hall.room(NUMBER).last_number == 2


def test_news_that_come_twice_change_nothing_more(hall: Hall) -> None:
    for _ in range(2):
        hall.follow(NUMBER, 1)
        hall.follow(NUMBER, 2, status="In Progress")

    assert hall.stream(NUMBER) == [(1, "status_changed", "public")]


def test_news_in_any_order_leave_the_newest(hall: Hall) -> None:
    for place, versions in enumerate(itertools.permutations((1, 2, 3))):
        number = f"HD-{place:08d}"
        for version in versions:
            hall.follow(number, version, status=["Open", "In Progress", "Resolved"][version - 1])
        assert (hall.room(number).status, hall.room(number).version) == ("Resolved", 3)
        assert len(hall.stream(number)) <= 2


def test_news_without_a_version_are_refused(hall: Hall) -> None:
    (delivery,) = hall.follow(NUMBER, None)

    assert delivery.refusal is not None
    assert Room.select().count() == 0


def test_a_crash_before_the_commit_leaves_neither_room_nor_events(hall: Hall) -> None:
    hall.follow(NUMBER, 1)
    with pytest.raises(RuntimeError), write_tx("messaging") as tx:
        follow_ticket.handle(tx, [followed(NUMBER, 2, status="Resolved"), followed("HD-00000002", 1)])
        raise RuntimeError("the process dies here")

    assert (hall.room(NUMBER).status, hall.room(NUMBER).last_number, Room.select().count()) == ("Open", 0, 1)
    assert hall.stream(NUMBER) == []


def test_a_batch_takes_as_many_statements_as_one_message(hall: Hall) -> None:
    few, many = [f"HD-1{n:07d}" for n in range(2)], [f"HD-2{n:07d}" for n in range(40)]
    for numbers in (few, many):
        hall.handle(follow_ticket, [followed(number) for number in numbers])
    counts = []
    for numbers in (few, many):
        with counted("messaging") as statements:
            hall.handle(follow_ticket, [followed(number, 2, status="Resolved") for number in numbers])
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 8


def test_an_event_is_in_the_stream_once_and_for_staff(hall: Hall) -> None:
    hall.follow(NUMBER, 1)
    for _ in range(2):
        hall.tell(NUMBER, "breach-1", kind="sla_breach", text="First response was due")
    hall.tell(NUMBER, "note-2", kind="merged", staff_only=False)

    assert hall.stream(NUMBER) == [(1, "sla_breach", "internal"), (2, "merged", "public")]
    first = Entry.get(Entry.number == 1)
    assert first.created_at.isoformat() == "2026-06-01T08:00:00+00:00"


def test_an_event_of_a_ticket_that_is_not_known_yet_is_tried_again_later(hall: Hall) -> None:
    with pytest.raises(NotYetError):
        hall.tell(NUMBER, "early")
    hall.follow(NUMBER, 1)
    hall.tell(NUMBER, "early")

    assert len(hall.stream(NUMBER)) == 1


@pytest.mark.parametrize("wrong", ["yesterday", "2026-06-01T08:00:00", ""])
def test_an_event_at_no_instant_is_refused_and_the_rest_of_its_batch_kept(hall: Hall, wrong: str) -> None:
    hall.follow(NUMBER, 1)
    deliveries = [happened(NUMBER, "a", happened_at=wrong), happened(NUMBER, "b")]
    hall.handle(tell_ticket_event, deliveries)

    assert [delivery.refusal is not None for delivery in deliveries] == [True, False]
    assert len(hall.stream(NUMBER)) == 1


def test_a_crash_before_the_commit_leaves_no_event(hall: Hall) -> None:
    hall.follow(NUMBER, 1)
    with pytest.raises(RuntimeError), write_tx("messaging") as tx:
        tell_ticket_event.handle(tx, [happened(NUMBER, "a")])
        raise RuntimeError("the process dies here")

    assert hall.stream(NUMBER) == [] and hall.room(NUMBER).last_number == 0
