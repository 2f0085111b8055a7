"""An employee's tickets: the list, and one with where it is, who has it, what is said, and what the employee can do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from baton.http.web.conversation import read_talk
from baton.http.web.export import export, pages_of, wants_csv
from baton.http.web.pages import EMPLOYEE, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly
from baton.pipelines.statuses import FINAL_STATUSES, REOPENABLE_STATUSES, TICKET_STATUSES

RATEABLE = ("Resolved", "Closed")


def list_tickets(visit: Visit) -> Shown | Raw:
    """The employee's tickets, newest first, those that fit the words and the status."""
    if wants_csv(visit):
        names = ("ticket_number", "subject", "status", "priority", "category", "department", "submitted_at", "updated_at")
        columns = {visit.t(f"export.{name}"): name for name in names}
        return export(visit, pages_of(visit, "helpdesk", "/api/v1/tickets", **visit.filters("status", "q")), columns, "tickets")
    found = visit.api.get("helpdesk", "/api/v1/tickets", **visit.filters("status", "q", "cursor"))
    values = {"tickets": found["items"], "next": found["next"], "statuses": TICKET_STATUSES, "live": "/live/me"}
    return Shown("tickets_part.html" if visit.part else "tickets.html", values)


def show_ticket(visit: Visit) -> Shown:
    """The ticket, its way, its conversation."""
    number = visit.params["number"]
    ticket, progress, talk, rating = visit.api.together(
        lambda: visit.api.get("helpdesk", _path(number)),
        quietly(lambda: visit.api.get("workflow", f"/api/v1/progress/{quote(number, safe='')}"), None),
        lambda: read_talk(visit, number),
        quietly(lambda: visit.api.get("helpdesk", f"{_path(number)}/rating"), None, 404),
    )
    values: dict[str, Any] = {
        "ticket": ticket,
        "progress": progress,
        "talk": talk,
        "rating": rating,
        "number": ticket["ticket_number"],
        "can_withdraw": ticket["status"] not in FINAL_STATUSES and not ticket["pending_request"],
        "can_reopen": ticket["status"] in REOPENABLE_STATUSES and not ticket["pending_request"],
        "can_rate": ticket["status"] in RATEABLE,
        "live": f"/live/tickets/{quote(number, safe='')}",
        "said": visit.query("said"),
    }
    return Shown("ticket_head.html" if visit.part == "head" else "ticket.html", values)


def withdraw(visit: Visit) -> Go:
    """The ticket is withdrawn."""
    return _ask(visit, "withdraw", "ticket.withdrawn_now")


def reopen(visit: Visit) -> Go:
    """The ticket is to be worked again."""
    return _ask(visit, "reopen", "ticket.reopened_now")


def rate(visit: Visit) -> Go:
    """The employee has said how it went."""
    number, stars = visit.params["number"], visit.form.get("stars")
    here = f"/tickets/{quote(number, safe='')}"
    if stars not in ("1", "2", "3", "4", "5"):
        return Go(here, "ticket.rate_stars")
    body = {"stars": int(stars), "comment": visit.form.get("comment")}
    visit.api.call("PUT", "helpdesk", f"{_path(number)}/rating", body=body)
    return Go(here, "ticket.rated_now")


def find(visit: Visit) -> Raw:
    """What the command palette finds: the employee's tickets that hold the words."""
    found = visit.api.get("helpdesk", "/api/v1/tickets", q=visit.query("q"), limit=8)
    rows = [{"text": f"{t['ticket_number']} · {t['subject']}", "href": f"/tickets/{t['ticket_number']}"} for t in found["items"]]
    return Raw(json.dumps({"items": rows}).encode(), "application/json")


def _ask(visit: Visit, wish: str, told: str) -> Go:
    number = visit.params["number"]
    here = f"/tickets/{quote(number, safe='')}"
    try:
        visit.api.post("helpdesk", f"{_path(number)}/{wish}", {"reason": visit.form.get("reason")})
    except ServiceRefusedError as error:
        if error.status != 409:
            raise
        return Go(here, "ticket.too_late")
    return Go(here, told)


def _path(number: str) -> str:
    return f"/api/v1/tickets/{quote(number, safe='')}"


PAGES = (
    Page("GET", "/", list_tickets, EMPLOYEE),
    Page("GET", "/find", find, EMPLOYEE),
    Page("GET", "/tickets/{number}", show_ticket, EMPLOYEE),
    Page("POST", "/tickets/{number}/withdraw", withdraw, EMPLOYEE),
    Page("POST", "/tickets/{number}/reopen", reopen, EMPLOYEE),
    Page("POST", "/tickets/{number}/rating", rate, EMPLOYEE),
)
