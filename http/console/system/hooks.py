"""The calls at the end of tasks: what was told to other departments, what was given up, making it again or settling it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from baton.http.console.system.dead_letters import pretty
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.ending import CORRECTABLE, HOOK_STATES

PATH = "/api/v1/hooks"
HERE = "/system/hooks"
_COLUMNS = (
    "ticket_number", "hook", "state", "detail", "attempts", "queue", "idempotency_key", "created_at", "sent_at",
)  # fmt: skip


def list_hooks(visit: Visit) -> Shown | Raw:
    """Calls, newest first."""
    if wants_csv(visit):
        fetch = pages_of(visit, "workflow", PATH, **visit.filters("state", "ticket"))
        return export(visit, fetch, titled(visit, *_COLUMNS), "calls")
    found = visit.api.get("workflow", PATH, limit=50, **visit.filters("cursor", "state", "ticket"))
    return Shown(
        "system/hooks_part.html" if visit.part == "hooks" else "system/hooks.html", {"found": found, "states": HOOK_STATES}
    )


def show_hook(visit: Visit) -> Shown:
    """One call with every attempt at it, and what can be done."""
    return _shown(visit)


def replay(visit: Visit) -> Go | Shown:
    """The call is made again; with what the ticket lacks, where it was not made before."""
    given: dict[str, Any] = visit.form.filled(*{name for names in CORRECTABLE.values() for name in names})
    if "cost_items" in given:
        try:
            given["cost_items"] = json.loads(given["cost_items"])
        except ValueError:
            return _shown(visit, {"cost_items": visit.t("system.hook.no_json")}, 422)
    return _act(visit, "replay", given)


def settle(visit: Visit) -> Go | Shown:
    """The call is done with; a reason is needed."""
    return _act(visit, "settle", {"reason": visit.form.get("reason").strip()})


def _act(visit: Visit, act: str, body: dict[str, Any]) -> Go | Shown:
    try:
        hook = visit.api.post("workflow", f"{_one(visit)}/{act}", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status not in (409, 422):
            raise
        return _shown(visit, error.fields or {"": error.detail}, error.status)
    # What became of it is for the page to say: it may have been given up again.
    return Go(f"{HERE}/{hook['id']}", f"system.hook.done_{act}", {"state": visit.texts.word("system.hook_state", hook["state"])})


def _shown(visit: Visit, wrong: dict[str, str] | None = None, status: int = 200) -> Shown:
    hook = visit.api.get("workflow", _one(visit))
    values = {
        "hook": hook,
        "payload": pretty(hook["payload"]),
        "corrections": pretty(hook["corrections"] or None),
        "correctable": sorted(CORRECTABLE.get(hook["hook"], ())) if hook["payload"] is None else [],
        "given": dict(visit.form.pairs) if visit.page.method == "POST" else {},
        "wrong": wrong or {},
    }
    return Shown("system/hook.html", values, status=status)


def _one(visit: Visit) -> str:
    return f"{PATH}/{quote(visit.params['hook'], safe='')}"


PAGES = (
    Page("GET", HERE, list_hooks, ADMIN),
    Page("GET", f"{HERE}/{{hook}}", show_hook, ADMIN),
    Page("POST", f"{HERE}/{{hook}}/replay", replay, ADMIN),
    Page("POST", f"{HERE}/{{hook}}/settle", settle, ADMIN),
)
