"""Saved views: one's own, and those that coordinators share with a role."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import BACKENDS, EMPLOYEE, bearer
from tests.http.work.conftest import Office


def views(office: Office, user: int, **query: Any) -> list[dict[str, Any]]:
    answer = office.front.simulate_get("/api/v1/views", params=query, headers=bearer(office.who(user)))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_views_are_ones_own_unless_a_coordinator_shares_them(office: Office) -> None:
    mine = office.post(31, "/views", {"name": "Late", "page": "/", "query": "urgency=late"})
    assert mine.status_code == 201, mine.text
    shared = office.post(21, "/views", {"name": "IT", "page": "/tickets", "query": "role=3", "shared_with": "3"})
    assert shared.json["shared_with_role"] == "IT Manager"
    assert [each["name"] for each in views(office, 31)] == ["IT", "Late"]
    assert [each["name"] for each in views(office, 32)] == ["IT"]
    assert [each["name"] for each in views(office, 31, page="/")] == ["Late"]
    assert [each["own"] for each in views(office, 31)] == [False, True]
    # Nobody else's view is there, changed or deleted by others.
    path, theirs = f"/views/{mine.json['id']}", f"/views/{shared.json['id']}"
    body = {"name": "Mine", "page": "/", "query": ""}
    assert office.post(32, path, body, method="PUT").status_code == 404
    assert office.post(32, path, None, method="DELETE").status_code == 404
    assert office.post(31, theirs, body, method="PUT").status_code == 403
    assert office.post(31, theirs, None, method="DELETE").status_code == 403
    assert office.post(31, path, body, method="PUT").json["name"] == "Mine"
    assert office.post(22, theirs, None, method="DELETE").status_code == 204
    assert office.post(31, path, None, method="DELETE").status_code == 204
    assert views(office, 31) == []


def test_a_view_is_refused_with_what_is_wrong(office: Office) -> None:
    good = {"name": "Late", "page": "/", "query": ""}
    assert office.post(31, "/views", {**good, "shared_with": "3"}).status_code == 403
    assert office.post(21, "/views", {**good, "shared_with": "no role"}).status_code == 422
    for wrong in ({"page": "//evil.example"}, {"page": "/sign-out"}, {"name": " "}, {"query": "a\nb"}, {"query": "x" * 2_001}):
        assert office.post(31, "/views", {**good, **wrong}).status_code == 422, wrong
    assert office.post(31, "/views", good).status_code == 201
    assert office.post(31, "/views", good).status_code == 409
    other = office.post(31, "/views", {**good, "name": "Other"}).json["id"]
    assert office.post(31, f"/views/{other}", good, method="PUT").status_code == 409
    assert office.front.simulate_get("/api/v1/views", headers=bearer(EMPLOYEE)).status_code == 403


def test_nobody_keeps_more_than_a_hundred(office: Office) -> None:
    for place in range(100):
        assert office.post(31, "/views", {"name": f"V{place}", "page": "/"}, carry=False).status_code == 201
    assert office.post(31, "/views", {"name": "One more", "page": "/"}).status_code == 409


def test_every_list_of_the_console_that_has_filters_keeps_views(office: Office) -> None:
    for page in ("/", "/tickets", "/search", "/at-risk", "/waiting", "/people"):
        body = {"name": f"View of {page}", "page": page, "query": "role=3", "shared_with": "3"}
        assert office.post(21, "/views", body).status_code == 201, page
        assert [each["name"] for each in views(office, 31, page=page)] == [f"View of {page}"]
