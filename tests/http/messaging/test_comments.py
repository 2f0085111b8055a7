"""Comments: written once, numbered without a gap, replayed from any number, changed with their history kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from baton.models.messaging import Entry
from tests.conversing import counted
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.messaging.conftest import COLLEAGUE, COORDINATOR, MANAGER, NUMBER, OTHER, Talk

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def test_a_comment_is_answered_as_it_is_then_read(talk: Talk) -> None:
    comment = talk.written(EMPLOYEE, "It **still** jams.", client_id="c-1")

    assert (comment["number"], comment["id"], comment["visibility"]) == (1, f"{NUMBER}:1", "public")
    assert comment["author"] == {"id": "employee:101", "name": "Eve Employee", "side": "requester"}
    assert comment["body_html"] == "<p>It <strong>still</strong> jams.</p>\n"
    assert talk.entries(EMPLOYEE) == [comment]
    assert talk.entries(MANAGER) == [{**comment, "client_id": None}]
    one = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/comments/1")
    assert one.json == comment and one.headers["ETag"] == '"1"'


def test_entries_of_all_kinds_are_numbered_in_one_order_for_each_ticket(talk: Talk) -> None:
    talk.written(EMPLOYEE, "one")
    talk.note("two")
    talk.tell(NUMBER, "three", staff_only=False)
    talk.follow(NUMBER, 2, status="In Progress")
    talk.written(COORDINATOR, "another ticket", OTHER)

    assert [each["number"] for each in talk.entries(MANAGER)] == [1, 2, 3, 4]
    assert [each["kind"] for each in talk.entries(MANAGER)] == ["comment", "comment", "event", "event"]
    assert [each["number"] for each in talk.entries(EMPLOYEE)] == [1, 3, 4]
    assert [each["number"] for each in talk.entries(COORDINATOR, OTHER)] == [1]


def test_s_1_a_client_that_was_away_gets_exactly_what_it_missed_in_order(talk: Talk) -> None:
    for n in range(35):
        talk.written(MANAGER if n % 2 else EMPLOYEE, f"comment {n}")
    seen, since = [], 5
    while True:
        answer = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/comments", query_string=f"since={since}&limit=7").json
        seen += [each["number"] for each in answer["items"]]
        since = answer["next"]
        if not answer["more"]:
            break

    assert seen == list(range(6, 36)) and since == 35 == answer["last_number"]
    assert talk.entries(EMPLOYEE, query="since=35") == []


def test_the_newest_come_first_page_by_page_backwards(talk: Talk) -> None:
    for n in range(7):
        talk.written(EMPLOYEE, f"comment {n}")
    first = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/comments", query_string="limit=4").json
    second = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/comments", query_string=f"limit=4&before={first['next']}").json

    assert [each["number"] for each in first["items"]] == [4, 5, 6, 7] and first["more"]
    assert [each["number"] for each in second["items"]] == [1, 2, 3] and not second["more"] and second["next"] is None


def test_s_2_the_same_client_id_twice_is_one_comment(talk: Talk) -> None:
    first = talk.write(EMPLOYEE, "once", client_id="c-1")
    again = talk.write(EMPLOYEE, "once", client_id="c-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert len(talk.announced("workflow.note_reply")) == 1
    assert talk.written(MANAGER, "another's own", client_id="c-1")["number"] == 2


def test_the_same_idempotency_key_is_one_comment(talk: Talk) -> None:
    answers = [talk.write(EMPLOYEE, "once", headers={"Idempotency-Key": "k-1"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(talk.entries(EMPLOYEE)) == 1


def test_many_writers_at_once_leave_no_gap_and_nothing_twice(talk: Talk) -> None:
    def write(n: int) -> int:
        who = (EMPLOYEE, MANAGER, COLLEAGUE)[n % 3]
        return int(talk.write(who, f"comment {n // 2}", client_id=f"c-{n // 6}").json["number"])

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(write, range(60)))

    assert sorted(set(numbers)) == list(range(1, 31))
    assert [each["number"] for each in talk.entries(MANAGER)] == list(range(1, 31))


def test_an_edit_keeps_what_was_said_for_staff_and_is_told_in_the_stream(talk: Talk) -> None:
    comment = talk.written(EMPLOYEE, "first words")
    path = f"/tickets/{NUMBER}/comments/1"
    changed = talk.ask(EMPLOYEE, "PATCH", path, json={"body": "second words"}, headers={"If-Match": '"1"'})

    assert changed.status_code == 200 and changed.headers["ETag"] == '"2"'
    assert (changed.json["body"], changed.json["version"]) == ("second words", 2)
    assert changed.json["edited_at"] is not None and changed.json["created_at"] == comment["created_at"]
    told = talk.entries(EMPLOYEE, query="since=1")
    assert [each["event"] for each in told] == [{"kind": "comment_edited", "detail": {"number": 1, "version": 2}}]
    history = talk.ask(MANAGER, "GET", f"{path}/history").json["items"]
    assert [(row["version"], row["body"], row["changed_by"]) for row in history] == [(1, "first words", "employee:101")]
    assert talk.ask(EMPLOYEE, "GET", f"{path}/history").status_code == 403
    late = talk.ask(EMPLOYEE, "PATCH", path, json={"body": "third"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412


def test_only_the_author_edits_and_only_for_a_while(talk: Talk, databases: Any) -> None:
    talk.written(EMPLOYEE, "mine")
    path = f"/tickets/{NUMBER}/comments/1"
    for other in (MANAGER, COORDINATOR):
        assert talk.ask(other, "PATCH", path, json={"body": "yours"}).status_code == 403
    Entry.update(created_at=Entry.get().created_at.replace(year=2020)).execute()
    assert talk.ask(EMPLOYEE, "PATCH", path, json={"body": "late"}).status_code == 403
    assert talk.entries(EMPLOYEE)[0]["body"] == "mine"


def test_a_deleted_comment_leaves_its_place_and_nothing_of_its_text(talk: Talk) -> None:
    talk.written(EMPLOYEE, "my password is 12345", mentions=["user:31"])
    path = f"/tickets/{NUMBER}/comments/1"
    assert talk.ask(COLLEAGUE, "DELETE", path).status_code == 403
    for _ in range(2):
        assert talk.ask(COORDINATOR, "DELETE", path).status_code == 200

    gone, told = talk.entries(EMPLOYEE)
    assert (gone["deleted"], gone["body"], gone["body_html"], gone["mentions"]) == (True, "", "", [])
    assert told["event"] == {"kind": "comment_deleted", "detail": {"number": 1, "version": 2}}
    assert talk.ask(EMPLOYEE, "PATCH", path, json={"body": "again"}).status_code == 403
    history = talk.ask(MANAGER, "GET", f"{path}/history").json["items"]
    assert [(row["what"], row["body"]) for row in history] == [("deleted", "my password is 12345")]


def test_changes_of_a_note_are_told_to_nobody_who_does_not_see_it(talk: Talk) -> None:
    talk.note("between us")
    path = f"/tickets/{NUMBER}/comments/1"
    talk.ask(MANAGER, "PATCH", path, json={"body": "still between us"})
    talk.ask(MANAGER, "DELETE", path)

    assert talk.entries(EMPLOYEE) == []
    assert [each["visibility"] for each in talk.entries(MANAGER)] == ["internal"] * 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"body": "  \n"}, "body"),
        ({"body": "x" * 20_001}, "body"),
        ({"body": "x", "visibility": "secret"}, "visibility"),
        ({"body": "x", "visibility": "internal"}, "visibility"),
        ({"body": "x", "mentions": ["user:99"]}, "mentions.0"),
        ({"body": "x", "reply_to": 7}, "reply_to"),
        ({"body": "x", "attachments": ["unknown"]}, "attachments"),
        ({"body": "x", "author": "user:1"}, "author"),
        ({"body": "x", "side": "staff"}, "side"),
        ({"body": "x", "created_at": "2020-01-01T00:00:00Z"}, "created_at"),
        ({"body": "x", "imported": True}, "imported"),
    ],
)
def test_s_7_what_a_requester_may_not_say_or_set_is_refused_by_field(talk: Talk, fields: Any, field: str) -> None:
    answer = talk.ask(EMPLOYEE, "POST", f"/tickets/{NUMBER}/comments", json=fields)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert talk.entries(MANAGER) == [] and talk.announced() == []


def test_mentions_name_people_of_the_ticket_each_once(talk: Talk) -> None:
    comment = talk.written(EMPLOYEE, "look", mentions=["user:31", "user:2", "user:31"])

    assert comment["mentions"] == ["user:31", "user:2"]
    people = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/participants").json
    assert (people["side"], people["internal"]) == ("requester", False)
    assert [(each["id"], each["side"]) for each in people["items"]] == [
        ("employee:101", "requester"), ("user:2", "staff"), ("user:31", "staff"),
    ]  # fmt: skip
    assert talk.write(MANAGER, "psst", visibility="internal", mentions=["employee:101"]).status_code == 422


def test_a_reply_names_what_it_answers_and_never_a_note_in_public(talk: Talk) -> None:
    talk.written(EMPLOYEE, "question")
    talk.note("thought")

    assert talk.written(MANAGER, "answer", reply_to=1)["reply_to"] == 1
    assert talk.write(MANAGER, "leak", reply_to=2).status_code == 422
    assert talk.write(EMPLOYEE, "guess", reply_to=2).status_code == 422


def test_reading_a_page_takes_as_many_statements_however_long_it_is(talk: Talk) -> None:
    counts = []
    for size in (2, 40):
        while len(talk.entries(MANAGER)) < size:
            talk.written(MANAGER, "see file", attachments=[talk.attached(MANAGER, b"text")])
        with counted("messaging") as statements:
            talk.entries(MANAGER)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_n_7_a_search_finds_words_in_what_its_reader_sees_and_nowhere_else(talk: Talk) -> None:
    talk.written(EMPLOYEE, "The 100% Zanzibar printer")
    talk.note("zanzibar is broken")
    talk.written(MANAGER, "another matter")
    talk.written(EMPLOYEE, "about ZANZIBAR")

    for query in ("since=0&q=zanzibar", "q=zanzibar"):
        assert [each["number"] for each in talk.entries(EMPLOYEE, query=query)] == [1, 4]
        assert [each["number"] for each in talk.entries(MANAGER, query=query)] == [1, 2, 4]
    assert [each["number"] for each in talk.entries(EMPLOYEE, query="q=0%25")] == [1], "signs mean themselves"
    assert talk.entries(EMPLOYEE, query="q=broken") == []
    talk.ask(EMPLOYEE, "DELETE", f"/tickets/{NUMBER}/comments/4")
    assert [each["number"] for each in talk.entries(EMPLOYEE, query="q=zanzibar")] == [1]


def test_an_export_has_every_entry_that_its_reader_sees(talk: Talk) -> None:
    talk.written(EMPLOYEE, "one")
    talk.note("two")
    answer = talk.ask(EMPLOYEE, "GET", f"/tickets/{NUMBER}/conversation.jsonl")

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NUMBER}-conversation.jsonl"'
    assert [line.count('"body":"one"') for line in answer.text.splitlines()] == [1]
    assert len(talk.ask(MANAGER, "GET", f"/tickets/{NUMBER}/conversation.jsonl").text.splitlines()) == 2
