"""Acting on items and tasks from a page: one form target for every row of the table of actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from baton.http.console.colleagues import chosen
from baton.http.web.pages import STAFF, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.http.web.times import zone_of
from baton.pipelines.work import ACTIONS, Action


def act_on_item(visit: Visit) -> Go | Shown:
    """The action is done; or the page says what happened meanwhile, and keeps what was written."""
    action = ACTIONS.get(("item", visit.params["action"]))
    return _act(visit, action, f"/api/v1/items/{quote(visit.params['item'], safe='')}")


def act_on_task(visit: Visit) -> Go | Shown:
    """As for items."""
    action = ACTIONS.get(("task", visit.params["action"]))
    return _act(visit, action, f"/api/v1/tasks/{quote(visit.params['number'], safe='')}")


def _act(visit: Visit, action: Action | None, path: str) -> Go | Shown:
    number = visit.params["number"]
    here = f"/tickets/{quote(number, safe='')}"
    if action is None:
        return Go(here)
    body = _body(visit, action)
    if "to_user" in action.required:
        person = chosen(visit, "to_user")
        if isinstance(person, Shown):
            return person
        body |= {"to_user": person} if person else {}
    try:
        visit.api.post(
            "workflow", f"{path}/{action.name}", body, key=visit.form.get("key"), version=visit.form.get("version") or None
        )
    except ServiceRefusedError as error:
        if error.status in (409, 412, 422):
            return _refused(visit, action, error, body)
        raise
    then = visit.form.get("then")
    return Go("/next" if then == "next" else here, "act.done", {"what": visit.t(f"action.{action.name}")})


def _refused(visit: Visit, action: Action, error: ServiceRefusedError, body: dict[str, Any]) -> Shown:
    values = {
        "number": visit.params["number"],
        "item": visit.params.get("item"),
        "action": action,
        "given": body,
        "detail": error.detail if error.status != 422 else " ".join(error.fields.values()) or error.detail,
        "current": error.problem.get("current"),
        "meanwhile": _meanwhile(visit, error),
        "status": error.status,
    }
    return Shown("conflict.html", values, status=error.status)


def _meanwhile(visit: Visit, error: ServiceRefusedError) -> list[dict[str, Any]]:
    """Return what happened to the item since the visitor looked, oldest first: one row of its history for each version."""
    last, now = error.problem.get("happened"), error.problem.get("current") or {}
    seen, item = visit.form.get("version"), visit.params.get("item")
    newer = int(now.get("version") or 0) - int(seen) if item and seen.isdecimal() else 0
    if newer > 0 and last:
        path = f"/api/v1/tasks/{quote(visit.params['number'], safe='')}/history"
        rows = [row for row in visit.api.get("workflow", path, limit=200)["items"] if str(row["item"]) == item]
        if rows and rows[-1]["event"] == last["event"]:
            return rows[-newer:]
    return [last] if last else []


def _body(visit: Visit, action: Action) -> dict[str, Any]:
    names = [name for name in (*action.required, *action.optional) if name != "resume_at"]
    body: dict[str, Any] = visit.form.filled(*names)
    wanted = visit.form.get("resume_at").strip()
    if "resume_at" in action.optional and wanted:
        body["resume_at"] = _instant(wanted, visit.zone)
    return body


def _instant(text: str, zone: str) -> str:
    """Return the instant of a wall-clock time as the browser's field gives it, in the visitor's zone; as it is if it is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone_of(zone)).isoformat()
    except ValueError:
        return text


PAGES = (
    Page("POST", "/tickets/{number}/items/{item}/{action}", act_on_item, STAFF),
    Page("POST", "/tickets/{number}/task/{action}", act_on_task, STAFF),
)
