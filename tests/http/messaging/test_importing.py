"""Comments taken over from elsewhere: each once, in order, with their authors and times; their HTML is never shown."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.messaging import Entry
from tests.conversing import counted
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.messaging.conftest import COORDINATOR, MANAGER, NUMBER, OTHER, PEOPLE, Talk
from tests.pipelines.test_markdown import HOSTILE, assert_harmless

OPERATOR = PEOPLE["operator"]


def answer(client_id: str, number: str = NUMBER, **changes: Any) -> dict[str, Any]:
    """Return an answer of the forum's helper u2, as it is sent."""
    content = {
        "ticket_number": number,
        "source": "support-forum",
        "client_id": client_id,
        "author": "u2",
        "author_name": "u2",
        "side": "staff",
        "html": f"<p>answer <b>{client_id}</b></p>",
        "written_at": "2024-01-05T09:12:33Z",
    }
    return {key: value for key, value in {**content, **changes}.items() if value is not None}


def take_over(talk: Talk, *answers: dict[str, Any]) -> Any:
    """Send answers as an operator's program."""
    return talk.ask(OPERATOR, "POST", "/comments/import", json={"comments": list(answers)})


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_are_taken_over_with_author_side_time_and_original(talk: Talk) -> None:
    items = take_over(talk, answer("a"), answer("b", side="requester", author="u1"), answer("c", OTHER)).json["items"]

    assert [(each["ticket_number"], each["outcome"], each["number"]) for each in items] == [
        (NUMBER, "stored", 1), (NUMBER, "stored", 2), (OTHER, "stored", 1),
    ]  # fmt: skip
    first, second = talk.entries(EMPLOYEE)
    assert (first["body"], first["body_html"]) == ("answer **a**", "<p>answer <strong>a</strong></p>\n")
    assert first["author"] == {"id": "imported:support-forum:u2", "name": "u2", "side": "staff"}
    assert (second["author"]["side"], second["client_id"], second["imported"]) == ("requester", "b", True)
    assert first["created_at"] == "2024-01-05T09:12:33Z"
    assert Entry.get(Entry.client_id == "a").original_html == "<p>answer <b>a</b></p>"
    assert talk.announced() == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_answers_again_add_nothing_in_whatever_batches(talk: Talk) -> None:
    answers = [answer(str(n)) for n in range(6)]
    take_over(talk, *answers[:4])
    again = take_over(talk, *answers[2:], answers[5]).json["items"]

    assert [(each["outcome"], each["number"]) for each in again] == [
        ("there", 3), ("there", 4), ("stored", 5), ("stored", 6), ("there", 6),
    ]  # fmt: skip
    assert [each["client_id"] for each in talk.entries(MANAGER)] == list("012345")


def test_answers_to_a_ticket_that_is_not_known_yet_are_named_and_the_others_stored(talk: Talk) -> None:
    items = take_over(talk, answer("a", "HD-00000077"), answer("b")).json["items"]

    assert [(each["outcome"], each["number"]) for each in items] == [("unknown ticket", None), ("stored", 1)]
    talk.follow("HD-00000077")
    assert take_over(talk, answer("a", "HD-00000077")).json["items"][0]["outcome"] == "stored"


def test_one_wrong_answer_is_named_and_nothing_is_stored(talk: Talk) -> None:
    refused = take_over(talk, answer("a"), answer("b", written_at="yesterday"), answer("c", body="both"), answer("d", html=None))

    assert refused.status_code == 422
    assert {error["field"].rpartition(".")[0] or error["field"] for error in refused.json["errors"]} >= {"comments.1"}
    assert Entry.select().count() == 0


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_html_never_reaches_a_reader(talk: Talk, attack: str) -> None:
    if "\0" in attack:
        assert take_over(talk, answer("a", html=attack)).status_code == 422
        return
    assert take_over(talk, answer("a", html=f"<p>before</p>{attack}<p>after")).status_code == 200
    (entry,) = talk.entries(EMPLOYEE)

    assert_harmless(entry["body_html"])
    exported = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/conversation.jsonl").text
    assert "original" not in exported


def test_nobody_changes_what_was_written_elsewhere_and_a_coordinator_may_delete_it(talk: Talk) -> None:
    take_over(talk, answer("a", side="requester", author=EMPLOYEE.id))
    path = f"/tickets/{NUMBER}/comments/1"
    for who in (EMPLOYEE, MANAGER, COORDINATOR):
        assert talk.ask(who, "PATCH", path, json={"body": "changed"}).status_code == 403
    assert talk.ask(EMPLOYEE, "DELETE", path).status_code == 403
    assert talk.ask(COORDINATOR, "DELETE", path).status_code == 200
    assert Entry.get(Entry.number == 1).original_html is None


def test_a_batch_takes_as_many_statements_as_one_answer(talk: Talk) -> None:
    counts = []
    for size in (2, 50):
        with counted("messaging") as statements:
            assert take_over(talk, *(answer(f"{size}-{n}") for n in range(size))).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
