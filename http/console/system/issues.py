"""What is wrong, as programs and people reported it: the list, one with its comments, its status."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError

PATH = "/api/v1/issues"
HERE = "/system/issues"
STATUSES = ("open", "in_progress", "resolved", "closed")
PRIORITIES = ("Critical", "High", "Medium", "Low")
FILTERS = ("cursor", "status", "priority", "type", "component", "tag", "ticket")


def list_issues(visit: Visit) -> Shown:
    """Issues, newest first; those of the last hour where these are asked for."""
    if visit.query("recent"):
        found = visit.api.get("issues", f"{PATH}/recent", limit=50, **visit.filters("cursor", "status"))
    else:
        found = visit.api.get("issues", PATH, limit=50, **visit.filters(*FILTERS))
    values = {"found": found, "statuses": STATUSES, "priorities": PRIORITIES, "filters": visit.filters("recent", *FILTERS)}
    return Shown("system/issues_part.html" if visit.part == "issues" else "system/issues.html", values)


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
