"""P-15 from one end to the other: what is written over the conversation's front, and what it does to the ticket's clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.pipelines.messages import NoteReply
from baton.pipelines.permissions import Principal
from tests.actors.workflow.conftest import clocks, desk, empty_desk, seeded_desk
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.messaging.conftest import MANAGER, PEOPLE, REQUESTER_AT_DESK, Talk

__all__ = ["clocks", "desk", "empty_desk", "seeded_desk"]


@pytest.fixture
def written(talk: Talk, clocks: Any) -> Callable[..., tuple[str, str]]:
    """Return what writes to a new ticket and then says how its first response stands, and until when its resolution runs."""

    def write(who: Principal, **fields: Any) -> tuple[str, str]:
        clocks.policy(targets={"first_response": "4h", "resolution": "8h"}, pauses={"waiting_for_requester": True})
        number = clocks.at("mon 09:00").file()
        talk.follow(number)
        clocks.at("mon 10:00")
        talk.written(who, "I am away until Monday.", number, **fields)
        replies = [
            {name: value for name, value in each.items() if name != "name"} for each in talk.announced("workflow.note_reply")
        ]
        for reply in replies:
            clocks.desk.send(NoteReply(**reply), NoteReply(**reply))
        clocks.track(number)
        return clocks.state(number, "first_response"), clocks.state(number)

    return write


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("who", "fields"),
    [
        (MANAGER, {"visibility": "internal"}),
        (PEOPLE["admin"], {"visibility": "internal"}),
        (EMPLOYEE, {}),
        (REQUESTER_AT_DESK, {}),
        (PEOPLE["operator"], {}),
    ],
    ids=["note", "admin's note", "requester", "requester who is staff", "program"],
)
def test_notes_the_requesters_own_words_and_automatic_answers_are_no_first_response(
    written: Callable[..., tuple[str, str]], who: Principal, fields: dict[str, str]
) -> None:
    assert written(who, **fields) == ("running", "running")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("who", [MANAGER, PEOPLE["help desk coordinator"]], ids=["staff", "help desk"])
def test_a_public_comment_of_the_staff_is_the_first_response(written: Callable[..., tuple[str, str]], who: Principal) -> None:
    assert written(who) == ("met", "paused")
