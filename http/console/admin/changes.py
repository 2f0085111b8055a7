"""
Changes of policies and calendars: what one would do to the tickets that run, then making it, watching it, taking it back.

The change that is looked at travels with the page; nothing is stored before it is made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refused
from baton.http.problems import BadRequest
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError

POLICY, CALENDAR, RETIRE = "policy", "calendar", "retire"
_LIST = "/admin/changes"
_API = "/api/v1/sla/changes"
_COUNTS = ("moved", "breaches", "recovers", "ends", "begins")
#: Tickets that one press of the button looks at.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that somebody wants: of which kind, its document; `id` and `version` of what it changes, "" for something new."""

    kind: str
    name: str
    document: dict[str, Any]
    id: str = ""
    version: str = ""

    @property
    def proposal(self) -> dict[str, Any]:
        """The change as the service takes it."""
        if self.kind == POLICY:
            return {"policies": [self.document]}
        if self.kind == CALENDAR:
            return {"calendars": [{"name": self.name, "definition": self.document}]}
        return {"retire": [self.name]}

    @property
    def place(self) -> str:
        """The page of what it changes, or of all of its kind."""
        section = "calendars" if self.kind == CALENDAR else "policies"
        return f"/admin/{section}" + (f"/{quote(self.id, safe='')}" if self.id else "")


def look(visit: Visit, wanted: Wanted) -> Shown:
    """Return the page that tells what the change would do; raises ServiceRefusedError when it is faulty."""
    found = visit.api.post("workflow", "/api/v1/sla/preview", {**wanted.proposal, "limit": _LOOKED_AT})
    return _preview_page(visit, wanted, found, {}, 0)


def look_further(visit: Visit) -> Shown | Go:
    """What the change would do to the next tickets, counted together with those before."""
    wanted, after = _wanted(visit), visit.form.get("after")
    before = {name: _number(visit.form.get(f"so_far.{name}")) for name in (*_COUNTS, "concerned")}
    try:
        found = visit.api.post("workflow", "/api/v1/sla/preview", {**wanted.proposal, "limit": _LOOKED_AT, "after": after})
    except ServiceRefusedError as error:
        return refused(visit, error, visit.t("admin.preview"), wanted.place)
    return _preview_page(visit, wanted, found, before, _number(visit.form.get("so_far.seen")))


def make(visit: Visit) -> Shown | Go:
    """The change is made: for new tickets only, or for those that run too."""
    wanted = _wanted(visit)
    try:
        if visit.form.get("do") == "running":
            body = {**wanted.proposal, "reason": visit.form.get("reason").strip()}
            made = visit.api.post("workflow", _API, body, key=visit.form.get("key"))
            return Go(f"{_LIST}/{made['id']}", "admin.change_begun")
        return _for_new(visit, wanted)
    except ServiceRefusedError as error:
        return refused(visit, error, visit.t("admin.make_change"), wanted.place)


def list_changes(visit: Visit) -> Shown:
    """Changes, newest first."""
    found = visit.api.get("workflow", _API, **visit.filters("state", "cursor"))
    return Shown("admin/changes.html", {"changes": found["items"], "next": found["next"]})


def show_change(visit: Visit) -> Shown:
    """One change and how far it has come; asked again while it runs."""
    found = visit.api.get("workflow", f"{_API}/{_id(visit)}")
    return Shown("admin/change_part.html" if visit.part == "progress" else "admin/change.html", {"change": found})


def undo(visit: Visit) -> Shown | Go:
    """What was in force before is so again, and comes back to the running tickets."""
    title, back = visit.t("admin.undo"), f"{_LIST}/{_id(visit)}"
    asked = ask_first(visit, title, visit.t("admin.undo_text"), back)
    if asked is not None:
        return asked
    try:
        made = visit.api.post("workflow", f"{_API}/{_id(visit)}/undo")
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(f"{_LIST}/{made['id']}", "admin.change_begun")


def resume(visit: Visit) -> Shown | Go:
    """A change that stopped on its way goes on."""
    back = f"{_LIST}/{_id(visit)}"
    try:
        visit.api.post("workflow", f"{_API}/{_id(visit)}/resume")
    except ServiceRefusedError as error:
        return refused(visit, error, visit.t("admin.resume_change"), back)
    return Go(back)


def _for_new(visit: Visit, wanted: Wanted) -> Go:
    path = f"/api/v1/sla/{'calendars' if wanted.kind == CALENDAR else 'policies'}"
    named = {} if wanted.kind == POLICY or wanted.id else {"name": wanted.name}
    body, key = {**named, "definition": wanted.document}, visit.form.get("key")
    if wanted.kind == RETIRE:
        made = visit.api.post("workflow", f"{path}/{quote(wanted.id, safe='')}/retire", key=key)
    elif wanted.id:
        one = f"{path}/{quote(wanted.id, safe='')}"
        made = visit.api.call("PUT", "workflow", one, body=body, version=wanted.version, key=key)
    else:
        made = visit.api.post("workflow", path, body, key=key)
    return Go(f"/admin/{'calendars' if wanted.kind == CALENDAR else 'policies'}/{made['id']}", "admin.saved")


def _preview_page(visit: Visit, wanted: Wanted, found: dict[str, Any], before: dict[str, int], seen: int) -> Shown:
    counts = {name: before.get(name, 0) + found["counts"][name] for name in _COUNTS}
    values = {
        "wanted": wanted,
        "document": json.dumps(wanted.document),
        "found": found,
        "counts": counts,
        "concerned": before.get("concerned", 0) + found["concerned"],
        "seen": seen + found["seen"],
    }
    return Shown("admin/preview.html", values)


def _wanted(visit: Visit) -> Wanted:
    form = visit.form
    kind = form.get("kind")
    try:
        document = json.loads(form.get("document"))
    except ValueError:
        raise BadRequest("the form cannot be read") from None
    if not isinstance(document, dict) or kind not in (POLICY, CALENDAR, RETIRE):
        raise BadRequest("the form cannot be read")
    return Wanted(kind, form.get("name"), document, form.get("id"), form.get("version"))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 12 else 0


def _id(visit: Visit) -> str:
    return quote(visit.params["change"], safe="")


PAGES = (
    Page("GET", _LIST, list_changes, ADMIN),
    Page("POST", f"{_LIST}/preview", look_further, ADMIN),
    Page("POST", f"{_LIST}/make", make, ADMIN),
    Page("GET", f"{_LIST}/{{change}}", show_change, ADMIN),
    Page("POST", f"{_LIST}/{{change}}/undo", undo, ADMIN),
    Page("POST", f"{_LIST}/{{change}}/resume", resume, ADMIN),
)
