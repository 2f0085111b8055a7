"""A ticket as staff see it: what is said, where it is, who has it and why, its clocks, and what can be done now."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.web.conversation import read_talk
from baton.http.web.pages import STAFF, Page, Raw, Shown, Visit
from baton.http.web.services import quietly
from baton.pipelines.permissions import Principal
from baton.pipelines.sla.timeline_texts import duration_text
from baton.pipelines.work import APPROVER, ITEM_ACTIONS, MEMBER, TASK_ACTIONS, Action, Standing, refuse

#: Actions that have a place of their own on the page.
_ELSEWHERE = ("follow", "complete", "note", "approve", "reject")
KEYS = {
    "start": "s",
    "complete": "c",
    "hold": "h",
    "resume": "u",
    "transfer": "t",
    "escalate": "x",
    "return": "b",
    "take": "a",
    "assign": "a",
}


def show_ticket(visit: Visit) -> Shown:
    """The ticket with all that belongs to it; what a part of the system that is away would show is left out."""
    number = visit.params["number"]
    if visit.part == "state":
        return Shown("ticket_state.html", _ticket(visit, visit.api.get("workflow", _desk(number))))
    desk, talk = visit.api.together(
        lambda: visit.api.get("workflow", _desk(number)), quietly(lambda: read_talk(visit, number), None)
    )
    values = {**_ticket(visit, desk), "talk": talk, "live": f"/live/tickets/{quote(number, safe='')}"}
    return Shown("ticket.html", {**values, "said": visit.query("said")})


def _desk(number: str) -> str:
    return f"/api/v1/tickets/{quote(number, safe='')}/desk"


def _ticket(visit: Visit, desk: dict[str, Any]) -> dict[str, Any]:
    """Return what the parts of the page that change with the ticket are made of."""
    task, item = desk["task"], desk["item"]
    return {
        "number": task["ticket_number"],
        "task": task["task"],
        "ticket": task["snapshot"],
        "status": task["status"],
        "item": item,
        "sla": desk["sla"],
        "ways": desk["ways"],
        "step": desk["step"],
        "members": desk["members"],
        "coordinators": desk["coordinators"],
        "actions": item_actions(visit.principal, task["task"], item) if item else [],
        "task_actions": task_actions(visit.principal, task["task"], task["status"]),
        "elsewhere": _ELSEWHERE,
        "keys": KEYS,
    }


def history(visit: Visit) -> Shown:
    """What happened to the ticket's items."""
    number = visit.params["number"]
    found = visit.api.get("workflow", f"/api/v1/tasks/{quote(number, safe='')}/history", limit=200)
    return _folded(visit, "history", {"number": number, "history": found["items"]})


def why(visit: Visit) -> Shown:
    """Why the ticket got its workflow, and its steps their people."""
    number = visit.params["number"]
    found = visit.api.get("workflow", f"/api/v1/tasks/{quote(number, safe='')}/explanation")
    return _folded(visit, "why", {"number": number, "explanation": found})


def _folded(visit: Visit, name: str, values: dict[str, Any]) -> Shown:
    """Return a part that the ticket's page fetches when it is unfolded; a page of its own to whoever follows its link."""
    return Shown(f"ticket_{name}.html" if visit.part else "ticket_folded.html", {**values, "folded": name})


def picture(visit: Visit) -> Raw:
    """The ticket's workflow as a graph."""
    workflow, version = visit.params["workflow"], visit.params["version"]
    path = f"/api/v1/workflows/{quote(workflow, safe='')}/versions/{quote(version, safe='')}/picture"
    return svg(visit.api.get("workflow", path, current=visit.query("current")))


def clock_picture(visit: Visit) -> Raw:
    """Why then: a clock's way to its due time."""
    return svg(visit.api.get("workflow", f"/api/v1/sla/clocks/{quote(visit.params['clock'], safe='')}/explanation.svg"))


def clock(visit: Visit) -> Shown:
    """Why then, in words and in a picture."""
    found = visit.api.get("workflow", f"/api/v1/sla/clocks/{quote(visit.params['clock'], safe='')}/explanation")
    return Shown("clock.html", {"found": found, "clock_id": visit.params["clock"], "span": _span})


def _span(seconds: float) -> str:
    return duration_text(round(seconds * 1000))


def svg(body: bytes) -> Raw:
    """Return a picture of a service's as an image that nothing runs in."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return Raw(body, "image/svg+xml", {"Content-Security-Policy": policy})


def item_actions(principal: Principal, task: dict[str, Any] | None, item: dict[str, Any]) -> list[Action]:
    """Return what the visitor may do with the item now, as far as the page can know; the service decides."""
    standing = Standing(
        state=item["state"],
        version=item["version"],
        assignee=item["assignee"],
        owner=task["owner_user_id"] if task else None,
        roles=frozenset({f"tts:{item['role']}"}),
    )
    found = [action for action in ITEM_ACTIONS if refuse(action, principal, standing, None) is None]
    if item["position"] == 1 and item["visit"] == 1:
        found = [action for action in found if action.name not in ("return", "reject")]
    holds_role = f"tts:{item['role']}" in principal.roles
    return [action for action in found if holds_role or not {MEMBER, APPROVER}.intersection(action.who)]


def task_actions(principal: Principal, task: dict[str, Any] | None, status: str) -> list[Action]:
    """Return what the visitor may do with the task now."""
    if task is None:
        return []
    standing = Standing(
        state=task["task_status"], version=task["version"], owner=task["owner_user_id"], roles=frozenset(principal.roles)
    )
    found = [action for action in TASK_ACTIONS if refuse(action, principal, standing, None) is None]
    return [action for action in found if action.name != "close" or status == "Resolved"]


PAGES = (
    Page("GET", "/tickets/{number}", show_ticket, STAFF),
    Page("GET", "/tickets/{number}/history", history, STAFF),
    Page("GET", "/tickets/{number}/why", why, STAFF),
    Page("GET", "/pictures/workflows/{workflow}/{version}", picture, STAFF),
    Page("GET", "/pictures/clocks/{clock}", clock_picture, STAFF),
    Page("GET", "/clocks/{clock}", clock, STAFF),
)
