"""Every list of the console as a CSV file: all its pages, narrowed as the list is, for whom the list is, and no formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from baton.pipelines.permissions import Principal
from tests.http.console.system_desk import ADMIN, COORDINATOR, Desk

STAFF = Principal("user", "3", "Kenji", "k@example.com", frozenset({"tts:IT Manager"}))
#: The list's address with a filter, the service's path, the filter as the service is asked, and who may not have it.
LISTS = (
    ("/tickets?status=New", "workflow", "/api/v1/tickets", {"status": "New"}, None),
    ("/search?q=vpn&priority=High", "workflow", "/api/v1/search", {"q": "vpn", "priority": "High"}, None),
    ("/triage?", "workflow", "/api/v1/triage", {}, STAFF),
    ("/waiting?role=4", "workflow", "/api/v1/waiting", {"role": "4"}, STAFF),
    ("/at-risk?state=breached", "workflow", "/api/v1/sla/at-risk", {"state": "breached"}, STAFF),
    ("/people?q=ann&role=4", "workflow", "/api/v1/members", {"q": "ann", "role": "4"}, STAFF),
    ("/handovers?", "workflow", "/api/v1/handovers", {}, STAFF),
    ("/notifications?unread=true", "notifications", "/api/v1/notifications", {"unread": "true"}, None),
    ("/system/mail?ticket=HD-1", "notifications", "/api/v1/notifications/failed", {"ticket": "HD-1"}, COORDINATOR),
    ("/system/hooks?state=sent", "workflow", "/api/v1/hooks", {"state": "sent"}, COORDINATOR),
    ("/system/issues?priority=High", "issues", "/api/v1/issues", {"priority": "High"}, COORDINATOR),
    ("/system/issues?recent=1&status=open", "issues", "/api/v1/issues/recent", {"status": "open"}, COORDINATOR),
    ("/admin/users?q=ann&is_active=true", "auth", "/api/v1/users", {"q": "ann", "is_active": "true"}, COORDINATOR),
    ("/admin/employees?q=ann&department=IT", "auth", "/api/v1/employees", {"q": "ann", "department": "IT"}, COORDINATOR),
    ("/admin/roles/2?q=ann", "auth", "/api/v1/grants", {"role_id": "2", "q": "ann"}, COORDINATOR),
)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk()
    monkeypatch.setattr("baton.http.web.services.Services.call", lambda _, *given, **options: made.answer(*given, **options))
    yield made


class AnyRow(dict[str, Any]):
    """A row that has every key: texts are formulas, lists are empty."""

    def __init__(self, number: int) -> None:
        super().__init__(
            ticket_number=f"=HD-{number}", subject="=cmd()", full_name="@SUM(A1)", name="=1+1", user_full_name="=2", id=number,
            detail="=1", error="=1", title="=1", reason="=1", recipient="=1", holders=[], roles=["tts:Admin"], tags=["a", "b"],
        )  # fmt: skip


def two_pages(query: dict[str, Any]) -> dict[str, Any]:
    page = int(query.get("cursor") or 0)
    return {"items": [AnyRow(page * 200 + each) for each in range(200)], "next": str(page + 1) if page < 2 else None}


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize(("address", "service", "path", "asked", "not_for"), LISTS, ids=[each[0] for each in LISTS])
def test_a_list_as_a_file(desk: Desk, address: str, service: str, path: str, asked: Any, not_for: Any) -> None:
    desk.answers[service, path] = two_pages
    rows = rows_of(desk.get(f"{address}&format=csv&cursor=99"))
    assert len(rows) == 1 + 600, "all pages, from the first on"
    assert all(len(row) == len(rows[0]) for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))], "no formulas"
    queries = [options["query"] for _, *called, options in desk.calls if called == [service, path]]
    assert len(queries) == 3 and all(asked.items() <= query.items() for query in queries)
    if not_for is not None:
        assert desk.get(f"{address}&format=csv", not_for).status_code == 404


def test_my_work_and_the_dead_letters_say_when_there_is_more_than_a_file_holds(desk: Desk) -> None:
    desk.answers["workflow", "/api/v1/work"] = {"items": [AnyRow(1), AnyRow(2)], "found": 2}
    assert len(rows_of(desk.get("/?format=csv"))) == 3
    desk.answers["workflow", "/api/v1/work"] = {"items": [AnyRow(each) for each in range(500)], "found": 700}
    rows = rows_of(desk.get("/?format=csv&urgency=late"))
    assert len(rows) == 1 + 500 + 1 and "500" in rows[-1][0]
    desk.answers["issues", "/api/v1/dead-letters"] = {"items": [AnyRow(each) for each in range(400)], "dead": 9_000}
    rows = rows_of(desk.get("/system/dead-letters?queue=workflow&format=csv"))
    assert len(rows) == 1 + 400 + 1 and "400" in rows[-1][0]
    assert desk.calls[-1][3]["query"]["queue"] == "workflow"
    assert desk.get("/system/dead-letters?format=csv", COORDINATOR).status_code == 404


def test_found_comments_are_a_file_of_their_own(desk: Desk) -> None:
    row = {**AnyRow(1), "author": {"name": "=Ann", "id": "7"}, "snippet": "=1+1"}
    desk.answers["messaging", "/api/v1/comments/search"] = {"items": [row], "next": None}
    rows = rows_of(desk.get("/search?q=vpn&comments=1&format=csv"))
    assert len(rows) == 2 and "'=Ann" in rows[1] and "'=1+1" in rows[1]


def test_a_refusal_is_a_page_and_no_file(desk: Desk) -> None:
    answer = desk.get("/admin/users?format=csv", ADMIN)
    assert answer.status_code == 404 and answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("page", "query"), [("/at-risk", "state=breached"), ("/waiting", "role=4"), ("/people", "q=ann")])
def test_views_are_kept_and_shown_on_the_lists_of_coordinators(desk: Desk, page: str, query: str) -> None:
    row = {"id": 3, "name": "Ours <b>", "page": page, "query": query, "own": True, "owner_name": "", "shared_with_role": "IT"}
    desk.answers["workflow", "/api/v1/views"] = {"items": [row]}
    desk.answers["workflow", "/api/v1/roles"] = {"items": [{"role_id": "4", "name": "IT"}]}
    for path in ("/api/v1/waiting", "/api/v1/sla/at-risk", "/api/v1/members"):
        desk.answers["workflow", path] = {"items": [], "next": None}
    shown = desk.get(f"{page}?{query}", COORDINATOR)
    assert f'href="{page}?{query}"' in shown.text and "Ours &lt;b&gt; · IT" in shown.text
    assert f'name="query" value="{query}"' in shown.text and f'href="{page}?{query}&amp;format=csv"' in shown.text
    kept = desk.post("/views", [("page", page), ("query", query), ("name", "Ours"), ("role", "4")], COORDINATOR)
    assert kept.status_code == 303 and kept.headers["Location"] == f"{page}?{query}"
    sent = [options["body"] for method, _, path, options in desk.calls if (method, path) == ("POST", "/api/v1/views")]
    assert sent == [{"name": "Ours", "page": page, "query": query, "shared_with": "4"}]
    assert "Ours" in desk.get("/find?q=ours", COORDINATOR).text
    assert "Ours" not in desk.get("/find?q=ours", STAFF).text, "it leads to a page that they do not open"
