"""What is wrong, as programs and people reported it: the list, one with its comments, its status."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError

PATH = "/api/v1/issues"
HERE = "/system/issues"
STATUSES = ("open", "in_progress", "resolved", "closed")
PRIORITIES = ("Critical", "High", "Medium", "Low")
FILTERS = ("status", "priority", "type", "component", "tag", "ticket")


def list_issues(visit: Visit) -> Shown | Raw:
    """Issues, newest first; those of the last hour where these are asked for."""
    recent = bool(visit.query("recent"))
    path, filters = (f"{PATH}/recent", visit.filters("status")) if recent else (PATH, visit.filters(*FILTERS))
    if wants_csv(visit):
        return export(visit, pages_of(visit, "issues", path, **filters), _columns(visit), "issues")
    found = visit.api.get("issues", path, limit=50, **filters, **visit.filters("cursor"))
    given = visit.filters("recent", "cursor", *FILTERS)
    values = {"found": found, "statuses": STATUSES, "priorities": PRIORITIES, "filters": given}
    return Shown("system/issues_part.html" if visit.part == "issues" else "system/issues.html", values)


def _columns(visit: Visit) -> dict[str, Any]:
    names = ("type", "component", "priority", "status", "ticket_number", "count", "first_seen", "last_seen")
    columns: dict[str, Any] = {**titled(visit, "id"), visit.t("export.issue_title"): "title", **titled(visit, *names)}
    columns[visit.t("export.tags")] = lambda issue: ", ".join(issue["tags"])
    return columns


def show_issue(visit: Visit) -> Shown:
    """One issue with what was said and done about it."""
    return _shown(visit)


def comment(visit: Visit) -> Go | Shown:
    """The comment is kept."""
    return _act(visit, "POST", "comments", {"content": visit.form.get("content").strip()})


def set_status(visit: Visit) -> Go | Shown:
    """The issue has this status."""
    body = {"status": visit.form.get("status"), "reason": visit.form.get("reason").strip()}
    return _act(visit, "PUT", "status", body)


def _act(visit: Visit, method: str, what: str, body: dict[str, str]) -> Go | Shown:
    try:
        visit.api.call(method, "issues", f"{_one(visit)}/{what}", body=body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status != 422:
            raise
        return _shown(visit, " ".join(error.fields.values()) or error.detail, 422)
    return Go(f"{HERE}/{quote(visit.params['issue'], safe='')}", f"system.issue.done_{what}")


def _shown(visit: Visit, wrong: str = "", status: int = 200) -> Shown:
    path = _one(visit)
    issue, comments = visit.api.together(
        lambda: visit.api.get("issues", path),
        lambda: visit.api.get("issues", f"{path}/comments", limit=200, **visit.filters("cursor")),
    )
    given: dict[str, Any] = dict(visit.form.pairs) if visit.page.method == "POST" else {}
    values = {"issue": issue, "comments": comments, "statuses": STATUSES, "wrong": wrong, "given": given}
    return Shown("system/issue_part.html" if visit.part == "talk" else "system/issue.html", values, status=status)


def _one(visit: Visit) -> str:
    return f"{PATH}/{quote(visit.params['issue'], safe='')}"


PAGES = (
    Page("GET", HERE, list_issues, ADMIN),
    Page("GET", f"{HERE}/{{issue}}", show_issue, ADMIN),
    Page("POST", f"{HERE}/{{issue}}/comments", comment, ADMIN),
    Page("POST", f"{HERE}/{{issue}}/status", set_status, ADMIN),
)
