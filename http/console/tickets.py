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
CLOSED_STATES = ("completed", "returned", "cancelled")


def show_ticket(visit: Visit) -> Shown:
    """The ticket with all that belongs to it; what a part of the system that is away would show is left out."""
    number = visit.params["number"]
    path = f"/api/v1/tasks/{quote(number, safe='')}"
    task, history, explanation, sla, talk = visit.api.together(
        lambda: visit.api.get("workflow", path),
        lambda: visit.api.get("workflow", f"{path}/history", limit=200),
        quietly(lambda: visit.api.get("workflow", f"{path}/explanation"), None),
        quietly(lambda: visit.api.get("workflow", f"/api/v1/tickets/{quote(number, safe='')}/sla"), None),
        quietly(lambda: read_talk(visit, number), None),
    )
    item = current_item(task["items"])
    definition, members, coordinators = visit.api.together(
        quietly(lambda: _definition(visit, task["task"]), None),
        quietly(lambda: _members(visit, item["role_id"]) if item else [], []),
        quietly(lambda: _coordinators(visit) if task["task"] else [], []),
    )
    ways = ways_out(definition, item["step"]) if item else []
    values: dict[str, Any] = {
        "number": task["ticket_number"],
        "task": task["task"],
        "ticket": task["snapshot"],
        "status": task["status"],
        "items": task["items"],
        "item": item,
        "history": history["items"],
        "explanation": explanation,
        "sla": sla,
        "talk": talk,
        "definition": definition,
        "ways": ways,
        "step": next((step for step in (definition or {}).get("steps", []) if item and step["name"] == item["step"]), None),
        "members": [each for each in members if each["is_active"]],
        "coordinators": [each for each in coordinators if each["is_active"]],
        "actions": item_actions(visit.principal, task["task"], item) if item else [],
        "task_actions": task_actions(visit.principal, task["task"], task["status"]),
        "elsewhere": _ELSEWHERE,
        "keys": KEYS,
        "live": f"/live/tickets/{quote(number, safe='')}",
        "said": visit.query("said"),
    }
    return Shown("ticket_state.html" if visit.part == "state" else "ticket.html", values)


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


def current_item(items: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the item that is open, None where nothing is."""
    return next((item for item in reversed(items) if item["state"] not in CLOSED_STATES), None)


def ways_out(definition: dict[str, Any] | None, step: str) -> list[dict[str, Any]]:
    """Return the ways out of a step."""
    if definition is None:
        return []
    steps = {each["id"]: each["name"] for each in definition["steps"]}
    here = next((id_ for id_, name in steps.items() if name == step), None)
    return [{**way, "to": steps.get(way["to_step"])} for way in definition["transitions"] if way["from_step"] == here]


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


def _definition(visit: Visit, task: dict[str, Any] | None) -> dict[str, Any] | None:
    if task is None or task.get("workflow_id") is None:
        return None
    path = f"/api/v1/workflows/{task['workflow_id']}/versions/{task['workflow_version']}"
    found: dict[str, Any] = visit.api.get("workflow", path)
    return found


def _members(visit: Visit, role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = visit.api.get("workflow", "/api/v1/members", role=role, limit=200)["items"]
    return found


def _coordinators(visit: Visit) -> list[dict[str, Any]]:
    roles = visit.api.get("workflow", "/api/v1/roles", limit=200)["items"]
    role = next((each["role_id"] for each in roles if each["name"] == "Ticket Coordinator"), None)
    return _members(visit, role) if role else []


PAGES = (
    Page("GET", "/tickets/{number}", show_ticket, STAFF),
    Page("GET", "/pictures/workflows/{workflow}/{version}", picture, STAFF),
    Page("GET", "/pictures/clocks/{clock}", clock_picture, STAFF),
    Page("GET", "/clocks/{clock}", clock, STAFF),
)
