"""Talking in a ticket's room over a WebSocket: what everybody gets, in which order, and how resending and coming back work."""

from __future__ import annotations

import pytest

from baton.models.database import read_tx
from baton.models.messaging import Entry
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.live.talk import Join


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_comment_reaches_everybody_in_the_room_and_its_writer_hears_its_number(join: Join) -> None:
    staff, requester = join(), join(EMPLOYEE)
    staff.write("Have you tried *turning* it off?", user_id="1", client_id="a")
    ack = staff.next("ack")
    assert (ack["client_id"], ack["number"], ack["new"]) == ("a", 1, True)
    for talker in (staff, requester):
        comment = (talker.frames[-2] if talker is staff else talker.next("comment_message"))["comment"]
        assert comment["body"] == "Have you tried *turning* it off?"
        assert comment["author"] == {"id": "user:3", "name": "Tom Technician", "side": "staff"}
        assert (comment["number"], comment["client_id"]) == (1, None)
        assert (comment["content"], comment["user_id"]) == (comment["body"], 3), "where clients of the former service look"
    requester.write("Yes.")
    frames = staff.next("comment_message"), requester.next("comment_message")
    assert [(frame["number"], frame["comment"]["user_id"]) for frame in frames] == [(2, "employee:101")] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_s_2_a_comment_sent_twice_is_there_once(join: Join) -> None:
    staff = join()
    for _ in range(2):
        staff.write("Once", client_id="same")
    assert [staff.next("ack")["new"], staff.next("ack")["new"]] == [True, False]
    staff.write("Another", client_id="other")
    assert staff.next("ack")["number"] == 2
    assert [frame["number"] for frame in staff.frames if frame["type"] == "comment_message"] == [1, 2]
    with read_tx("messaging"):
        assert Entry.select().count() == 2


def test_s_1_whoever_comes_back_gets_what_was_missed_once_and_in_order(join: Join) -> None:
    staff = join()
    for number in range(25):
        staff.write(f"Comment {number}")
    for _ in range(25):
        staff.next("ack")
    late = join(EMPLOYEE, "?since=20")
    staff.write("And one more")
    assert [late.next("comment_message")["number"] for _ in range(6)] == [21, 22, 23, 24, 25, 26]
    new = join(EMPLOYEE)
    staff.write("The last")
    assert new.next("comment_message")["number"] == 27
