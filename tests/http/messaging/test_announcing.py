"""Who is told of a comment written over the front, and P-15 end to end: what stops a clock and what does not."""

from __future__ import annotations

import pytest

from baton.models.live import subscribe
from baton.models.messaging import Entry
from baton.models.transaction import write_tx
from baton.pipelines.permissions import Principal
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.messaging.conftest import MANAGER, NUMBER, PEOPLE, REQUESTER_AT_DESK, Talk

REPLY = "workflow.note_reply"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("who", "side"),
    [(EMPLOYEE, "requester"), (REQUESTER_AT_DESK, "requester"), (MANAGER, "staff"), (PEOPLE["help desk coordinator"], "staff")],
)
def test_p_15_a_public_comment_is_a_reply_of_its_writers_side(talk: Talk, who: Principal, side: str) -> None:
    comment = talk.written(who, "hello")
    (reply,) = talk.announced(REPLY)

    assert (reply["side"], reply["author"], reply["comment_id"]) == (side, who.subject, f"{NUMBER}:1")
    assert comment["author"]["side"] == side


@pytest.mark.parametrize("backend", BACKENDS)
def test_p_15_notes_events_changes_imports_and_programs_are_no_replies(talk: Talk) -> None:
    talk.note("between us")
    talk.ask(MANAGER, "PATCH", f"/tickets/{NUMBER}/comments/1", json={"body": "still"})
    talk.ask(MANAGER, "DELETE", f"/tickets/{NUMBER}/comments/1")
    talk.tell(NUMBER, "event-1", staff_only=False)
    talk.follow(NUMBER, 2, status="In Progress")
    talk.written(PEOPLE["operator"], "an automatic answer")
    imported = {"ticket_number": NUMBER, "source": "forum", "client_id": "1", "author": "u1", "side": "staff", "body": "x",
                "written_at": "2024-01-01T00:00:00Z"}  # fmt: skip
    assert talk.ask(PEOPLE["operator"], "POST", "/comments/import", json={"comments": [imported]}).status_code == 200

    assert talk.announced(REPLY) == []
    assert Entry.select().count() >= 7


def test_nothing_announced_to_the_requester_holds_a_word_of_a_note(talk: Talk) -> None:
    talk.note("zanzibar", mentions=["user:2"])
    messages = talk.announced()

    assert [message["user_id"] for message in messages] == ["2"]
    assert "zanzibar" not in str(messages)


def test_the_author_is_not_told_and_the_requester_is_told_of_an_answer(talk: Talk) -> None:
    talk.written(MANAGER, "an answer")
    told = {message["user_id"]: message["notification_type"] for message in talk.announced() if message["name"] != REPLY}

    assert told == {"2": "comment_added", f"employee:{EMPLOYEE.id}": "reply"}


def test_whoever_waits_for_the_ticket_hears_of_a_comment_once_it_is_stored_and_never_before(talk: Talk) -> None:
    with subscribe(f"ticket:{NUMBER}") as subscription:
        talk.written(EMPLOYEE, "hello")
        assert [dict(signal.payload) for signal in subscription.news(0).signals] == [{"up_to": 1}]
        talk.write(EMPLOYEE, "", client_id="refused")
        assert not subscription.news(0)


def test_a_crash_before_the_commit_leaves_no_comment_no_message_and_no_number(talk: Talk) -> None:
    from baton.http.messaging.writing import Draft, write_comment

    with pytest.raises(RuntimeError), write_tx("messaging") as tx:
        write_comment(tx, EMPLOYEE, NUMBER, Draft(body="lost"), notices=True)
        raise RuntimeError("the process dies here")

    assert Entry.select().count() == 0 and talk.announced() == []
    assert talk.written(EMPLOYEE, "kept")["number"] == 1


def test_whoever_a_change_mentions_first_is_told_and_nobody_else_again(talk: Talk) -> None:
    talk.note("between us")
    talk.announced()
    path = f"/tickets/{NUMBER}/comments/1"
    known = len(talk.announced())
    changed = talk.ask(MANAGER, "PATCH", path, json={"body": "zanzibar", "mentions": ["user:2"]}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    news = talk.announced()[known:]
    assert [(each["user_id"], each["notification_type"]) for each in news] == [("2", "mention")]
    assert "zanzibar" not in str(news)

    known = len(talk.announced())
    again = talk.ask(MANAGER, "PATCH", path, json={"body": "still", "mentions": ["user:2"]}, headers={"If-Match": '"2"'})
    assert again.status_code == 200
    assert talk.announced()[known:] == []
