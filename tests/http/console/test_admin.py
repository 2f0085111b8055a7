"""The administrators' pages: asked once more before something powerful, what a service refuses told, nothing stored unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from baton.http.web.services import ServiceRefusedError, Services
from tests.http.console.system_desk import ADMIN, COORDINATOR, Desk

USER = {
    "id": 7,
    "email": "ken@example.com",
    "full_name": "Ken <b>",
    "is_active": True,
    "home_system": "tts",
    "roles": [],
    "version": 3,
}
DOCUMENT = {"name": "P", "calendar": "Office hours", "targets": {"resolution": "8h"}}
POLICY = {"id": 4, "name": "P", "version": 2, "created_at": "2026-01-01T00:00:00Z", "definition": DOCUMENT, "faults": []}
POLICY |= {"versions": [{"number": 2, "created_by": "user:1", "created_at": "2026-01-01T00:00:00Z", "definition": DOCUMENT}]}
NOTHING = {"moved": 0, "breaches": 0, "recovers": 0, "ends": 0, "begins": 0}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk()
    monkeypatch.setattr(Services, "call", lambda self, *args, **options: found.answer(*args, **options))
    found.answers |= {
        ("auth", "/api/v1/users/7"): USER,
        ("auth", "/api/v1/grants"): {"items": [], "next": None},
        ("auth", "/api/v1/grants/9"): {},
        ("auth", "/api/v1/roles"): {"items": [], "next": None},
        ("workflow", "/api/v1/sla/policies/4"): POLICY,
        ("workflow", "/api/v1/sla/calendars"): {"items": [{"name": "Office hours"}], "next": None},
    }
    return found


def writes(desk: Desk) -> list[tuple[str, str]]:
    return [(method, path) for method, _, path, _ in desk.calls if method != "GET"]


@pytest.mark.parametrize("path", ["/admin", "/admin/users", "/admin/workflows/new", "/admin/policies/4", "/admin/changes"])
def test_who_is_no_administrator_finds_nothing_there(desk: Desk, path: str) -> None:
    assert desk.get(path, COORDINATOR).status_code == 404
    assert [call for call in desk.calls if call[1] != "notifications"] == []


def test_switching_an_account_off_is_asked_once_more(desk: Desk) -> None:
    fields = [("active", "no"), ("name", "Ken <b>"), ("version", "3")]
    asked = desk.post("/admin/users/7/active", fields)
    assert (asked.status_code, writes(desk)) == (200, [])
    assert "Ken &lt;b&gt;" in asked.text and "Ken <b>" not in asked.text
    done = desk.post("/admin/users/7/active", [*fields, ("sure", "yes")])
    assert (done.status_code, done.headers["location"]) == (303, "/admin/users/7")
    options = next(options for method, _, _, options in desk.calls if method == "PATCH")
    assert (options["body"], options["version"]) == ({"is_active": False}, "3")


def test_taking_a_role_and_giving_the_admin_role_are_asked_once_more(desk: Desk) -> None:
    assert "sure" in desk.post("/admin/users/7/grants/9", [("role", "tts:Admin")]).text
    assert writes(desk) == []
    assert "sure" in desk.post("/admin/users/7/grants", [("role", "1:tts:Admin")]).text
    assert writes(desk) == []
    assert desk.post("/admin/users/7/grants/9", [("role", "tts:Admin"), ("sure", "yes")]).status_code == 303
    assert writes(desk) == [("DELETE", "/api/v1/grants/9")]


def test_a_refusal_of_the_directory_is_explained_and_what_was_typed_kept_but_no_password(desk: Desk) -> None:
    answers = desk.answers

    def refuse(method: str, service: str, path: str, **options: Any) -> Any:
        if method == "PATCH":
            raise ServiceRefusedError("auth", 403, {"detail": "the account also belongs to other systems"})
        return answers.get((service, path), {"unread": 0})

    desk.answer = refuse  # type: ignore[method-assign]
    told = desk.post("/admin/users/7", [("full_name", "Other"), ("email", "o@example.com")])
    assert told.status_code == 403
    assert "The directory does not let you do this. the account also belongs" in told.text and 'value="Other"' in told.text
    told = desk.post("/admin/users/7/password", [("password", "S3cret words!"), ("sure", "yes")])
    assert told.status_code == 403 and "S3cret words!" not in told.text


def test_a_policy_is_not_stored_before_it_was_seen_what_it_would_do(desk: Desk) -> None:
    seen = {"tickets": 3, "seen": 3, "concerned": 1, "counts": NOTHING, "items": [], "faults": [], "next": None}
    desk.answers |= {("workflow", "/api/v1/sla/preview"): seen, ("workflow", "/api/v1/sla/changes"): {"id": 5}}
    page = desk.post("/admin/policies/4/edit", [("calendar", "Office hours"), ("resolution", "4h"), ("do", "look")])
    assert writes(desk) == [("POST", "/api/v1/sla/preview")]
    hidden = dict(re.findall(r'name="(kind|name|id|version|document)" value="([^"]*)"', page.text))
    fields = [(name, value.replace("&#34;", '"')) for name, value in hidden.items()]
    done = desk.post("/admin/changes/make", [*fields, ("do", "running"), ("reason", "faster")])
    assert done.headers["location"] == "/admin/changes/5"
    body = next(options["body"] for _, _, path, options in desk.calls if path == "/api/v1/sla/changes")
    assert body["policies"][0]["targets"] == {"resolution": "4h"} and body["policies"][0]["name"] == "P"
    desk.post("/admin/changes/make", [*fields, ("do", "new")])
    stored = next((method, options["version"]) for method, _, _, options in desk.calls if method == "PUT")
    assert stored == ("PUT", "2")


def test_a_made_up_change_is_refused(desk: Desk) -> None:
    for fields in ([("document", "["), ("kind", "policy")], [("document", "{}"), ("kind", "other")], []):
        assert desk.post("/admin/changes/make", fields).status_code == 400
    assert writes(desk) == []


def test_the_workflow_form_shows_what_is_wrong_beside_the_field_and_stores_nothing(desk: Desk) -> None:
    fault = {"code": "role-unknown", "severity": "error", "where": "A", "message": "there is no role 'X'", "remedy": "make it"}
    desk.answers |= {
        ("workflow", "/api/v1/roles"): {"items": []},
        ("workflow", "/api/v1/workflows/validate"): {"is_deployable": False, "faults": [fault]},
        ("workflow", "/api/v1/workflows/preview"): b"<svg/>",
    }
    fields = [("name", "W"), ("steps", "1"), ("rules", "0"), ("step.0.name", "A"), ("step.0.role", "X"), ("do", "add-step:1")]
    page = desk.post("/admin/workflows/new", fields, ADMIN)
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page.text and 'id="step-1"' in page.text
    beside = page.text[page.text.index('id="faults-steps-0-role"') :]
    assert "There is no role &#39;X&#39;" in beside[:300]
    assert {path for _, path in writes(desk)} == {"/api/v1/workflows/validate", "/api/v1/workflows/preview"}
