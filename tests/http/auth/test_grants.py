"""Administration of roles and grants: who may, what is announced, and who cannot be removed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from falcon.testing import TestClient

from baton.models.auth import Grant, User
from baton.models.auth.passwords import passwords
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from tests.factories import ADMIN, BACKENDS, EMPLOYEE, SERVICE, TECHNICIAN, bearer
from tests.http.auth.organisation import Organisation, announced, forget_announcements, grant_id


def new_user(auth: TestClient, org: Organisation, system: str = "tts", **changes: Any) -> int:
    """Create a user as the admin of a system; return the id."""
    number = len(org.users) + 1
    body = {"email": f"user{number}@example.com", "full_name": f"User {number}", "system": system, **changes}
    answer = auth.simulate_post("/api/v1/users", json=body, headers=org.headers(system))
    assert answer.status_code == 201, answer.text
    org.users[body["email"]] = answer.json["id"]
    found: int = answer.json["id"]
    return found


def give(auth: TestClient, org: Organisation, user: int, role: str, admin: str | None = None) -> Any:
    """Grant a role as the admin of its system, or of another."""
    body = {"user_id": user, "role_id": org.roles[role]}
    return auth.simulate_post("/api/v1/grants", json=body, headers=org.headers(admin or role.split(":")[0]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_grant_is_announced_when_given_and_when_taken_each_time_under_a_higher_version(
    auth: TestClient, org: Organisation
) -> None:
    user = new_user(auth, org)
    assert announced() == [], "nobody keeps copies of users without roles"

    answer = give(auth, org, user, "tts:IT Manager")
    assert (answer.status_code, answer.json["is_active"]) == (201, True)
    path = f"/api/v1/grants/{answer.json['id']}"
    assert auth.simulate_delete(path, headers=org.headers("tts")).json["is_active"] is False
    assert auth.simulate_delete(path, headers=org.headers("tts")).status_code == 200, "taken twice is taken once"
    assert give(auth, org, user, "tts:IT Manager").status_code == 200, "given anew, not granted twice"

    news = announced("tts.user_system_role.sync")
    assert [fields["is_active"] for _, fields, _ in news] == [True, False, True]
    assert news[0][1] == {
        "user_id": user,
        "role_id": org.roles["tts:IT Manager"],
        "user_full_name": "User 4",
        "user_email": "user4@example.com",
        "is_active": True,
    }
    versions = [version for _, _, version in news]
    assert versions == sorted(set(versions)) and versions[0] == 1


def test_a_grant_of_hdts_is_announced_as_a_user_with_the_role_that_counts(auth: TestClient, org: Organisation) -> None:
    user = new_user(auth, org, "hdts")
    give(auth, org, user, "hdts:Ticket Coordinator")
    give(auth, org, user, "hdts:Admin")
    for role in ("hdts:Admin", "hdts:Ticket Coordinator"):
        path = f"/api/v1/grants/{grant_id(user, org.roles[role])}"
        assert auth.simulate_delete(path, headers=org.headers("hdts")).status_code == 200

    news = announced()
    assert {name for name, _, _ in news} == {"hdts.user.sync"}
    assert [(fields["role"], fields["is_active"]) for _, fields, _ in news] == [
        ("Ticket Coordinator", True),
        ("Admin", True),
        ("Ticket Coordinator", True),
        (None, False),
    ]
    assert [version for _, _, version in news] == [1, 2, 3, 4]


def test_a_refused_change_announces_nothing(auth: TestClient, org: Organisation) -> None:
    user = new_user(auth, org)

    assert give(auth, org, user, "tts:IT Manager", admin="ams").status_code == 422
    path = f"/api/v1/grants/{grant_id(org.users['Admintts@example.com'], org.roles['tts:Admin'])}"
    stale = {**org.headers("tts"), "If-Match": '"99"'}
    assert auth.simulate_delete(path, headers=stale).status_code == 412

    assert announced() == []


@pytest.mark.parametrize("role", ["ams:Admin", "hdts:Admin", "hdts:Ticket Coordinator"])
def test_an_admin_cannot_grant_roles_of_another_system_to_anybody(auth: TestClient, org: Organisation, role: str) -> None:
    for user in (int(org.admins["tts"].id), new_user(auth, org)):
        assert give(auth, org, user, role, admin="tts").status_code == 422
    with read_tx("auth"):
        assert Grant.select().where(Grant.role == org.roles[role], Grant.user == int(org.admins["tts"].id)).count() == 0


def test_grants_and_roles_of_another_system_are_answered_like_unknown_ones(auth: TestClient, org: Organisation) -> None:
    foreign = grant_id(int(org.admins["ams"].id), org.roles["ams:Admin"])
    headers = org.headers("tts")

    for path in (f"/api/v1/grants/{foreign}", f"/api/v1/roles/{org.roles['ams:Admin']}"):
        unknown = path.rsplit("/", 1)[0] + "/999999"
        for call in (auth.simulate_get, auth.simulate_delete):
            answers = [call(where, headers=headers) for where in (path, unknown)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].json["detail"] == answers[1].json["detail"]
    systems = {item["system"] for item in auth.simulate_get("/api/v1/grants", headers=headers).json["items"]}
    assert systems == {"tts"}
    query = {"system": "ams"}
    assert auth.simulate_get("/api/v1/roles", headers=headers, params=query).json["items"] == []


@pytest.mark.parametrize("who", [None, EMPLOYEE, TECHNICIAN, SERVICE])
def test_only_admins_administer(auth: TestClient, org: Organisation, who: Any) -> None:
    headers = bearer(who) if who else {}
    body = {"user_id": 1, "role_id": 1}

    statuses = {
        auth.simulate_post("/api/v1/grants", json=body, headers=headers).status_code,
        auth.simulate_post("/api/v1/roles", json={"system": "tts", "name": "X"}, headers=headers).status_code,
        auth.simulate_patch("/api/v1/users/1", json={"full_name": "X"}, headers=headers).status_code,
        auth.simulate_delete("/api/v1/employees/1", headers=headers).status_code,
        auth.simulate_post("/api/v1/systems", json={"slug": "evil", "name": "Evil"}, headers=headers).status_code,
    }

    assert statuses == {403 if who else 401}


def test_the_last_active_admin_of_a_system_cannot_be_removed_in_any_way(auth: TestClient, org: Organisation) -> None:
    admin, headers = org.users["Admintts@example.com"], org.headers("tts")
    grant = f"/api/v1/grants/{grant_id(admin, org.roles['tts:Admin'])}"

    answers = [
        auth.simulate_delete(grant, headers=headers),
        auth.simulate_patch(grant, json={"is_active": False}, headers=headers),
        auth.simulate_delete(f"/api/v1/users/{admin}", headers=headers),
        auth.simulate_patch(f"/api/v1/users/{admin}", json={"is_active": False}, headers=headers),
        auth.simulate_delete(f"/api/v1/roles/{org.roles['tts:Admin']}", headers=headers),
        auth.simulate_patch(f"/api/v1/roles/{org.roles['tts:Admin']}", json={"name": "Boss"}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [409] * 6

    # An admin who cannot sign in is none: the first one still cannot be removed.
    second = new_user(auth, org, roles=["Admin"])
    assert auth.simulate_delete(grant, headers=headers).status_code == 409
    change = {"password": "a long enough password"}
    assert auth.simulate_patch(f"/api/v1/users/{second}", json=change, headers=headers).status_code == 200
    assert auth.simulate_delete(grant, headers=headers).status_code == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_admins_cannot_remove_each_other_at_the_same_time(auth: TestClient, org: Organisation) -> None:
    second = new_user(auth, org, roles=["Admin"])
    with write_tx("auth"):
        User.update(password_hash=passwords(True).hash("something else")).where(User.id == second).execute()
    first = int(org.admins["tts"].id)
    statuses: list[int] = []

    def remove(user: int) -> None:
        path = f"/api/v1/grants/{grant_id(user, org.roles['tts:Admin'])}"
        statuses.append(auth.simulate_delete(path, headers=org.headers("tts")).status_code)

    threads = [threading.Thread(target=remove, args=(user,)) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 409]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_role_is_announced_when_created_and_changed_and_takes_its_grants_along(auth: TestClient, org: Organisation) -> None:
    headers = org.headers("tts")
    created = auth.simulate_post("/api/v1/roles", json={"system": "tts", "name": "Auditor"}, headers=headers)
    assert created.status_code == 201
    path = f"/api/v1/roles/{created.json['id']}"
    org.roles["tts:Auditor"] = created.json["id"]
    user = new_user(auth, org, roles=["auditor"])
    renamed = auth.simulate_patch(path, json={"name": "Reviewer"}, headers={**headers, "If-Match": created.headers["ETag"]})
    assert renamed.json["name"] == "Reviewer"
    outdated = {**headers, "If-Match": created.headers["ETag"]}
    assert auth.simulate_patch(path, json={"name": "X"}, headers=outdated).status_code == 412
    assert auth.simulate_delete(path, headers=headers).json["is_active"] is False

    roles = [(fields["name"], fields["is_active"], version) for _, fields, version in announced("tts.role.sync")]
    assert roles == [("Auditor", True, 1), ("Reviewer", True, 2), ("Reviewer", False, 3)]
    grants = [(fields["user_id"], fields["is_active"]) for _, fields, _ in announced("tts.user_system_role.sync")]
    assert grants == [(user, True), (user, False)]
    assert give(auth, org, user, "tts:Auditor").status_code == 409, "a role that is off cannot be given"


def test_role_names_keep_to_the_rules(auth: TestClient, org: Organisation) -> None:
    headers = org.headers("tts")

    def create(name: Any, system: str = "tts") -> int:
        answer = auth.simulate_post("/api/v1/roles", json={"system": system, "name": name}, headers=headers)
        return int(answer.status_code)

    assert [create(name) for name in ("*", "a:b", "", " x", "x\u202ey", "x" * 61, 5)] == [422] * 7
    assert [create(name) for name in ("ADMIN", "it manager")] == [409, 409]
    assert create("Auditor", "ams") == 403
    assert create("Prüfer") == 201


def test_roles_of_systems_outside_are_kept_but_not_announced(auth: TestClient, org: Organisation) -> None:
    body = {"system": "ams", "name": "Clerk"}
    assert auth.simulate_post("/api/v1/roles", json=body, headers=org.headers("ams")).status_code == 201
    new_user(auth, org, "ams", roles=["Clerk"])

    assert announced() == []


def test_a_system_is_created_and_switched_off_by_platform_admins_only(auth: TestClient, org: Organisation) -> None:
    headers = bearer(ADMIN)
    new_user(auth, org, roles=["IT Manager"])
    forget_announcements()
    assert auth.simulate_post("/api/v1/systems", json={"slug": "crm", "name": "CRM"}, headers=headers).status_code == 201
    assert auth.simulate_post("/api/v1/systems", json={"slug": "crm", "name": "CRM"}, headers=headers).status_code == 409
    assert auth.simulate_post("/api/v1/systems", json={"slug": "C:*", "name": "x"}, headers=headers).status_code == 422
    path = f"/api/v1/systems/{org.systems['tts']}"
    assert auth.simulate_delete(path, headers=org.headers("tts")).status_code == 403

    assert auth.simulate_delete(path, headers=headers).json["is_active"] is False

    assert {fields["is_active"] for _, fields, _ in announced()} == {False}
    assert len(announced("tts.role.sync")) == 2 and len(announced("tts.user_system_role.sync")) == 2
    holders = auth.simulate_get("/api/v1/tts/round-robin/?role=Admin", headers=bearer(SERVICE))
    assert holders.json == {"user_ids": []}


def test_grants_are_listed_by_page_and_filtered(auth: TestClient, org: Organisation) -> None:
    for _ in range(5):
        new_user(auth, org, roles=["IT Manager"])
    headers, found, cursor = org.headers("tts"), [], None
    while True:
        params = {"limit": 2, "role_id": org.roles["tts:IT Manager"], **({"cursor": cursor} if cursor else {})}
        answer = auth.simulate_get("/api/v1/grants", params=params, headers=headers).json
        assert len(answer["items"]) <= 2
        found += [item["user_id"] for item in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert len(found) == len(set(found)) == 5
    params = {"user_id": found[0], "is_active": "false"}
    assert auth.simulate_get("/api/v1/grants", params=params, headers=headers).json["items"] == []
