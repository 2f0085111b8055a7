"""The coordinators' pages: what they show of the services' answers, what they send, and who may open them."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlencode

import falcon.testing
import jwt
import pytest

from baton.http.console import create_app
from baton.http.tokens import SharedSecret, claims_of
from baton.http.web.services import ServiceRefusedError, Services
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

SECRET = "a secret of thirty-two characters and more"
NADIA = Principal("user", "2", "Nadia", "n@example.com", frozenset({"tts:Ticket Coordinator"}))
KENJI = Principal("user", "3", "Kenji", "k@example.com", frozenset({"tts:IT Manager"}))
NOW = "2026-11-20T12:00:00Z"
PAGES = (
    "/overview",
    "/triage",
    "/triage/HD-1",
    "/waiting",
    "/at-risk",
    "/people",
    "/people/7",
    "/handovers",
    "/handovers/7",
    "/reports/sla",
    "/reports/fairness",
    "/reports/flow",
)
COUNTS = {
    "as_of": NOW, "counted_to": 1000, "in_triage": 0, "in_triage_since": None, "waiting": 0, "waiting_since": None,
    "breached": 0, "at_risk": 3, "at_risk_seconds": 86400, "absent": 0,
}  # fmt: skip
MEMBER = {
    "user_id": "7", "name": "Ann <b>", "role_id": "4", "role": "Asset Manager", "is_active": True, "is_away": True,
    "away_from": NOW, "away_to": None, "substitute": "8", "substitute_name": "Ben", "capacity": 3, "open_items": 3, "turns": 5,
    "last_turn": 9,
}  # fmt: skip
RANGE = {"first": "2026-11-01", "last": "2026-11-02", "time_zone": "UTC"}
SLA_ROW = {"name": "Fast", "met": 3, "breached": 1, "cancelled": 0, "late_open": 0, "in_time_percent": 75.0}
PERSON = {
    "role": "Asset Manager", "role_id": "4", "user_id": "7", "name": "Ann", "active": True, "turns": 5, "given_back": 1,
    "eligible": 9, "passed_over": 2, "late": 0, "open_now": 3, "late_now": 1, "capacity": 3,
}  # fmt: skip
STEP = {"workflow": "Asset", "step": "Check", "items": 2, **{f"{n}_seconds": 7200 for n in ("mean", "median", "p90", "longest")}}
SNAPSHOT = {
    "ticket_number": "HD-1", "status": "In Triage", "status_version": 1, "department": None, "category": "Budgt",
    "priority": "High", "received_at": NOW, "ticket_data": {"subject": "Money", "description": "A lot of it."},
}  # fmt: skip
NEAR = {"workflow": "Budget", "version": 1, "matched_by": None, "chosen": False, "why": "it wants category 'budget'"}
ITEM = {"id": 5, "ticket_number": "HD-1", "step": "Check", "role": "Asset Manager", "state": "new"}
ANSWERS: dict[str, Any] = {
    "/api/v1/overview": COUNTS,
    "/api/v1/triage": {"items": [], "next": None},
    "/api/v1/tasks/HD-1": {"ticket_number": "HD-1", "status": "In Triage", "task": None, "items": [], "snapshot": SNAPSHOT},
    "/api/v1/workflows": {"items": [{"id": 3, "name": "Budget", "description": "", "deployed_version": 9}], "next": None},
    "/api/v1/workflows/match": {"workflow_id": None, "workflow": None, "reason": "nothing matches", "considered": [NEAR]},
    "/api/v1/roles": {"items": [{"role_id": "4", "name": "Asset Manager"}], "next": None},
    "/api/v1/views": {"items": []},
    "/api/v1/waiting": {"items": [], "next": None},
    "/api/v1/members": {"items": [MEMBER], "next": None},
    "/api/v1/members/7/substitute": {"user_id": "7", "substitute": "8", "chain": ["8"]},
    "/api/v1/members/7/handover": {
        "user_id": "7", "name": "Ann", "is_away": True, "away_from": NOW, "away_to": None, "substitutes": ["8"],
        "substitute_names": ["Ben"], "items": [{"item": ITEM, "heir": None, "heir_name": None, "reason": "user 8 is away"}],
    },
    "/api/v1/work": {"items": [], "open": 0, "late": 0, "soon": 0, "on_hold": 0, "found": 0},
    "/api/v1/sla/at-risk": {"items": [], "next": None},
    "/api/v1/handovers": {"items": [], "next": None},
    "/api/v1/reports/sla": {**RANGE, "group": "policy", "clock": None, "rows": [SLA_ROW], "total": {**SLA_ROW, "name": "all"}},
    "/api/v1/reports/fairness": {**RANGE, "roles": [], "people": [PERSON], "days": []},
    "/api/v1/reports/flow": {
        **RANGE, "open_now": 4, "steps": [STEP], "days": [{"day": "2026-11-01", "arrived": 2, "finished": 1, "backlog": 4}],
    },
}  # fmt: skip


class Stub:
    """The services: what they answer (a status refuses), and what they were asked."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.sent: list[tuple[str, str, Any]] = []

    def call(self, _: Services, method: str, service: str, path: str, **options: Any) -> Any:
        if method != "GET":
            self.sent.append((method, path, options.get("body")))
        found = self.answers.get(path, {"unread": 0})
        if isinstance(found, int):
            raise ServiceRefusedError(service, found, {"detail": "it is too late"})
        return found(options) if callable(found) else found


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    found = Stub()
    monkeypatch.setattr(Services, "call", lambda self, *given, **options: found.call(self, *given, **options))
    return found


