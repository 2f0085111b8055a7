"""The look-ups of other services, and the tokens with which they come."""

from __future__ import annotations

import time
from typing import Any

import pytest
from falcon.testing import TestClient

from baton.http.tokens import Verifier, key_source
from baton.models.auth import User
from baton.models.transaction import write_tx
from tests.factories import ADMIN, BACKENDS, EMPLOYEE, SERVICE, TECHNICIAN, bearer
from tests.http.auth.organisation import Organisation


def test_services_read_a_user_with_or_without_the_last_slash(auth: TestClient, org: Organisation) -> None:
    user_id = org.users["Admintts@example.com"]
    for path in (f"/api/v1/users/internal/{user_id}/", f"/api/v1/users/internal/{user_id}"):
        answer = auth.simulate_get(path, headers=bearer(SERVICE))
        assert answer.status_code == 200
        assert answer.json == {
            "id": user_id,
            "email": "Admintts@example.com",
            "full_name": "tts admin",
            "is_active": True,
            "roles": ["tts:Admin"],
        }


def test_services_read_an_employee(auth: TestClient, org: Organisation) -> None:
    answer = auth.simulate_get(f"/api/v1/hdts/employees/internal/{org.employee}/", headers=bearer(SERVICE))

    assert answer.status_code == 200
    assert (answer.json["full_name"], answer.json["department"]) == ("Eve Employee", "IT")
    assert "password_hash" not in answer.json


@pytest.mark.parametrize(
    "identity", ["0", "999999", "9223372036854775807", "99999999999999999999", "abc", "-1", "1.0", "%F0%9F%98%80"]
)
def test_unknown_ids_are_not_found(auth: TestClient, org: Organisation, identity: str) -> None:
    for path in ("/api/v1/users/internal/{}/", "/api/v1/hdts/employees/internal/{}/"):
        assert auth.simulate_get(path.format(identity), headers=bearer(SERVICE)).status_code == 404


@pytest.mark.parametrize("principal", [None, ADMIN, EMPLOYEE, TECHNICIAN])
def test_internal_look_ups_are_for_services_only(auth: TestClient, org: Organisation, principal: Any) -> None:
    headers = bearer(principal) if principal else {}
    for path in (f"/api/v1/users/internal/{org.users['Admintts@example.com']}/", "/api/v1/users/internal/999999/"):
        assert auth.simulate_get(path, headers=headers).status_code == (403 if principal else 401)


@pytest.mark.parametrize("backend", BACKENDS)
def test_round_robin_lists_the_active_holders(auth: TestClient, org: Organisation) -> None:
    for number in (1, 2, 3):
        body = {"email": f"it{number}@example.com", "full_name": f"IT {number}", "system": "tts", "roles": ["IT Manager"]}
        assert auth.simulate_post("/api/v1/users", json=body, headers=org.headers("tts")).status_code == 201
    with write_tx("auth"):
        ids = [user.id for user in User.select().where(User.email.startswith("it")).order_by(User.id)]
        User.update(is_active=False).where(User.id == ids[1]).execute()

    def holders(query: str) -> Any:
        return auth.simulate_get("/api/v1/tts/round-robin/", query_string=query, headers=bearer(SERVICE))

    assert holders("role=IT%20Manager&system=tts").json == {"user_ids": [ids[0], ids[2]]}
    assert holders("role=it+manager").json == {"user_ids": [ids[0], ids[2]]}, "tts is the default; case does not count"
    assert holders("role=Ticket%20Coordinator&system=hdts").json == {"user_ids": []}
    assert holders("role=Nonsense&system=tts").status_code == 404
    assert holders("role=Admin&system=nonsense").status_code == 404
    assert holders("").status_code == 422
    assert auth.simulate_get("/api/v1/tts/round-robin/?role=Admin", headers=bearer(EMPLOYEE)).status_code == 403


def test_a_service_gets_a_token_for_the_service_secret(auth: TestClient, org: Organisation, databases: Any) -> None:
    body = {"name": "workflow", "secret": databases.service_secret}
    token = auth.simulate_post("/api/v1/service-token", json=body).json["access_token"]

    principal = Verifier(key_source(databases)).principal(token, time.time())

    assert (principal.subject, principal.roles) == ("service:workflow", frozenset())


def test_a_wrong_service_secret_is_throttled_and_the_right_one_never(auth: TestClient, org: Organisation, databases: Any) -> None:
    guess = {"name": "workflow", "secret": "guess"}
    statuses = {auth.simulate_post("/api/v1/service-token", json=guess).status_code for _ in range(30)}

    right = {"name": "workflow", "secret": databases.service_secret}
    assert statuses == {401, 429}
    assert auth.simulate_post("/api/v1/service-token", json=right).status_code == 200
    assert auth.simulate_post("/api/v1/service-token", json={"name": "Evil:1", "secret": "x"}).status_code == 422


@pytest.mark.parametrize("backend", BACKENDS)
def test_services_read_how_people_stand_now(auth: TestClient, org: Organisation) -> None:
    user_id = org.users["Admintts@example.com"]
    subjects = [f"employee:{org.employee}", f"user:{user_id}", "user:999999", "user:x", "service:workflow", f"user:{2**70}"]

    answer = auth.simulate_post("/api/v1/standings", json={"subjects": subjects}, headers=bearer(SERVICE))

    assert answer.status_code == 200
    assert [(each["subject"], each["is_active"], each["roles"]) for each in answer.json["standings"]] == [
        (subjects[0], True, ["hdts:Employee"]),
        (subjects[1], True, ["tts:Admin"]),
        *((subject, False, []) for subject in subjects[2:]),
    ]
    with write_tx("auth"):
        User.update(is_active=False).where(User.id == user_id).execute()
    again = auth.simulate_post("/api/v1/standings", json={"subjects": subjects[1:2]}, headers=bearer(SERVICE))
    assert again.json["standings"] == [{"subject": subjects[1], "is_active": False, "roles": []}]
    assert auth.simulate_post("/api/v1/standings", json={"subjects": []}, headers=bearer(ADMIN)).status_code == 403
