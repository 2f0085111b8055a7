"""Finding in the console: all tickets, search over tickets and comments, and saved views."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from baton.http.console.colleagues import people_of
from baton.http.web.export import export, pages_of, wants_csv
from baton.http.web.pages import AUDIENCES, COORDINATOR, STAFF, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly
from baton.pipelines.searching import marked, wanted_in
from baton.pipelines.statuses import TICKET_STATUSES

#: What a filter of these lists may be called in the address.
NARROWED = ("status", "priority", "category", "department", "workflow_id", "assignee", "owner", "role", "filed_from", "filed_to")
PRIORITIES = ("Critical", "High", "Medium", "Low")
SAVED_PAGES = ("/", "/tickets", "/search", "/at-risk", "/waiting", "/people")
#: Those of them that only coordinators open.
_FOR_COORDINATORS = ("/at-risk", "/waiting", "/people")
#: Query parameters that are not part of a view.
_PASSING = ("cursor", "format", "comments")


def list_tickets(visit: Visit) -> Shown | Raw:
    """All tickets that the visitor sees, those in triage among them."""
    filters = _filters(visit, "q", "sort")
    if wants_csv(visit):
        return export(visit, pages_of(visit, "workflow", "/api/v1/tickets", **filters), _columns(visit), "tickets")
    found, views, names = visit.api.together(
        lambda: visit.api.get("workflow", "/api/v1/tickets", **filters, **visit.filters("cursor")),
        lambda: views_of(visit, "/tickets"),
        lambda: _names(visit),
    )
    values = {"found": found, "views": views, **names, "live": "/live/me"}
    return Shown("all_tickets_part.html" if visit.part == "list" else "all_tickets.html", values)


def search(visit: Visit) -> Shown | Raw:
    """Tickets and comments that hold the words, side by side."""
    words = visit.query("q").strip()[:500]
    filters = _filters(visit)
    if wants_csv(visit) and visit.query("comments"):
        return export(visit, pages_of(visit, "messaging", "/api/v1/comments/search", q=words), _said(visit), "comments")
    if wants_csv(visit):
        return export(visit, pages_of(visit, "workflow", "/api/v1/search", q=words, **filters), _columns(visit), "found-tickets")
    nothing: dict[str, Any] = {"items": [], "next": None}
    tickets, comments, views, names = visit.api.together(
        lambda: (
            visit.api.get("workflow", "/api/v1/search", q=words, limit=20, **filters, **visit.filters("cursor"))
            if words
            else nothing
        ),
        quietly(
            lambda: (
                visit.api.get("messaging", "/api/v1/comments/search", q=words, limit=20, cursor=visit.query("comments"))
                if words
                else nothing
            ),
            None,
        ),
        lambda: views_of(visit, "/search"),
        lambda: _names(visit),
    )
    wanted = wanted_in(words)
    values = {"tickets": tickets, "comments": comments, "words": words, "views": views, **names}
    return Shown("search.html", {**values, "marked": lambda text: marked(text or "", wanted)})


def save_view(visit: Visit) -> Go:
    """The list is kept under a name."""
    page, query = visit.form.get("page"), visit.form.get("query")[:2_000]
    page = page if page in SAVED_PAGES else "/"
    body = {"name": visit.form.get("name").strip()[:100], "page": page, "query": query}
    if visit.form.get("role"):
        body["shared_with"] = visit.form.get("role")
    here = page + (f"?{query}" if query else "")
    if not body["name"]:
        return Go(here, "views.needs_name")
    try:
        visit.api.post("workflow", "/api/v1/views", body)
    except ServiceRefusedError as error:
        if error.status not in (409, 422):
            raise
        return Go(here, "views.name_taken" if error.status == 409 else "views.not_saved")
    return Go(here, "views.saved")


def delete_view(visit: Visit) -> Go:
    """The view is gone."""
    visit.api.call("DELETE", "workflow", f"/api/v1/views/{int(visit.params['view'])}")
    page = visit.form.get("page")
    return Go(page if page in SAVED_PAGES else "/", "views.deleted")


def views_of(visit: Visit, page: str) -> dict[str, Any]:
    """Return what `views.html` shows on a list: the views the visitor sees there, and what would be saved."""
    pairs = [(name, value) for name, value in visit.request.params.items() if name not in _PASSING and value]
    seen = quietly(lambda: visit.api.get("workflow", "/api/v1/views", page=page), {"items": []})()
    roles: dict[str, Any] = {"items": []}
    if AUDIENCES[COORDINATOR](visit.principal):
        roles = quietly(lambda: visit.api.get("workflow", "/api/v1/roles", limit=200), roles)()
    return {"page": page, "items": seen["items"], "query": urlencode(pairs, doseq=True), "roles": roles["items"]}


def may_open(visit: Visit, page: str) -> bool:
    """Return whether the visitor opens this list: a view may be shared with a role that does not."""
    return page not in _FOR_COORDINATORS or AUDIENCES[COORDINATOR](visit.principal)


def _filters(visit: Visit, *more: str) -> dict[str, str]:
    """Return the filters of the address; a day stands for its first moment in UTC."""
    given = visit.filters(*NARROWED, *more)
    for name in ("assignee", "owner"):
        words = visit.query(f"{name}_words").strip()[:200]
        matches = [each["user_id"] for each in people_of(visit, words=words)] if words else []
        if words and given.get(name) not in matches:
            given[name] = matches[0] if matches else words
    for name in ("filed_from", "filed_to"):
        if name in given and len(given[name]) == len("2026-01-01"):
            given[name] += "T00:00:00Z"
    return given


def _names(visit: Visit) -> dict[str, Any]:
    workflows, roles, people = visit.api.together(
        quietly(lambda: visit.api.get("workflow", "/api/v1/workflows", limit=200), {"items": []}),
        quietly(lambda: visit.api.get("workflow", "/api/v1/roles", limit=200), {"items": []}),
        quietly(lambda: _people(visit), []),
    )
    return {
        "people": people,
        "statuses": TICKET_STATUSES,
        "priorities": PRIORITIES,
        "workflows": [(str(each["id"]), each["name"]) for each in workflows["items"]],
        "roles": [(each["role_id"], each["name"]) for each in roles["items"]],
    }


def _people(visit: Visit) -> list[dict[str, Any]]:
    """Return whom the filters offer: the first by name, and whoever is filtered by now."""
    found = {each["user_id"]: each for each in people_of(visit)}
    for user in {visit.query(name) for name in ("assignee", "owner")} - {"", *found}:
        rows = visit.api.get("workflow", "/api/v1/members", user_id=user, limit=1)["items"]
        found[user] = rows[0] if rows else {"user_id": user, "name": user, "is_away": False, "open_items": 0}
    return sorted(found.values(), key=lambda each: (each["name"] or each["user_id"]).casefold())


def _columns(visit: Visit) -> dict[str, Any]:
    names = ("ticket_number", "subject", "status", "priority", "category", "department", "workflow", "owner_name")
    found: dict[str, Any] = {visit.t(f"export.{name}"): name for name in names}
    found[visit.t("export.holders")] = lambda row: ", ".join(each["name"] or each["role"] for each in row["holders"])
    found[visit.t("export.received_at")] = "received_at"
    return found


def _said(visit: Visit) -> dict[str, Any]:
    names = ("ticket_number", "subject", "status", "number", "visibility", "created_at", "snippet")
    found: dict[str, Any] = {visit.t(f"export.{name}"): name for name in names}
    found[visit.t("export.author")] = lambda row: row["author"]["name"] or row["author"]["id"]
    return found


PAGES = (
    Page("GET", "/tickets", list_tickets, STAFF),
    Page("GET", "/search", search, STAFF),
    Page("POST", "/views", save_view, STAFF),
    Page("POST", "/views/{view:int}/delete", delete_view, STAFF),
)
