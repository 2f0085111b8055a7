"""People are found by what is typed of their name or address, on both databases, and only by those who may look."""

from __future__ import annotations

from typing import Any

import pytest
from falcon.testing import TestClient

from baton.models import database
from baton.models.auth import User
from tests.factories import BACKENDS
from tests.http.auth.organisation import Organisation
from tests.http.auth.test_grants import give, new_user


def _user(auth: TestClient, org: Organisation, name: str, email: str) -> int:
    body = {"email": email, "full_name": name, "system": "tts"}
    answer = auth.simulate_post("/api/v1/users", json=body, headers=org.headers("tts"))
    assert answer.status_code == 201
    found: int = answer.json["id"]
    return found


def _names(auth: TestClient, org: Organisation, path: str, **params: Any) -> list[str]:
    answer = auth.simulate_get(path, params=params, headers=org.headers("tts"))
    assert answer.status_code == 200
    return [each.get("full_name") or each["user_full_name"] for each in answer.json["items"]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_are_found_by_the_beginnings_of_the_words_of_name_and_address(auth: TestClient, org: Organisation) -> None:
    _user(auth, org, "María Santos", "m.santos@example.com")
    _user(auth, org, "Marius Weiß", "weiss@example.com")

    for text in ("maria", "MARÍA", "sant", "mar san", "san mar", "m.santos", "m.santos@example.com"):
        assert _names(auth, org, "/api/v1/users", q=text) == ["María Santos"], text
    assert _names(auth, org, "/api/v1/users", q="mari") == ["María Santos", "Marius Weiß"]
    assert _names(auth, org, "/api/v1/users", q="weiß") == ["Marius Weiß"]
    for text in ("antos", "%", "*", "maria weiss", "' or 1=1 --"):
        assert _names(auth, org, "/api/v1/users", q=text) == [], text
    assert len(_names(auth, org, "/api/v1/users", q=" ")) >= 5, "nothing looked for: all"


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_is_renamed_is_found_by_the_new_name_only(auth: TestClient, org: Organisation) -> None:
    number = _user(auth, org, "Ada Old", "ada@example.com")
    path = f"/api/v1/users/{number}"
    changed = auth.simulate_patch(path, json={"full_name": "Ada Younger"}, headers=org.headers("tts"))
    assert changed.status_code == 200
    assert _names(auth, org, "/api/v1/users", q="old") == []
    assert _names(auth, org, "/api/v1/users", q="young ada@") == ["Ada Younger"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_holders_of_a_role_and_employees_are_found_in_the_same_way(auth: TestClient, org: Organisation) -> None:
    user, role = new_user(auth, org), org.roles["tts:IT Manager"]
    assert give(auth, org, user, "tts:IT Manager").status_code == 201
    named = auth.simulate_get(f"/api/v1/users/{user}", headers=org.headers("tts")).json["full_name"]
    assert _names(auth, org, "/api/v1/grants", role_id=role, q=named.split()[0][:3]) == [named]
    assert _names(auth, org, "/api/v1/grants", role_id=role, q="nobody") == []
    assert _names(auth, org, "/api/v1/employees", q="eve@exam") == ["Eve Employee"]
    assert _names(auth, org, "/api/v1/employees", q="emplo", department="HR") == []


def test_nobody_searches_people_without_being_allowed_to(auth: TestClient, org: Organisation) -> None:
    for path in ("/api/v1/users", "/api/v1/employees", "/api/v1/grants"):
        assert auth.simulate_get(path, params={"q": "eve"}).status_code == 401


def test_a_search_reads_an_index_not_all_users(auth: TestClient, org: Organisation) -> None:
    statement = "explain query plan select rowid from user_account_index where user_account_index match '\"mar\"*'"
    with database.read_tx("auth") as opened:
        plan = " ".join(str(row) for row in opened.execute_sql(statement).fetchall())
        assert User.select().where(User.words == "").count() == 0, "whoever is there can be found"
    assert "VIRTUAL TABLE INDEX" in plan
