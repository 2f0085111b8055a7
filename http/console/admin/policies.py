"""Policies: what is promised. Listed in their order, shown in words, changed by new versions, retired."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import answerable, refused
from baton.http.console.admin.changes import POLICY, RETIRE, Wanted, look
from baton.http.console.admin.policy_forms import TARGETS, document_of, fields_of, rows_of
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.sla_policies import METRICS, NAMES
from baton.pipelines.sla_policy_texts import PolicyError, policy_of, read_policy_text

_LIST = "/admin/policies"
_API = "/api/v1/sla/policies"
_NEW: dict[str, Any] = {
    "targets": {"first_response": "4h", "resolution": "24h"},
    "warnings": [{"percent": 75, "tell": ["assignee", "owner"]}],
}


def list_policies(visit: Visit) -> Shown:
    """Policies, those in force and those retired."""
    found = visit.api.get("workflow", _API, **visit.filters("state", "cursor"))
    return Shown("admin/policies.html", {"policies": found["items"], "next": found["next"]})


def show_policy(visit: Visit) -> Shown:
    """One policy in words, with its versions and what its author should know of it."""
    found = _found(visit)
    document = found["definition"] or found["versions"][0]["definition"]
    values = {"policy": found, "fields": fields_of(document), "document": policy_of(document), "names": NAMES}
    return Shown("admin/policy.html", {**values, "targets": TARGETS})


def new(visit: Visit) -> Shown:
    """The form for a new policy, or one filled with another's text (`like`)."""
    like = visit.query("like")
    if not like.isdecimal():
        return _form(visit, None, fields_of(_NEW))
    found = visit.api.get("workflow", f"{_API}/{like}")
    return _form(visit, None, {**fields_of(found["definition"] or found["versions"][0]["definition"]), "name": ""})


def edit(visit: Visit) -> Shown:
    """The form, filled with the version in force, or the newest where the policy is retired."""
    found = _found(visit)
    return _form(visit, found, fields_of(found["definition"] or found["versions"][0]["definition"]))


def change(visit: Visit) -> Shown | Go:
    """What the policy would do, as it is typed: nothing is stored before that was seen."""
    found = _found(visit) if "policy" in visit.params else None
    fields = {name: value.replace("\r\n", "\n") for name, value in visit.form.pairs}
    toml = fields.get("toml", "").strip() if fields.get("do") == "toml" else ""
    try:
        document = read_policy_text(toml) if toml else document_of(fields)
    except PolicyError as error:
        return _form(visit, found, fields, [_fault(each) for each in error.errors], 422)
    if found is not None:
        document["name"] = found["name"]
    if fields.get("do") == "check":
        judged = visit.api.post("workflow", f"{_API}/validate", {"definition": document})
        return _form(visit, found, fields, judged["faults"], checked=True)
    try:
        return look(visit, _wanted(POLICY, found, document))
    except ServiceRefusedError as error:
        faults = [_fault(message, name) for name, message in answerable(error).fields.items()]
        return _form(visit, found, fields, faults or [_fault(error.detail)], error.status)


def retire(visit: Visit) -> Shown | Go:
    """What retiring the policy would do to the tickets that have it; nothing is changed before that was seen."""
    found = _found(visit)
    try:
        return look(visit, _wanted(RETIRE, found, {}))
    except ServiceRefusedError as error:
        return refused(visit, error, visit.t("admin.retire"), f"{_LIST}/{_id(visit)}")


def _wanted(kind: str, found: dict[str, Any] | None, document: dict[str, Any]) -> Wanted:
    if found is None:
        return Wanted(kind, str(document.get("name", "")), document)
    return Wanted(kind, found["name"], document, str(found["id"]), str(found["versions"][0]["number"]))


def _form(
    visit: Visit,
    found: dict[str, Any] | None,
    fields: dict[str, str],
    faults: list[dict[str, str]] | tuple[()] = (),
    status: int = 200,
    *,
    checked: bool = False,
) -> Shown:
    calendars = visit.api.get("workflow", "/api/v1/sla/calendars", state="in_force", limit=200)["items"]
    values = {
        "policy": found,
        "fields": fields,
        "faults": faults,
        "checked": checked,
        "calendar_pairs": [(each["name"], each["name"]) for each in calendars],
        "targets": TARGETS,
        "metrics": METRICS,
        "names": NAMES,
        "rows": {kind: rows_of(fields, kind) for kind in ("warnings", "escalations")},
    }
    return Shown("admin/policy_form.html", values, status=status)


def _fault(message: str, name: str = "") -> dict[str, str]:
    where = name.removeprefix("policies.0").strip(".")
    return {"code": "", "severity": "error", "where": where, "message": message, "remedy": ""}


def _found(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = visit.api.get("workflow", f"{_API}/{_id(visit)}")
    return found


def _id(visit: Visit) -> str:
    return quote(visit.params["policy"], safe="")


_ONE = f"{_LIST}/{{policy}}"
PAGES = (
    Page("GET", _LIST, list_policies, ADMIN),
    Page("GET", f"{_LIST}/new", new, ADMIN),
    Page("POST", f"{_LIST}/new", change, ADMIN),
    Page("GET", _ONE, show_policy, ADMIN),
    Page("GET", f"{_ONE}/edit", edit, ADMIN),
    Page("POST", f"{_ONE}/edit", change, ADMIN),
    Page("POST", f"{_ONE}/retire", retire, ADMIN),
)