@pytest.fixture
def console(stub: Stub) -> falcon.testing.TestClient:
    settings = Settings(environment="test", token_algorithm="HS256", token_secret=SECRET)
    return falcon.testing.TestClient(create_app(settings, SharedSecret(SECRET)))


def cookies(who: Principal = NADIA) -> dict[str, str]:
    claims = claims_of(who, issued_at=int(time.time()) - 10, seconds=900, token_id="t")
    return {"baton_console": jwt.encode(claims, SECRET, algorithm="HS256")}


def send(console: falcon.testing.TestClient, path: str, fields: Any) -> Any:
    """Send a form as the page that holds it would."""
    page = console.simulate_get("/overview", cookies=cookies())
    kept = {**cookies(), **{name: cookie.value for name, cookie in page.cookies.items() if cookie.value}}
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)
    assert token is not None
    body = urlencode([("csrf", token[1]), *fields])
    return console.simulate_post(path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"}, cookies=kept)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_coordinators_in_both_languages_and_for_nobody_else(
    console: falcon.testing.TestClient, path: str
) -> None:
    for language in ("en", "de"):
        page = console.simulate_get(path, cookies=cookies(), headers={"Accept-Language": language})
        assert page.status_code == 200, page.text
        assert page.text.count("<h1") == 1
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text) == []
    assert console.simulate_get(path, cookies=cookies(KENJI)).status_code == 404


def test_only_coordinators_see_links_to_these_pages(console: falcon.testing.TestClient, stub: Stub) -> None:
    # Who may not open it is told so on a page with the navigation.
    links = [f'href="{path}"' for path in ("/overview", "/triage", "/waiting", "/at-risk", "/people", "/handovers", "/reports")]
    for who, count in ((NADIA, len(links)), (KENJI, 0)):
        page = console.simulate_get("/overview", cookies=cookies(who)).text
        assert sum(link in page for link in links) == count


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "All is well"),
        ({"in_triage": 2}, "Some things want a look"),
        ({"breached": 1, "absent": 1}, "Something is going wrong"),
    ],
)
def test_the_overview_says_in_a_sentence_whether_anything_goes_wrong(
    console: falcon.testing.TestClient, stub: Stub, counts: dict[str, int], said: str
) -> None:
    stub.answers["/api/v1/overview"] = {**COUNTS, **counts}
    assert said in console.simulate_get("/overview", cookies=cookies()).text
    stub.answers["/api/v1/reports/flow"] = stub.answers["/api/v1/reports/sla"] = 503
    without = console.simulate_get("/overview", cookies=cookies())
    assert without.status_code == 200 and said in without.text


def test_triage_tells_near_rules_and_what_another_category_would_get(console: falcon.testing.TestClient, stub: Stub) -> None:
    asked: list[Any] = []

    def match(options: Any) -> Any:
        asked.append(options["body"])
        if options["body"].get("category") == "Budget":
            return {"workflow_id": 3, "workflow": "Budget", "reason": "matches by category", "considered": []}
        return ANSWERS["/api/v1/workflows/match"]

    stub.answers["/api/v1/workflows/match"] = match
    page = console.simulate_get("/triage/HD-1", query_string="category=Budget&department=", cookies=cookies()).text
    assert "it wants category" in page and "Budget would get it" in page
    assert sorted(each["category"] for each in asked) == ["Budget", "Budgt"]


def test_a_ticket_that_left_triage_leads_to_its_page(console: falcon.testing.TestClient, stub: Stub) -> None:
    stub.answers["/api/v1/tasks/HD-1"] = {**ANSWERS["/api/v1/tasks/HD-1"], "status": "Assigned", "task": {"id": 1}}
    assert console.simulate_get("/triage/HD-1", cookies=cookies()).headers["location"] == "/tickets/HD-1"


