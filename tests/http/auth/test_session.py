"""Sessions: renewing, reuse, signing out, and what ends them from outside."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import TestClient

from baton.models.auth import RefreshFamily, RefreshToken
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from tests.factories import BACKENDS, SERVICE, bearer
from tests.http.auth.organisation import PASSWORD, Organisation


def tokens(auth: TestClient, email: str = "Admintts@example.com") -> dict[str, Any]:
    """Sign in and return the answer."""
    found: dict[str, Any] = auth.simulate_post("/api/v1/sign-in", json={"email": email, "password": PASSWORD}).json
    return found


def refresh(auth: TestClient, token: str) -> Any:
    """Present a refresh token."""
    return auth.simulate_post("/api/v1/refresh", json={"refresh_token": token})


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_refresh_token_is_replaced_and_its_reuse_ends_the_family(auth: TestClient, org: Organisation) -> None:
    first = tokens(auth)["refresh_token"]
    elsewhere = tokens(auth)["refresh_token"]
    second = refresh(auth, first).json["refresh_token"]
    third = refresh(auth, second).json["refresh_token"]

    # when: a copy of the first turns up
    assert refresh(auth, first).status_code == 401

    # then
    assert refresh(auth, third).status_code == 401, "the whole family has ended"
    assert refresh(auth, elsewhere).status_code == 200, "the session on another device goes on"
    with read_tx("auth"):
        assert [family.revoked_why for family in RefreshFamily.select().order_by(RefreshFamily.id)] == ["reused", ""]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_token_presented_at_the_same_time_renews_at_most_once(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(refresh(auth, token).status_code)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 401, 401, 401]


def test_the_cookie_does_as_well_as_the_body(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]
    headers = {"Cookie": f"refresh_token={token}", "X-CSRF-Token": "1"}

    answer = auth.simulate_post("/api/v1/refresh", headers=headers)

    assert answer.status_code == 200
    assert answer.cookies["refresh_token"].value == answer.json["refresh_token"] != token


def test_another_sites_page_cannot_renew_or_end_a_session(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]
    headers = {"Cookie": f"refresh_token={token}", "Origin": "https://evil.example"}

    assert auth.simulate_post("/api/v1/refresh", headers=headers).status_code == 403
    assert auth.simulate_post("/api/v1/sign-out", headers=headers).status_code == 403
    assert refresh(auth, token).status_code == 200


def test_an_expired_token_is_refused_and_ends_nothing(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]
    with write_tx("auth") as tx:
        RefreshToken.update(expires_at=tx.now - timedelta(seconds=1)).execute()

    assert refresh(auth, token).status_code == 401
    with read_tx("auth"):
        assert RefreshFamily.get().revoked_at is None


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "x" * 200])
def test_an_invented_token_is_refused(auth: TestClient, org: Organisation, token: str) -> None:
    assert refresh(auth, token).status_code == 401


def test_without_any_token_there_is_nothing_to_renew(auth: TestClient, org: Organisation) -> None:
    assert auth.simulate_post("/api/v1/refresh").status_code == 401
    assert auth.simulate_post("/api/v1/refresh", json={}).status_code == 401
    assert auth.simulate_post("/api/v1/refresh", json={"refresh_token": 5}).status_code == 422
    assert auth.simulate_post("/api/v1/refresh", body="{", headers={"Content-Type": "application/json"}).status_code == 400


def test_signing_out_ends_the_session_and_clears_the_cookies(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]

    answer = auth.simulate_post("/api/v1/sign-out", json={"refresh_token": token})

    assert answer.status_code == 204
    assert {name: (cookie.value, cookie.expires.year) for name, cookie in answer.cookies.items()} == {
        "access_token": ("", 1970),
        "refresh_token": ("", 1970),
    }
    assert refresh(auth, token).status_code == 401
    assert auth.simulate_post("/api/v1/sign-out", json={"refresh_token": token}).status_code == 204, "again, alike"


def test_the_session_tells_the_roles_held_now(auth: TestClient, org: Organisation) -> None:
    headers = {"Authorization": f"Bearer {tokens(auth)['access_token']}"}
    grant = {"user_id": org.users["Admintts@example.com"], "role_id": org.roles["tts:IT Manager"]}
    assert auth.simulate_post("/api/v1/grants", json=grant, headers=org.headers("tts")).status_code == 201

    assert auth.simulate_get("/api/v1/session", headers=headers).json["roles"] == ["tts:Admin", "tts:IT Manager"]
    assert auth.simulate_get("/api/v1/session", headers=bearer(SERVICE)).json["kind"] == "service"
    assert auth.simulate_get("/api/v1/session").status_code == 401


def test_switching_an_account_off_ends_its_sessions(auth: TestClient, org: Organisation) -> None:
    signed_in = tokens(auth, "eve@example.com")
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}

    path = f"/api/v1/employees/{org.employee}"
    assert auth.simulate_delete(path, headers=org.headers("hdts")).status_code == 200

    assert auth.simulate_get("/api/v1/session", headers=headers).status_code == 401
    assert refresh(auth, signed_in["refresh_token"]).status_code == 401


def test_a_new_password_ends_the_sessions_made_with_the_old_one(auth: TestClient, org: Organisation) -> None:
    token = tokens(auth)["refresh_token"]
    path = f"/api/v1/users/{org.users['Admintts@example.com']}"

    answer = auth.simulate_patch(path, json={"password": "another horse battery"}, headers=org.headers("tts"))

    assert answer.status_code == 200
    assert "password" not in answer.text
    assert refresh(auth, token).status_code == 401
    body = {"email": "admintts@example.com", "password": "another horse battery"}
    assert auth.simulate_post("/api/v1/sign-in", json=body).status_code == 200
