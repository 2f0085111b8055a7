"""Choosing a person: found as one types, and without scripts by what was typed beside the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.pipelines.permissions import Principal
from tests.http.console.system_desk import ADMIN, Desk

EMPLOYEE = Principal("employee", "3", "Eve", "e@example.com", frozenset({"hdts:Employee"}))
NAMES = ["Ann <b>", "Anna Ng", "Zoe"] + [f"Person {number}" for number in range(15)]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk()
    monkeypatch.setattr("baton.http.web.services.Services.call", lambda _, *given, **options: made.answer(*given, **options))
    made.answers["workflow", "/api/v1/members"] = members
    made.answers["workflow", "/api/v1/waiting"] = {"items": [], "next": None}
    yield made


def members(query: dict[str, Any]) -> dict[str, Any]:
    words = str(query.get("q") or "").lower()
    found = [
        {"user_id": str(place), "name": name, "role_id": "4", "is_away": place == 1, "open_items": place, "is_active": True}
        for place, name in enumerate(NAMES)
        if name.lower().startswith(words)
    ]
    return {"items": found + found[:1], "next": None}


def test_the_options_are_those_that_are_named_each_once(desk: Desk) -> None:
    page = desk.get("/colleagues?role=4&to_user_words=ann")
    assert page.status_code == 200
    assert page.text.count("<option") == 2
    assert "Ann &lt;b&gt;" in page.text and "Anna Ng (away)" in page.text
    asked = desk.calls[0][3]["query"]
    assert (asked["role"], asked["q"], asked["is_active"]) == ("4", "ann", "true")
    assert "Nobody is found" in desk.get("/colleagues?to_user_words=nobody").text


def test_only_staff_look_people_up(desk: Desk) -> None:
    assert desk.get("/colleagues?to_user_words=ann", EMPLOYEE).status_code == 404
    assert not [call for call in desk.calls if call[2].endswith("/members")]


@pytest.mark.parametrize(
    ("typed", "left_at", "sent"),
    [("", "5", "5"), ("zo", "", "2"), ("zo", "5", "2"), ("ann", "1", "1")],
    ids=["chosen from the list", "typed", "typed beside a list left alone", "typed and chosen"],
)
def test_whoever_is_meant_gets_it(desk: Desk, typed: str, left_at: str, sent: str) -> None:
    desk.answers["workflow", "/api/v1/items/9/assign"] = {}
    desk.answers["workflow", "/api/v1/items/9/transfer"] = {}
    for path in ("/waiting/item/9", "/tickets/HD-1/items/9/transfer"):
        fields = [("ticket", "HD-1"), ("to_user", left_at), ("to_user_words", typed), ("to_user_role", "4")]
        assert desk.post(path, fields).status_code == 303
        assert desk.calls[-1][3]["body"]["to_user"] == sent


def test_of_several_who_are_meant_one_is_asked_for_and_the_form_is_kept(desk: Desk) -> None:
    page = desk.post("/tickets/HD-1/items/9/transfer", [("to_user", "5"), ("to_user_words", "an"), ("reason", "Knows it <i>")])
    assert page.status_code == 422
    assert page.text.count('type="radio"') == 2
    assert 'name="reason" value="Knows it &lt;i&gt;"' in page.text and "to_user_words" not in page.text
    page = desk.post("/tickets/HD-1/items/9/transfer", [("to_user", "5"), ("to_user_words", "nobody")])
    assert page.status_code == 422 and 'name="to_user_words"' in page.text
    assert not [call for call in desk.calls if call[0] == "POST"], "nothing was done yet"


def test_tickets_are_narrowed_to_whom_the_filter_names(desk: Desk) -> None:
    for typed, asked in (("zoe", "2"), ("unknown", "unknown")):
        desk.answers["workflow", "/api/v1/tickets"] = {"items": [], "next": None}
        desk.get(f"/tickets?assignee_words={typed}", ADMIN)
        queries = [options["query"] for _, _, path, options in desk.calls if path == "/api/v1/tickets"]
        assert queries[-1]["assignee"] == asked