SENDING: list[tuple[str, list[tuple[str, str]], str, str, Any]] = [
    ("/triage/HD-1/allocate", [("workflow", "3")], "POST", "/api/v1/triage/HD-1/allocate", {"workflow_id": 3}),
    ("/waiting/item/5", [("ticket", "HD-1"), ("to_user", "7")], "POST", "/api/v1/items/5/assign", {"to_user": "7"}),
    ("/waiting/owner/9", [("ticket", "HD-1"), ("to_user", "7")], "POST", "/api/v1/tasks/HD-1/owner", {"to_user": "7"}),
    ("/people/7/capacity/4", [("capacity", "")], "PUT", "/api/v1/roles/4/members/7/capacity", {"capacity": None}),
    ("/people/7/capacity/4", [("capacity", "2")], "PUT", "/api/v1/roles/4/members/7/capacity", {"capacity": 2}),
    ("/people/7/substitute", [("substitute", "")], "PUT", "/api/v1/members/7/substitute", {"substitute": None}),
    ("/people/7/absence", [("away_from", "2026-11-20T13:00"), ("away_to", "")], "PUT", "/api/v1/members/7/availability",
     {"away_from": "2026-11-20T13:00:00+00:00", "away_to": None}),
    ("/people/7/absence", [("away_from", "2026-11-20T13:00"), ("present", "1")], "PUT", "/api/v1/members/7/availability",
     {"away_from": None, "away_to": None}),
]  # fmt: skip


@pytest.mark.parametrize(("form", "fields", "method", "path", "body"), SENDING)
def test_a_form_is_sent_on_as_it_was_meant_and_a_refusal_is_told(
    console: falcon.testing.TestClient, stub: Stub, form: str, fields: Any, method: str, path: str, body: Any
) -> None:
    assert send(console, form, fields).status_code == 303
    assert stub.sent[-1] == (method, path, body)
    stub.answers[path] = 409
    refused = send(console, form, fields)
    assert refused.status_code == 303
    kept = {**cookies(), "baton_told": refused.cookies["baton_told"].value}
    assert "it is too late" in console.simulate_get("/overview", cookies=kept).text


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("/triage/HD-1/allocate", []),
        ("/triage/HD-1/allocate", [("workflow", "x")]),
        ("/waiting/item/5", [("ticket", "HD-1")]),
        ("/people/7/capacity/4", [("capacity", "-1")]),
        ("/handovers/7", [("to", "substitute")]),
    ],
)
def test_a_form_that_says_too_little_sends_nothing(
    console: falcon.testing.TestClient, stub: Stub, form: str, fields: Any
) -> None:
    assert send(console, form, fields).status_code == 303
    assert [path for method, path, _ in stub.sent if method != "GET"] == []


def test_what_cannot_be_handed_over_is_listed_with_its_reason(console: falcon.testing.TestClient, stub: Stub) -> None:
    results = [{"id": 5, "status": 409, "detail": "user 8 is away"}, {"id": 6, "status": 200, "detail": None}]
    stub.answers["/api/v1/members/7/handover"] = {"done": 1, "refused": 1, "results": results}
    page = send(console, "/handovers/7", [("to", "substitute"), ("item", "5"), ("item", "6")])
    assert stub.sent[-1][2] == {"to": "substitute", "items": [5, 6]}
    assert page.status_code == 200 and "user 8 is away" in page.text


def test_reports_show_pictures_with_their_numbers_in_the_readers_language(console: falcon.testing.TestClient) -> None:
    for name, word in (("sla", "Gehalten"), ("fairness", "Zuteilungen"), ("flow", "Eingegangen")):
        page = console.simulate_get(f"/reports/{name}", cookies=cookies(), headers={"Accept-Language": "de"}).text
        assert "<svg" in page and f"{word}</text>" in page and "<table" in page
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_a_range_that_is_refused_is_told_and_an_unknown_report_is_not_found(
    console: falcon.testing.TestClient, stub: Stub
) -> None:
    stub.answers["/api/v1/reports/sla"] = 422
    page = console.simulate_get("/reports/sla", query_string="from=2026-02-01&to=2026-01-01", cookies=cookies())
    assert page.status_code == 422 and "it is too late" in page.text
    assert console.simulate_get("/reports/none", cookies=cookies()).status_code == 404


def test_a_table_is_downloaded_as_a_file_that_the_address_cannot_rename(console: falcon.testing.TestClient, stub: Stub) -> None:
    stub.answers["/api/v1/reports/flow"] = b"day,arrived\r\n"
    query = urlencode({"from": '2026-11-01"; x', "to": "2026-11-02", "table": "steps"})
    answer = console.simulate_get("/reports/flow/table", query_string=query, cookies=cookies())
    assert answer.text == "day,arrived\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="steps-2026-11-02.csv"'
