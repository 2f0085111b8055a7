"""Who sees a room and what may be written there, by plain values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.conversation import (
    MAX_MENTIONS,
    CommentRefusedError,
    RoomFacts,
    Viewer,
    changes_between,
    check_mentions,
    decide_comment,
    decide_deletion,
    decide_edit,
    may_see,
    may_see_entry,
    mentionable,
    side_of,
    viewer_of,
)
from baton.pipelines.permissions import ANONYMOUS, Principal

ROOM = RoomFacts(
    ticket_number="HD-1",
    requester_employee_id="101",
    requester_user_id="9",
    requester_email="Eve@Example.com",
    owner="2",
    participants=frozenset({"30"}),
    assignees={"31": "Mia"},
    roles=frozenset({"tts:IT Manager"}),
)
ROLES = ["tts:Admin", "tts:Ticket Coordinator", "tts:IT Manager", "tts:Other", "hdts:Admin", "hdts:Ticket Coordinator",
         "hdts:Employee", "ams:Admin"]  # fmt: skip
principals = st.builds(
    Principal,
    kind=st.sampled_from(["user", "employee", "service", "anonymous"]),
    id=st.sampled_from(["101", "9", "2", "30", "31", "77", "operator", "workflow", ""]),
    email=st.sampled_from(["", "eve@example.com", "other@example.com"]),
    roles=st.frozensets(st.sampled_from(ROLES)),
)
rooms = st.builds(
    RoomFacts,
    ticket_number=st.just("HD-1"),
    requester_employee_id=st.sampled_from([None, "101", "30"]),
    requester_user_id=st.sampled_from([None, "9", "31"]),
    requester_email=st.sampled_from([None, "", "eve@example.com"]),
    owner=st.sampled_from([None, "2"]),
    participants=st.frozensets(st.sampled_from(["30", "31", "77"])),
    assignees=st.sampled_from([None, {}, {"31": "Mia"}]),
    roles=st.frozensets(st.sampled_from(ROLES)),
)


@given(principals, rooms)
def test_notes_are_for_staff_with_a_role_on_the_workflow_side_who_are_not_the_requester(who: Principal, room: RoomFacts) -> None:
    viewer = viewer_of(who, room)
    assert may_see(who, room) == (viewer is not None) and side_of(who, room) == (viewer.side if viewer else None)
    if viewer is None or not viewer.sees_internal:
        return
    assert who.kind in ("user", "service")
    assert who.kind == "service" or any(role.startswith("tts:") for role in who.roles)
    assert who.id != room.requester_user_id or who.kind == "service"
    assert not room.requester_email or who.email != room.requester_email or who.kind == "service"


@given(principals, rooms)
def test_an_employee_sees_their_own_room_and_no_other(who: Principal, room: RoomFacts) -> None:
    if who.kind == "employee":
        by_number = room.requester_employee_id == who.id
        by_address = room.requester_employee_id is None and bool(who.email) and who.email == room.requester_email
        assert may_see(who, room) == (by_number or by_address)


@given(rooms)
def test_nobody_signed_in_sees_nothing(room: RoomFacts) -> None:
    assert not may_see(ANONYMOUS, room)


def test_the_sides() -> None:
    staff = Principal("user", "31", roles=frozenset({"tts:Other"}))
    assert viewer_of(staff, ROOM) == Viewer("user:31", "staff", sees_internal=True)
    assert viewer_of(replace(staff, roles=frozenset()), ROOM) is None
    assert viewer_of(replace(staff, email="EVE@example.COM"), ROOM) == Viewer("user:31", "requester")
    assert viewer_of(Principal("user", "51", roles=frozenset({"hdts:Admin"})), ROOM) == Viewer("user:51", "staff")
    assert viewer_of(Principal("user", "1", roles=frozenset({"tts:Admin"})), ROOM) == Viewer(
        "user:1", "staff", sees_internal=True, coordinates=True
    )


def test_what_is_neither_public_nor_internal_is_seen_by_nobody() -> None:
    assert not may_see_entry(Viewer("user:1", "staff", sees_internal=True, coordinates=True), "secret")


REQUESTER = Viewer("employee:101", "requester")
STAFF = Viewer("user:31", "staff", sees_internal=True)


def refusal(error: pytest.ExceptionInfo[CommentRefusedError]) -> str:
    """Return the field that a refusal names."""
    return error.value.field


@pytest.mark.parametrize(
    ("viewer", "fields", "field"),
    [
        (REQUESTER, {"visibility": "internal"}, "visibility"),
        (STAFF, {"visibility": "everybody"}, "visibility"),
        (STAFF, {"body": " \n\t"}, "body"),
        (STAFF, {"body": "x" * 20_001}, "body"),
        (STAFF, {"attachments": 11}, "attachments"),
        (STAFF, {"mentions": ["user:2", "user:404"]}, "mentions.1"),
        (STAFF, {"mentions": ["employee:101"], "visibility": "internal"}, "mentions.0"),
        (STAFF, {"mentions": ["user:9"], "visibility": "internal"}, "mentions.0"),
    ],
)
def test_a_comment_that_may_not_be_is_refused_by_field(viewer: Viewer, fields: dict[str, object], field: str) -> None:
    wanted = {"body": "hello", "visibility": "public", **fields}
    with pytest.raises(CommentRefusedError) as error:
        decide_comment(viewer, ROOM, **wanted)  # type: ignore[arg-type]
    assert refusal(error) == field


def test_a_comment_of_files_alone_needs_no_words() -> None:
    assert decide_comment(REQUESTER, ROOM, body="", visibility="public", attachments=1) == ()


def test_mentions_are_counted_once_and_are_not_too_many() -> None:
    assert check_mentions(ROOM, "public", ["user:2", "user:2", "employee:101"]) == ("user:2", "employee:101")
    crowd = replace(ROOM, participants=frozenset(map(str, range(100, 100 + MAX_MENTIONS + 1))))
    with pytest.raises(CommentRefusedError):
        check_mentions(crowd, "public", [f"user:{n}" for n in range(100, 100 + MAX_MENTIONS + 1)])


def test_staff_who_are_the_requester_are_mentioned_as_that_and_not_in_notes() -> None:
    room = replace(ROOM, requester_user_id="30")
    assert mentionable(room, "internal") == ("user:2", "user:31")
    assert mentionable(room, "public") == ("user:2", "user:31", "employee:101", "user:30")


@pytest.mark.parametrize(
    "changes",
    [{"author": "user:2"}, {"kind": "event"}, {"deleted": True}, {"imported": True}, {"age_seconds": 61.0}],
)
def test_only_its_author_changes_a_standing_comment_within_its_time(changes: dict[str, object]) -> None:
    own = {"author": "user:31", "kind": "comment", "deleted": False, "imported": False, "age_seconds": 60.0, "within": 60}
    decide_edit(STAFF, **own)  # type: ignore[arg-type]
    decide_edit(STAFF, **{**own, "age_seconds": 1e9, "within": 0})  # type: ignore[arg-type]
    with pytest.raises(CommentRefusedError):
        decide_edit(STAFF, **{**own, **changes})  # type: ignore[arg-type]


def test_its_author_and_coordinators_delete_a_comment_and_nobody_an_event() -> None:
    coordinator = Viewer("user:2", "staff", sees_internal=True, coordinates=True)
    decide_deletion(STAFF, author="user:31", kind="comment")
    decide_deletion(coordinator, author="user:31", kind="comment")
    for viewer, kind in ((STAFF, "comment"), (coordinator, "event")):
        with pytest.raises(CommentRefusedError):
            decide_deletion(viewer, author="user:77", kind=kind)


def test_what_changed_on_a_ticket_is_told_and_nothing_else_is() -> None:
    mia = {"user_id": "31", "name": "Mia", "step": "Resolve"}
    ned = {"user_id": "32", "name": "", "step": "Resolve"}
    before = {"status": "Open", "assignees": [mia, ned]}
    assert changes_between(before, {"status": "Open", "assignees": [ned, mia, mia]}) == ()
    found = changes_between(before, {"status": "Resolved", "assignees": [ned]})
    assert [(kind, text) for kind, text, _ in found] == [
        ("status_changed", "Status: Open → Resolved"),
        ("assignment_changed", "Now with 32 (Resolve)"),
    ]
    assert [text for _, text, _ in changes_between(before, {"status": "Open", "assignees": []})] == [
        "Waiting for somebody to take it"
    ]
