"""Administration of users and employees: accounts, who answers for them, and what is announced."""

from __future__ import annotations

from typing import Any

import pytest
from falcon.testing import TestClient

from baton.models.auth import User
from baton.models.database import read_tx
from tests.factories import ADMIN, BACKENDS, COORDINATOR, bearer
from tests.http.auth.organisation import Organisation, announced, forget_announcements
from tests.http.auth.test_grants import give, new_user

NEW = {"email": "New.Person@example.com", "full_name": "New Person"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_admin_creates_a_user_who_can_sign_in_at_once(auth: TestClient, org: Organisation) -> None:
    body = {**NEW, "system": "tts", "password": "long enough, surely", "roles": ["IT Manager"]}
    answer = auth.simulate_post("/api/v1/users", json=body, headers=org.headers("tts"))

    assert answer.status_code == 201
    assert answer.json["roles"] == ["tts:IT Manager"]
    assert auth.simulate_get(answer.headers["Location"], headers=org.headers("tts")).json == answer.json
    credentials = {"email": "NEW.person@example.com", "password": "long enough, surely"}
    assert auth.simulate_post("/api/v1/sign-in", json=credentials).json["session"]["roles"] == ["tts:IT Manager"]
    with read_tx("auth"):
        stored = User.get(User.id == answer.json["id"]).password_hash
    assert stored.startswith("$argon2id$") and "surely" not in answer.text


def test_a_user_is_created_in_systems_that_one_administers_only(auth: TestClient, org: Organisation) -> None:
    for system in ("ams", "hdts", "auth", "nonsense"):
        body = {**NEW, "system": system, "roles": ["Admin"]}
        assert auth.simulate_post("/api/v1/users", json=body, headers=org.headers("tts")).status_code == 403
    body = {**NEW, "system": "tts", "roles": ["Ticket Coordinator"]}
    answer = auth.simulate_post("/api/v1/users", json=body, headers=org.headers("tts"))
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "roles.0")
    with read_tx("auth"):
        assert User.select().where(User.email == NEW["email"]).count() == 0


def test_an_address_belongs_to_one_account_of_either_register(auth: TestClient, org: Organisation) -> None:
    taken = ["ADMINTTS@example.com", "eve@EXAMPLE.com"]
    for email in taken:
        body = {"email": email, "full_name": "X"}
        users = auth.simulate_post("/api/v1/users", json={**body, "system": "tts"}, headers=org.headers("tts"))
        employees = auth.simulate_post("/api/v1/employees", json=body, headers=org.headers("hdts"))
        assert (users.status_code, employees.status_code) == (409, 409)
    path = f"/api/v1/employees/{org.employee}"
    assert auth.simulate_patch(path, json={"email": taken[0]}, headers=org.headers("hdts")).status_code == 409
    assert auth.simulate_patch(path, json={"email": taken[1]}, headers=org.headers("hdts")).status_code == 200, "its own"


@pytest.mark.parametrize(
    "change",
    [{"password": "taken over, ha ha"}, {"email": "mine@evil.example"}, {"full_name": "X"}, {"is_active": False}],
)
def test_nobody_takes_over_an_account_of_another_system(auth: TestClient, org: Organisation, change: Any) -> None:
    # given: somebody of tts who also holds a role in ams, and somebody of ams alone
    both, foreign = new_user(auth, org), int(org.admins["ams"].id)
    role = {"system": "ams", "name": "Clerk"}
    org.roles["ams:Clerk"] = auth.simulate_post("/api/v1/roles", json=role, headers=org.headers("ams")).json["id"]
    grant = give(auth, org, both, "ams:Clerk").json["id"]

    for user in (both, foreign):
        answer = auth.simulate_patch(f"/api/v1/users/{user}", json=change, headers=org.headers("tts"))
        assert answer.status_code == 403
        assert auth.simulate_delete(f"/api/v1/users/{user}", headers=org.headers("tts")).status_code == 403

    # Taking the role back does not open the account: it could be given again.
    assert auth.simulate_delete(f"/api/v1/grants/{grant}", headers=org.headers("ams")).status_code == 200
    path = f"/api/v1/users/{both}"
    assert auth.simulate_patch(path, json=change, headers=org.headers("tts")).status_code == 403
    assert auth.simulate_patch(path, json=change, headers=org.headers("ams")).status_code == 403
    assert auth.simulate_patch(path, json=change, headers=bearer(ADMIN)).status_code == 200, "the platform's admin may"


def test_an_account_without_roles_belongs_to_its_home_alone(auth: TestClient, org: Organisation) -> None:
    user = new_user(auth, org)
    change = {"password": "a long enough password"}

    assert auth.simulate_patch(f"/api/v1/users/{user}", json=change, headers=org.headers("ams")).status_code == 403
    assert auth.simulate_patch(f"/api/v1/users/{user}", json=change, headers=org.headers("tts")).status_code == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_deactivating_a_user_announces_each_of_their_grants_inactive(auth: TestClient, org: Organisation) -> None:
    user = new_user(auth, org, roles=["IT Manager", "Admin"])
    give(auth, org, user, "hdts:Ticket Coordinator")
    before = {fields["role_id"]: version for _, fields, version in announced("tts.user_system_role.sync")}
    forget_announcements()

    answer = auth.simulate_delete(f"/api/v1/users/{user}", headers=bearer(ADMIN))

    assert (answer.status_code, answer.json["is_active"], answer.json["roles"]) == (200, False, [])
    grants = announced("tts.user_system_role.sync")
    assert {fields["role_id"] for _, fields, _ in grants} == {org.roles["tts:IT Manager"], org.roles["tts:Admin"]}
    assert all(not fields["is_active"] and version > before[fields["role_id"]] for _, fields, version in grants)
    [(_, told, version)] = announced("hdts.user.sync")
    assert (told["is_active"], version) == (False, 2)

    forget_announcements()
    path = f"/api/v1/users/{user}"
    assert auth.simulate_patch(path, json={"is_active": True}, headers=bearer(ADMIN)).status_code == 200
    assert [fields["is_active"] for _, fields, _ in announced()] == [True, True, True]


