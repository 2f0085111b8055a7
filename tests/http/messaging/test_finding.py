"""Comments are found by their words, by exactly those who see them where they stand."""

from __future__ import annotations

from typing import Any

import pytest

from baton.pipelines.permissions import Principal
from tests.factories import BACKENDS, EMPLOYEE
from tests.http.messaging.conftest import COORDINATOR, MANAGER, NUMBER, OTHER, PEOPLE, SEE, SEE_NOTES, Talk

HOSTILE = [
    "'",
    '"',
    "*",
    "a OR b",
    "NOT",
    "(",
    "😀",
    "שלום",
    "\u202e",
    "\\",
    "%",
    "x" * 500,
    "NEAR(a b)",
    ":*",
    "&",
    "body:secret",
]


def search(talk: Talk, who: Principal, words: str, **query: Any) -> Any:
    return talk.ask(who, "GET", "/comments/search", params={"q": words, **query})


def found(talk: Talk, who: Principal, words: str) -> list[str]:
    answer = search(talk, who, words)
    assert answer.status_code == 200, answer.text
    return [f"{each['ticket_number']}:{each['number']}" for each in answer.json["items"]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [name for name in PEOPLE if name != "anonymous"])
def test_everybody_finds_what_they_see_and_nothing_else(talk: Talk, name: str) -> None:
    public = talk.written(MANAGER, "The keyword is public here")
    note = talk.note("The keyword is internal here")
    found_now = found(talk, PEOPLE[name], "keyword")
    expected = [f"{NUMBER}:{note['number']}"] if name in SEE_NOTES else []
    expected += [f"{NUMBER}:{public['number']}"] if name in SEE else []
    assert found_now == expected
    assert ("internal here" in search(talk, PEOPLE[name], "keyword").text) == (name in SEE_NOTES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_changed_or_deleted_is_found_by_what_it_says_now(talk: Talk) -> None:
    entry = talk.written(MANAGER, "first wording")
    path = f"/tickets/{NUMBER}/comments/{entry['number']}"
    assert found(talk, MANAGER, "first") == [entry["id"]]
    assert talk.ask(MANAGER, "PATCH", path, json={"body": "second wording"}).status_code == 200
    assert (found(talk, MANAGER, "first"), found(talk, MANAGER, "second")) == ([], [entry["id"]])
    assert talk.ask(MANAGER, "DELETE", path).status_code == 200
    assert found(talk, MANAGER, "second") == found(talk, MANAGER, "wording") == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_that_is_typed_is_an_error(talk: Talk) -> None:
    talk.written(EMPLOYEE, "secret " + " ".join(HOSTILE))
    for words in HOSTILE:
        assert search(talk, MANAGER, words).status_code == 200, words
    assert search(talk, MANAGER, "a\0b").status_code == 422
    assert search(talk, MANAGER, "a", cursor="???").status_code == 400
    assert talk.ask(PEOPLE["anonymous"], "GET", "/comments/search", params={"q": "a"}).status_code == 401


@pytest.mark.parametrize("backend", BACKENDS)
def test_pages_follow_each_other_and_one_ticket_can_be_meant(talk: Talk) -> None:
    entries = [talk.written(COORDINATOR, f"word {place}", number)["id"] for place in range(3) for number in (NUMBER, OTHER)]
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = search(talk, COORDINATOR, "word", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += [f"{each['ticket_number']}:{each['number']}" for each in page["items"]]
        cursor = page["next"]
    assert seen == list(reversed(entries))
    only = search(talk, COORDINATOR, "word", ticket=OTHER).json["items"]
    assert {each["ticket_number"] for each in only} == {OTHER} and len(only) == 3
