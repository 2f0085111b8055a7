"""Filing a ticket: the category first, then what that category asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from baton.http.web.conversation import say_on
from baton.http.web.pages import EMPLOYEE, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly

#: How long a filed ticket's conversation is waited for when files go with it, in seconds.
ROOM_SECONDS = 8.0
#: Rows for cost items that the form shows; empty ones are left out.
COST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of ticket: what the services call it, where it goes, and the fields it asks for (name, input type, required)."""

    key: str
    name: str
    department: str
    fields: tuple[tuple[str, str, bool], ...] = ()
    costs: bool = False


_ASSET = (
    ("asset_name", "text", True),
    ("serial_number", "text", True),
    ("asset_category", "text", False),
    ("location", "text", False),
)
CATEGORIES = (
    Category("it", "IT Support", "IT Department", (("issue_type", "text", False), ("location", "text", False))),
    Category("check_out", "Asset Check Out", "Asset Department", (*_ASSET, ("expected_return_date", "date", False))),
    Category("check_in", "Asset Check In", "Asset Department", (*_ASSET, ("issue_type", "text", False))),
    Category(
        "budget",
        "Budget Proposal",
        "Budget Department",
        (
            ("requested_budget", "money", True),
            ("fiscal_year", "text", False),
            ("performance_start_date", "date", False),
            ("performance_end_date", "date", False),
        ),
        costs=True,
    ),
    Category("other", "Others", "", ()),
)
BY_KEY = {category.key: category for category in CATEGORIES}
PRIORITIES = ("Low", "Medium", "High", "Critical")


def show_form(visit: Visit, wrong: dict[str, str] | None = None, status: int = 200) -> Shown:
    """The categories to choose from, or the form of the chosen one."""
    sent = visit.page.method == "POST"
    category = BY_KEY.get(visit.form.get("category") if sent else visit.query("category"))
    if category is None:
        return Shown("new_category.html", {"categories": CATEGORIES}, status=status)
    given = dict(visit.form.pairs) if sent else {}
    costs = list(zip(visit.form.all("cost_name"), visit.form.all("cost_amount"), strict=False)) if sent else []
    expected = None if sent else _expectation(visit, category)
    values = {
        "category": category,
        "given": given,
        "costs": costs + [("", "")] * (COST_ROWS - len(costs)),
        "wrong": wrong or {},
        "priorities": PRIORITIES,
        "expected": expected,
    }
    return Shown("new.html", values, status=status)


def file_ticket(visit: Visit) -> Go | Shown:
    """The ticket is filed, its files with it; the next page is the ticket's."""
    category = BY_KEY.get(visit.form.get("category"))
    if category is None:
        return Go("/new")
    body, wrong = _body(visit, category)
    if wrong:
        return show_form(visit, wrong, 422)
    try:
        ticket = visit.api.post("helpdesk", "/api/v1/tickets", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status != 422:
            raise
        return show_form(visit, error.fields or {"": error.detail}, 422)
    number = ticket["ticket_number"]
    if any(visit.form.uploads("files")) and not _send_files(visit, number):
        return Go(f"/tickets/{number}?said=new", "ticket.filed_without_files", {"number": number})
    return Go(f"/tickets/{number}?said=new", "ticket.filed_now", {"number": number})


def _body(visit: Visit, category: Category) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what to send to the help desk, and what is missing by field."""
    names = [name for name, _, _ in category.fields]
    body: dict[str, Any] = visit.form.filled("subject", *names)
    body |= {"description": visit.form.get("description"), "category": category.name, "department": category.department}
    body["priority"] = visit.form.get("priority") if visit.form.get("priority") in PRIORITIES else "Medium"
    required = ["subject", *(name for name, _, required in category.fields if required)]
    wrong = {name: visit.t("form.missing") for name in required if name not in body}
    if category.costs:
        items = zip(visit.form.all("cost_name"), visit.form.all("cost_amount"), strict=False)
        body["cost_items"] = {name.strip(): amount.strip() for name, amount in items if name.strip()}
    return body, wrong


def _send_files(visit: Visit, number: str) -> bool:
    """Send the form's files as the ticket's first comment, once its conversation is open; return whether they got there."""
    give_up = time.monotonic() + ROOM_SECONDS
    while True:
        try:
            say_on(visit, number, visit.t("ticket.files_enclosed"))
            return True
        except ServiceRefusedError as error:
            if error.status != 404 or time.monotonic() > give_up:
                return False
        time.sleep(0.3)


def _expectation(visit: Visit, category: Category) -> dict[str, Any] | None:
    """Return by when an answer may be expected, if there is a promise for such tickets."""
    asked = {"category": category.name, "department": category.department, "priority": "Medium"}
    found: dict[str, Any] | None = quietly(lambda: visit.api.get("workflow", "/api/v1/sla/expectation", **asked), None)()
    return found


PAGES = (
    Page("GET", "/new", show_form, EMPLOYEE),
    Page("POST", "/new", file_ticket, EMPLOYEE),
)