def test_a_new_name_is_announced_and_a_new_password_is_nobodys_business(auth: TestClient, org: Organisation) -> None:
    path, headers = f"/api/v1/users/{org.users['Admintts@example.com']}", org.headers("tts")
    auth.simulate_patch(path, json={"password": "a long enough password"}, headers=headers)
    assert announced() == []

    auth.simulate_patch(path, json={"full_name": "Tess Admin"}, headers=headers)
    auth.simulate_patch(path, json={"full_name": "Tess Admin"}, headers=headers)

    assert [fields["user_full_name"] for _, fields, _ in announced()] == ["Tess Admin"], "unchanged: not announced"


def test_an_edit_based_on_an_old_version_is_refused(auth: TestClient, org: Organisation) -> None:
    path, headers = f"/api/v1/users/{org.users['Admintts@example.com']}", org.headers("tts")
    etag = auth.simulate_get(path, headers=headers).headers["ETag"]

    first = auth.simulate_patch(path, json={"full_name": "A"}, headers={**headers, "If-Match": etag})
    second = auth.simulate_patch(path, json={"full_name": "B"}, headers={**headers, "If-Match": etag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["ETag"] != etag
    assert auth.simulate_get(path, headers=headers).json["full_name"] == "A"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "aaaaaaaaaaaaaaaa"),
        ("password", "x" * 201),
        ("email", "no address"),
        ("email", "a@b\u200b.example"),
        ("email", "two@at@signs.example"),
        ("full_name", "   "),
        ("full_name", "nul \x00"),
        ("is_active", "yes"),
        ("home_system", 1),
        ("version", 9),
    ],
)
def test_wrong_fields_are_refused_and_change_nothing(auth: TestClient, org: Organisation, field: str, value: Any) -> None:
    path, headers = f"/api/v1/users/{org.users['Admintts@example.com']}", org.headers("tts")
    before = auth.simulate_get(path, headers=headers).json

    answer = auth.simulate_patch(path, json={field: value}, headers=headers)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
    assert str(value) not in answer.text or len(str(value)) < 6
    assert auth.simulate_get(path, headers=headers).json == before


def test_users_are_found_by_address_in_whatever_case(auth: TestClient, org: Organisation) -> None:
    headers = org.headers("tts")
    params = {"email": "ADMINams@example.com"}

    [found] = auth.simulate_get("/api/v1/users", params=params, headers=headers).json["items"]

    assert found["id"] == org.users["Adminams@example.com"]
    assert found["roles"] == [], "roles of another system are not shown"
    assert auth.simulate_get("/api/v1/users", params={"limit": 1}, headers=headers).json["next"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_change_of_an_employee_is_announced_under_a_higher_version(auth: TestClient, org: Organisation) -> None:
    headers = org.headers("hdts")
    body = {**NEW, "department": "IT Department", "job_title": "Analyst"}
    created = auth.simulate_post("/api/v1/employees", json=body, headers=headers)
    assert created.status_code == 201
    path = created.headers["Location"]

    auth.simulate_patch(path, json={"department": "Asset Department"}, headers=headers)
    auth.simulate_patch(path, json={"password": "a long enough password"}, headers=headers)
    auth.simulate_patch(path, json={}, headers=headers)
    auth.simulate_delete(path, headers=headers)

    news = announced()
    assert {name for name, _, _ in news} == {"hdts.employee.sync"}
    assert news[0][1] == {"id": created.json["id"], "is_active": True, **body}
    assert [(fields["department"], fields["is_active"]) for _, fields, _ in news[1:]] == [
        ("Asset Department", True),
        ("Asset Department", False),
    ]
    versions = [version or 0 for _, _, version in news]
    assert versions == sorted(set(versions))


def test_the_register_is_read_by_coordinators_and_changed_by_admins_of_the_help_desk(auth: TestClient, org: Organisation) -> None:
    path = f"/api/v1/employees/{org.employee}"

    assert auth.simulate_get(path, headers=bearer(COORDINATOR)).json["full_name"] == "Eve Employee"
    assert auth.simulate_get("/api/v1/employees", params={"department": "IT"}, headers=bearer(COORDINATOR)).json["items"]
    for headers in (bearer(COORDINATOR), org.headers("tts"), org.headers("ams")):
        assert auth.simulate_patch(path, json={"full_name": "X"}, headers=headers).status_code == 403
    assert auth.simulate_get("/api/v1/employees/999", headers=org.headers("hdts")).status_code == 404


def test_creating_with_the_same_idempotency_key_creates_once(auth: TestClient, org: Organisation) -> None:
    headers = {**org.headers("tts"), "Idempotency-Key": "k1"}
    body = {**NEW, "system": "tts", "password": "a long enough password"}

    answers = [auth.simulate_post("/api/v1/users", json=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
