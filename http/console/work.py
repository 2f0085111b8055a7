"""A member of staff's own work: the most urgent first, many at once, and the next one with one key."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from baton.http.console.finding import may_open, views_of
from baton.http.web.export import export, wants_csv
from baton.http.web.pages import STAFF, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly
from baton.pipelines.work import ITEM_ACTIONS

#: What a filter of the list may be called in the address.
FILTERS = ("q", "urgency", "state", "priority", "category", "assignee")
URGENCIES = ("late", "soon", "later", "unpromised", "on hold")
STATES = ("new", "in progress", "escalated", "transferred", "on hold")
PRIORITIES = ("Critical", "High", "Medium", "Low")
#: Items that are read at once: more open work than one person can have.
MOST = 500
#: What can be done with many items at once: what needs no more than a reason.
BULK = tuple(action for action in ITEM_ACTIONS if action.name in ("start", "complete", "hold", "resume", "escalate", "note"))


def my_work(visit: Visit) -> Shown | Raw:
    """The visitor's open items."""
    if wants_csv(visit):
        return export(visit, lambda cursor: _items(visit), _columns(visit), "my-work", MOST)
    found = visit.api.get("workflow", "/api/v1/work", **visit.filters(*FILTERS))
    values = {
        "work": found,
        "urgencies": URGENCIES,
        "states": STATES,
        "priorities": PRIORITIES,
        "bulk": BULK,
        "live": "/live/me",
        "views": None if visit.part else views_of(visit, "/"),
    }
    return Shown("work_part.html" if visit.part == "list" else "work.html", values)


def act_on_many(visit: Visit) -> Go | Shown:
    """Each chosen item is acted on as if alone; what is refused is listed with its reason."""
    chosen = [pair.partition(":") for pair in visit.form.all("item")]
    items = [{"id": int(id_), "version": int(version)} for id_, _, version in chosen if id_.isdecimal() and version.isdecimal()]
    action = next((each for each in BULK if each.name == visit.form.get("action")), None)
    if not items or action is None:
        return Go("/", "work.choose")
    body = {"action": action.name, "items": items}
    text = visit.form.get("text").strip()
    for name in (*action.required, *action.optional):
        if name in ("reason", "comment") and text:
            body[name] = text
    try:
        done = visit.api.post("workflow", "/api/v1/items/bulk", body)
    except ServiceRefusedError as error:
        if error.status != 422:
            raise
        return Go("/", "work.needs_reason")
    if not done["refused"]:
        return Go("/", "work.done_many", {"count": str(done["done"])})
    refused = [each for each in done["results"] if each["status"] != 200]
    return Shown("refused.html", {"done": done["done"], "refused": refused})


def next_item(visit: Visit) -> Go:
    """The most urgent item, or the one that follows the item the visitor comes from."""
    jobs = visit.api.get("workflow", "/api/v1/work", limit=MOST)["items"]
    jobs = [job for job in jobs if job["state"] != "on hold"] or jobs
    after = visit.query("after")
    numbers = [job["ticket_number"] for job in jobs]
    place = numbers.index(after) + 1 if after in numbers else 0
    if not numbers:
        return Go("/", "work.all_done")
    return Go(f"/tickets/{quote(numbers[place % len(numbers)], safe='')}")


def find(visit: Visit) -> Raw:
    """What the command palette finds: the ticket of this number, tickets and comments that hold the words."""
    words = visit.query("q").strip()
    found, views = visit.api.together(
        quietly(
            lambda: visit.api.get("workflow", "/api/v1/search", q=words, limit=10) if words else {"items": []}, {"items": []}
        ),
        quietly(lambda: visit.api.get("workflow", "/api/v1/views"), {"items": []}),
    )
    rows = [
        {"text": visit.t("views.open", name=each["name"]), "href": each["page"] + (f"?{each['query']}" if each["query"] else "")}
        for each in views["items"]
        if words.casefold() in each["name"].casefold() and may_open(visit, each["page"])
    ][:5]
    rows += [
        {"text": f"{each['ticket_number']} · {each['subject']}", "href": f"/tickets/{quote(each['ticket_number'], safe='')}"}
        for each in found["items"]
    ]
    return Raw(json.dumps({"items": rows}).encode(), "application/json")


def _items(visit: Visit) -> tuple[list[dict[str, Any]], str | None]:
    """Return the items that a file holds, and whether there are more."""
    found = visit.api.get("workflow", "/api/v1/work", limit=MOST, **visit.filters(*FILTERS))
    return found["items"], "more" if found["found"] > len(found["items"]) else None


def _columns(visit: Visit) -> dict[str, Any]:
    names = ("ticket_number", "subject", "step", "state", "status", "priority", "category", "department", "workflow")
    return {visit.t(f"export.{name}"): name for name in (*names, "due_at", "urgency")}


PAGES = (
    Page("GET", "/", my_work, STAFF),
    Page("POST", "/work/bulk", act_on_many, STAFF),
    Page("GET", "/next", next_item, STAFF),
    Page("GET", "/find", find, STAFF),
)
