"""The queues that coordinators empty: tickets that no workflow matches, and work for which nobody is eligible."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.colleagues import chosen
from baton.http.console.finding import views_of
from baton.http.console.people import members_of
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import COORDINATOR, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly

KINDS = ("item", "owner")
#: Refusals of an action that its page tells in a sentence.
_TOLD = (404, 409, 412, 422)


def triage(visit: Visit) -> Shown | Raw:
    """Tickets in triage, longest parked first."""
    if wants_csv(visit):
        columns = titled(visit, "ticket_number", "subject", "category", "department", "priority", "reason", "since")
        return export(visit, pages_of(visit, "workflow", "/api/v1/triage"), columns, "triage")
    found = visit.api.get("workflow", "/api/v1/triage", limit=50, **visit.filters("cursor"))
    return Shown("triage_part.html" if visit.part == "list" else "triage.html", {"found": found})


def triage_ticket(visit: Visit) -> Shown | Go:
    """Why nothing matched, what would match another category or department, and the workflows to pick from."""
    number = visit.params["number"]
    path = f"/api/v1/tasks/{quote(number, safe='')}"
    task, workflows = visit.api.together(
        lambda: visit.api.get("workflow", path),
        lambda: visit.api.get("workflow", "/api/v1/workflows", limit=200)["items"],
    )
    if task["task"] is not None or task["status"] != "In Triage":
        return Go(f"/tickets/{quote(number, safe='')}")
    ticket = task["snapshot"]
    names = {name: visit.query(name, ticket[name] or "").strip() for name in ("category", "department")}
    asked = any(visit.request.get_param(name) is not None for name in names)
    now, then = visit.api.together(
        lambda: _match(visit, {name: ticket[name] or "" for name in names}),
        quietly(lambda: _match(visit, names) if asked else None, None),
    )
    values: dict[str, Any] = {
        "number": number,
        "ticket": ticket,
        "names": names,
        "now_matching": now,
        "then_matching": then,
        "workflows": [each for each in workflows if each["deployed_version"] is not None],
    }
    return Shown("triage_ticket.html", values)


def allocate(visit: Visit) -> Go:
    """The workflow that was picked takes the ticket."""
    number = visit.params["number"]
    chosen = visit.form.get("workflow")
    here = f"/triage/{quote(number, safe='')}"
    if not chosen.isdecimal():
        return Go(here, "triage.choose")
    path = f"/api/v1/triage/{quote(number, safe='')}/allocate"
    try:
        visit.api.post("workflow", path, {"workflow_id": int(chosen)}, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status not in _TOLD:
            raise
        return Go("/triage" if error.status == 404 else here, "coordination.refused", {"why": error.detail})
    return Go("/triage", "triage.picked", {"ticket": number})


def waiting(visit: Visit) -> Shown | Raw:
    """What waits for somebody eligible, oldest first, with the people of the roles that it waits for."""
    if wants_csv(visit):
        columns = titled(visit, "ticket_number", "subject", "kind", "role", "priority", "reason", "since")
        return export(visit, pages_of(visit, "workflow", "/api/v1/waiting", **visit.filters("kind", "role")), columns, "waiting")
    found, roles = visit.api.together(
        lambda: visit.api.get("workflow", "/api/v1/waiting", limit=25, **visit.filters("kind", "role", "cursor")),
        lambda: visit.api.get("workflow", "/api/v1/roles", limit=200)["items"],
    )
    wanted = sorted({each["role_id"] for each in found["items"]})
    members = visit.api.together(*(members_of(visit, role) for role in wanted)) if wanted else []
    values = {
        "found": found,
        "views": views_of(visit, "/waiting"),
        "kinds": KINDS,
        "roles": [(each["role_id"], each["name"]) for each in roles],
        "members": dict(zip(wanted, members, strict=True)),
    }
    return Shown("waiting.html", values)


def assign(visit: Visit) -> Go | Shown:
    """Whoever was chosen has what waited."""
    kind, subject, number = visit.params["kind"], visit.params["subject"], visit.form.get("ticket")
    person = chosen(visit, "to_user")
    if isinstance(person, Shown):
        return person
    if not person:
        return Go("/waiting", "waiting.choose")
    path = f"/api/v1/tasks/{quote(number, safe='')}/owner"
    if kind == "item":
        path = f"/api/v1/items/{quote(subject, safe='')}/assign"
    try:
        visit.api.post("workflow", path, {"to_user": person}, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status not in _TOLD:
            raise
        return Go("/waiting", "coordination.refused", {"why": error.detail})
    return Go("/waiting", "waiting.assigned", {"ticket": number})


def _match(visit: Visit, names: dict[str, str]) -> Any:
    given = {name: value for name, value in names.items() if value}
    return visit.api.post("workflow", "/api/v1/workflows/match", given)


PAGES = (
    Page("GET", "/triage", triage, COORDINATOR),
    Page("GET", "/triage/{number}", triage_ticket, COORDINATOR),
    Page("POST", "/triage/{number}/allocate", allocate, COORDINATOR),
    Page("GET", "/waiting", waiting, COORDINATOR),
    Page("POST", "/waiting/{kind}/{subject}", assign, COORDINATOR),
)
