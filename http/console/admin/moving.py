"""Moving running tasks to another version: which steps become which, what would happen to each task, and then doing it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import refusal
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.definitions import DRAFT

_LIST = "/admin/workflows"
_API = "/api/v1/workflows"
#: Tasks that one call looks at, and calls that one press of the button makes at most; then it says how far it came.
_BATCH, _BATCHES = 100, 20


def show_move(visit: Visit) -> Shown:
    """The form: from which version or step, to which version, and which step becomes which."""
    given = {name: visit.query(name) for name in ("from_version", "to_version")}
    return _page(visit, given, {})


def move(visit: Visit) -> Shown | Go:
    """Told what would happen (`try`), or the tasks are moved (`move`) as far as their steps have counterparts."""
    given = dict(visit.form.pairs)
    button = given.get("do")
    if button not in ("try", "move"):
        return _page(visit, given, {})
    try:
        if button == "move":
            return _moved(visit, given)
        return _page(visit, given, {"found": _ask(visit, given, dry_run=True, after="")})
    except ServiceRefusedError as error:
        return _page(visit, given, refusal(visit, error), error.status)


def body_of(given: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form asks the service for; numbers that are none are left for the service to miss."""
    body: dict[str, Any] = {"reason": given.get("reason", "").strip(), "mapping": {}}
    for name in ("to_version", "from_version"):
        if given.get(name, "").isdecimal():
            body[name] = int(given[name])
    if given.get("step", "").strip():
        body["step"] = given["step"].strip()
    numbers = [each for each in re.split(r"[\s,;]+", given.get("tickets", "")) if each]
    if numbers:
        body["ticket_numbers"] = list(dict.fromkeys(numbers))
    for place in range(int(given["steps"]) if given.get("steps", "").isdecimal() and len(given["steps"]) < 4 else 0):
        source, goal = given.get(f"from.{place}", ""), given.get(f"to.{place}", "")
        if source and goal and source != goal:
            body["mapping"][source] = goal
    return body


def _moved(visit: Visit, given: Mapping[str, str]) -> Shown | Go:
    told, after, stayed = Counter[str](), given.get("after", ""), []
    for _ in range(_BATCHES):
        found = _ask(visit, given, dry_run=False, after=after)
        told.update(each["outcome"] for each in found["items"])
        stayed += [each for each in found["items"] if each["outcome"] != "moved"]
        after = str(found["next"] or "")
        if not after:
            break
    if not stayed and not after:
        return Go(f"{_LIST}/{quote(visit.params['workflow'], safe='')}", "admin.moved_all", {"count": str(told["moved"])})
    return _page(visit, {**given, "after": after}, {"done": told, "stayed": stayed, "rest": after})


def _ask(visit: Visit, given: Mapping[str, str], *, dry_run: bool, after: str) -> dict[str, Any]:
    body = {**body_of(given), "dry_run": dry_run, "limit": _BATCH}
    if after.isdecimal():
        body["after"] = int(after)
    found: dict[str, Any] = visit.api.post("workflow", f"{_API}/{quote(visit.params['workflow'], safe='')}/move", body)
    return found


def _page(visit: Visit, given: Mapping[str, str], more: dict[str, Any], status: int = 200) -> Shown:
    workflow = visit.api.get("workflow", f"{_API}/{quote(visit.params['workflow'], safe='')}")
    versions = [each for each in workflow["versions"] if each["state"] != DRAFT]
    target = next((each for each in versions if str(each["number"]) == given.get("to_version")), None)
    sources = [each for each in versions if each is not target and given.get("from_version") in ("", str(each["number"]), None)]
    names = list(dict.fromkeys(step["name"] for version in sources for step in version["steps"]))
    chosen = {given.get(f"from.{place}", ""): given.get(f"to.{place}", "") for place in range(len(names) + 50)}
    values = {
        "workflow": workflow,
        "versions": versions,
        "target": target,
        "rows": [(name, chosen.get(name, "")) for name in names],
        "given": given,
        "found": None,
        "done": None,
        "rest": "",
        "trouble": "",
        "wrong": {},
    }
    return Shown("admin/move.html", {**values, **more}, status=status)


PAGES = (
    Page("GET", f"{_LIST}/{{workflow}}/move", show_move, ADMIN),
    Page("POST", f"{_LIST}/{{workflow}}/move", move, ADMIN),
)
