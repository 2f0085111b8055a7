"""Signing in: who gets in, what they get, and who has to wait."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import argon2
import pytest
from falcon.testing import TestClient

from baton.http.auth import gate
from baton.http.tokens import Verifier, key_source
from baton.models.auth import Employee, RefreshFamily, SignInAttempt, User
from baton.models.auth.passwords import Passwords
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from baton.pipelines.sign_in import ACCOUNT, ADDRESS
from tests.factories import BACKENDS
from tests.http.auth.organisation import PASSWORD, Organisation


def sign_in(auth: TestClient, email: str, password: str = PASSWORD, address: str = "192.0.2.1") -> Any:
    """Try to sign in from an address."""
    return auth.simulate_post("/api/v1/sign-in", json={"email": email, "password": password}, remote_addr=address)


def let_time_pass(seconds: float) -> None:
    """Make every counted failure older."""
    with write_tx("auth"):
        for row in list(SignInAttempt.select()):
            SignInAttempt.update(last_failed_at=row.last_failed_at - timedelta(seconds=seconds)).where(
                SignInAttempt.scope == row.scope, SignInAttempt.key == row.key
            ).execute()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_user_signs_in_whatever_the_case_of_the_address(auth: TestClient, org: Organisation, databases: Any) -> None:
    answer = sign_in(auth, " adminHDTS@EXAMPLE.com ")

    assert answer.status_code == 200
    assert answer.json["session"] == {
        "kind": "user",
        "id": org.admins["hdts"].id,
        "name": "hdts admin",
        "email": "Adminhdts@example.com",
        "roles": ["hdts:Admin"],
    }
    principal = Verifier(key_source(databases)).principal(answer.json["access_token"], time.time())
    assert (principal.subject, principal.roles) == (f"user:{org.admins['hdts'].id}", {"hdts:Admin"})


def test_an_employee_signs_in_with_the_same_form(auth: TestClient, org: Organisation) -> None:
    session = sign_in(auth, "eve@example.com").json["session"]

    assert (session["kind"], session["id"], session["roles"]) == ("employee", str(org.employee), ["hdts:Employee"])


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(auth: TestClient, org: Organisation) -> None:
    answer = sign_in(auth, "Adminhdts@example.com")

    for name, path in (("access_token", "/"), ("refresh_token", "/api/v1")):
        cookie = answer.cookies[name]
        assert cookie.value == answer.json[name]
        assert cookie.http_only and cookie.same_site == "Lax" and cookie.path == path


def test_a_wrong_password_an_unknown_and_an_inactive_account_are_answered_alike(auth: TestClient, org: Organisation) -> None:
    with write_tx("auth"):
        User.update(is_active=False).where(User.id == org.users["Adminams@example.com"]).execute()
        User.update(password_hash=None).where(User.id == org.users["Admintts@example.com"]).execute()

    answers = [
        sign_in(auth, "Adminhdts@example.com", "wrong password"),
        sign_in(auth, "nobody@example.com"),
        sign_in(auth, "Adminams@example.com"),
        sign_in(auth, "Admintts@example.com"),
    ]

    documents = [{k: v for k, v in answer.json.items() if k != "trace_id"} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert documents[1:] == documents[:-1]


def test_every_attempt_computes_one_hash(auth: TestClient, org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    matches = Passwords._matches
    monkeypatch.setattr(Passwords, "_matches", lambda self, *given: checked.append(given) or matches(self, *given))

    sign_in(auth, "Adminhdts@example.com", "wrong password")
    sign_in(auth, "nobody@example.com", "wrong password")

    assert len(checked) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_too_many_failures_of_an_account_make_it_wait_even_with_the_right_password(auth: TestClient, org: Organisation) -> None:
    # given: failures from many addresses, so that it is the account that counts
    answers = [sign_in(auth, "ADMINhdts@example.com", "wrong", f"192.0.2.{n}") for n in range(ACCOUNT.free + 2)]
    assert answers[0].status_code == 401

    # when
    answer = sign_in(auth, "adminhdts@example.com", PASSWORD, "198.51.100.7")

    # then
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    let_time_pass(int(answer.headers["Retry-After"]))
    assert sign_in(auth, "adminhdts@example.com", PASSWORD, "198.51.100.7").status_code == 200
    assert sign_in(auth, "adminhdts@example.com", "wrong", "198.51.100.7").status_code == 401, "counted anew"


def test_an_account_that_does_not_exist_is_throttled_like_one_that_does(auth: TestClient, org: Organisation) -> None:
    for _ in range(ACCOUNT.free + 1):
        sign_in(auth, "nobody@example.com", "wrong")

    assert sign_in(auth, "nobody@example.com", "wrong").status_code == 429
    assert sign_in(auth, "Adminhdts@example.com").status_code == 200, "others are let in"


def test_too_many_failures_from_an_address_make_it_wait_for_every_account(auth: TestClient, org: Organisation) -> None:
    for number in range(ADDRESS.free + 2):
        sign_in(auth, f"guess{number}@example.com", "wrong", "203.0.113.9")

    assert sign_in(auth, "Adminhdts@example.com", PASSWORD, "203.0.113.9").status_code == 429
    assert sign_in(auth, "Adminhdts@example.com", PASSWORD, "203.0.113.10").status_code == 200


def test_right_passwords_at_the_same_time_are_never_throttled(auth: TestClient, org: Organisation) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(sign_in(auth, "Adminhdts@example.com").status_code)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 12
    assert not gate._waiting


def test_a_rush_of_guesses_gets_no_further_than_one_guess_after_another(auth: TestClient, org: Organisation) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(sign_in(auth, "Adminhdts@example.com", "wrong").status_code))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses.count(401) <= ACCOUNT.free + 3
    assert statuses.count(401) + statuses.count(429) == 20


def test_an_outdated_hash_is_renewed_when_its_owner_signs_in(
    auth: TestClient, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with read_tx("auth"):
        before = Employee.get_by_id(org.employee).password_hash
    monkeypatch.setattr(Passwords, "is_outdated", lambda self, stored: True)

    assert sign_in(auth, "eve@example.com").status_code == 200

    with read_tx("auth"):
        assert Employee.get_by_id(org.employee).password_hash != before
    assert sign_in(auth, "eve@example.com").status_code == 200


def test_sign_ins_at_the_same_time_survive_the_renewal_of_the_hash(
    auth: TestClient, org: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write_tx("auth"):
        Employee.update(password_hash=argon2.PasswordHasher(1, 16, 1).hash(PASSWORD)).execute()
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(sign_in(auth, "eve@example.com").status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 8


def test_a_refused_attempt_starts_no_session(auth: TestClient, org: Organisation) -> None:
    sign_in(auth, "Adminhdts@example.com", "wrong")

    with read_tx("auth"):
        assert RefreshFamily.select().count() == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@b.c"},
        {"email": 1, "password": True},
        {"email": "a@b.c", "password": "x" * 10_000},
        {"email": "a\x00@b.c", "password": "secret"},
        {"email": "a@b.c", "password": "secret", "role": "Admin"},
    ],
)
def test_malformed_credentials_are_refused_field_by_field(auth: TestClient, org: Organisation, body: Any) -> None:
    answer = auth.simulate_post("/api/v1/sign-in", json=body)

    assert answer.status_code == 422
    assert answer.json["errors"]
