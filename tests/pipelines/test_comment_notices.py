"""What a new comment tells the clocks and people: P-15, N-6, N-7."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from baton.pipelines.comment_notices import Written, about_comment
from baton.pipelines.conversation import RoomFacts
from baton.pipelines.messages import NoteReply

ROOM = RoomFacts(
    ticket_number="HD-1",
    requester_employee_id="101",
    requester_email="eve@example.com",
    owner="2",
    participants=frozenset({"2", "30", "31"}),
    assignees={"31": "Mia"},
    roles=frozenset({"tts:IT Manager"}),
)
COMMENT = Written(
    number=7,
    author="user:31",
    author_name="Mia",
    side="staff",
    visibility="public",
    body="Try **this** zanzibar",
    mentions=(),
    written_at=datetime(2026, 6, 1, 8, tzinfo=UTC),
)
ASKED = replace(COMMENT, author="employee:101", author_name="Eve", side="requester")


def told(room: RoomFacts, comment: Written) -> dict[str, str]:
    """Return who is told, and as what."""
    notices: list[Any] = [each for each in about_comment(room, comment, notices=True) if not isinstance(each, NoteReply)]
    assert len({each.user_id for each in notices}) == len(notices), "nobody is told twice"
    return {each.user_id: each.notification_type for each in notices}


def replies(comment: Written) -> list[NoteReply]:
    """Return what the clocks are told."""
    return [each for each in about_comment(ROOM, comment, notices=False) if isinstance(each, NoteReply)]


def test_an_answer_of_staff_reaches_the_requester_and_the_other_staff_but_not_its_author() -> None:
    assert told(ROOM, COMMENT) == {"2": "comment_added", "30": "comment_added", "employee:101": "reply"}


def test_a_word_of_the_requester_reaches_staff_only() -> None:
    assert told(ROOM, ASKED) == {"2": "comment_added", "30": "comment_added", "31": "comment_added"}


def test_n_7_a_note_reaches_staff_only_and_none_of_its_text_goes_with_it() -> None:
    note = replace(COMMENT, visibility="internal")
    assert told(ROOM, note) == {"2": "comment_added", "30": "comment_added"}
    assert "zanzibar" not in str(about_comment(ROOM, replace(note, mentions=("user:2",)), notices=True))


@pytest.mark.parametrize("visibility", ["public", "internal"])
def test_staff_who_asked_for_the_ticket_themselves_are_told_as_its_requester_or_not_at_all(visibility: str) -> None:
    room = replace(ROOM, requester_employee_id=None, requester_user_id="30")
    found = told(room, replace(COMMENT, visibility=visibility))
    assert found == ({"2": "comment_added", "30": "reply"} if visibility == "public" else {"2": "comment_added"})


def test_a_requester_known_as_employee_and_as_user_is_one_person() -> None:
    room = replace(ROOM, requester_user_id="30")
    assert told(room, COMMENT) == {"2": "comment_added", "employee:101": "reply"}
    assert told(room, ASKED) == {"2": "comment_added", "31": "comment_added"}


def test_who_is_mentioned_is_told_that_instead() -> None:
    comment = replace(COMMENT, mentions=("user:2", "employee:101", "user:31"))
    assert told(ROOM, comment) == {"2": "mention", "employee:101": "mention", "30": "comment_added"}


def test_every_notice_names_the_comment_so_that_nobody_is_told_of_it_again() -> None:
    notices: list[Any] = [each for each in about_comment(ROOM, COMMENT, notices=True) if not isinstance(each, NoteReply)]
    assert {each.metadata["event"] for each in notices} == {"comment:HD-1:7"}
    assert {each.message for each in notices} == {"Mia wrote: Try this zanzibar"}
    assert {each.related_ticket_number for each in notices} == {"HD-1"}


def test_without_notifications_only_the_clocks_are_told() -> None:
    assert [type(each) for each in about_comment(ROOM, COMMENT, notices=False)] == [NoteReply]


def test_a_reply_of_either_side_is_told_to_the_clocks_as_that_sides() -> None:
    (answer,) = replies(COMMENT)
    assert (answer.side, answer.author, answer.comment_id, answer.written_at) == (
        "staff", "user:31", "HD-1:7", "2026-06-01T08:00:00+00:00",
    )  # fmt: skip
    assert [each.side for each in replies(ASKED)] == ["requester"]


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param(replace(COMMENT, visibility="internal"), id="internal note"),
        pytest.param(replace(COMMENT, side="system", author="service:operator"), id="a program's comment"),
    ],
)
def test_p_15_what_is_no_reply_of_a_person_to_the_other_stops_no_clock(comment: Written) -> None:
    assert replies(comment) == []
