"""
The graph editor: a workflow as a form that works without scripts, with its picture and what is wrong with it beside.

With scripts the picture and the faults follow each change; without, each button draws the page anew.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import answerable, refusal
from baton.http.console.admin.design_faults import errors_by_field, faults_by_field
from baton.http.console.admin.design_forms import Design, design_of, document_of, drawable, new_design, read_design
from baton.http.console.admin.design_rows import press
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly
from baton.pipelines.definitions import DRAFT, END_LOGICS, WHO

_LIST = "/admin/workflows"
_API = "/api/v1/workflows"


def new(visit: Visit) -> Shown:
    """The form for a new workflow."""
    return _editor(visit, new_design(), {})


def create(visit: Visit) -> Shown | Go:
    """What the pressed button says; saved, the workflow is there as a draft."""
    design = read_design(dict(visit.form.pairs))
    if visit.form.get("do") != "save" or visit.part:
        return _worked_on(visit, design, {})
    document = document_of(design, visit.t("admin.no_number"))
    if design.wrong:
        return _editor(visit, design, {}, 422, trouble=visit.t("form.look"))
    try:
        made = visit.api.post("workflow", _API, document, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        return _not_saved(visit, design, error, {})
    return Go(f"{_LIST}/{made['id']}/versions/1", "admin.draft_saved", {"number": "1"})


def edit(visit: Visit) -> Shown:
    """The form, filled with a version."""
    version = visit.api.get("workflow", _path(visit))
    return _editor(visit, design_of(version["definition"]), version)


def change(visit: Visit) -> Shown | Go:
    """What the pressed button says; saved, the draft is as given, or a new draft version is there."""
    version = visit.api.get("workflow", _path(visit))
    design = read_design({**dict(visit.form.pairs), "name": version["definition"]["name"]})
    button = visit.form.get("do")
    if button not in ("save", "save-new") or visit.part:
        return _worked_on(visit, design, version)
    document = document_of(design, visit.t("admin.no_number"))
    if design.wrong:
        return _editor(visit, design, version, 422, trouble=visit.t("form.look"))
    try:
        stored = _store(visit, document, as_new=button == "save-new" or version["state"] != DRAFT)
    except ServiceRefusedError as error:
        return _not_saved(visit, design, error, version)
    here = f"{_LIST}/{quote(visit.params['workflow'], safe='')}/versions/{stored['number']}"
    return Go(here, "admin.draft_saved", {"number": str(stored["number"])})


def _store(visit: Visit, document: dict[str, Any], *, as_new: bool) -> dict[str, Any]:
    stored: dict[str, Any]
    if as_new:
        path, body = f"{_API}/{quote(visit.params['workflow'], safe='')}/versions", {"definition": document}
        stored = visit.api.post("workflow", path, body, key=visit.form.get("key"))
    else:
        stored = visit.api.call("PUT", "workflow", _path(visit), body=document, version=visit.form.get("revision"))
    return stored


def _worked_on(visit: Visit, design: Design, version: Mapping[str, Any]) -> Shown:
    if visit.part:
        return _editor(visit, design, version, template="admin/design_seen.html")
    press(design, visit.form.get("do"))
    return _editor(visit, design, version, touched=True)


def _not_saved(visit: Visit, design: Design, error: ServiceRefusedError, version: Mapping[str, Any]) -> Shown:
    told = refusal(visit, error)["trouble"] if error.status != 422 else visit.t("form.look")
    return _editor(visit, design, version, error.status, trouble=told)


def _editor(
    visit: Visit,
    design: Design,
    version: Mapping[str, Any],
    status: int = 200,
    *,
    template: str = "admin/design.html",
    trouble: str = "",
    touched: bool = False,
) -> Shown:
    document = document_of(design, visit.t("admin.no_number"))
    (faults, drawn), roles = visit.api.together(
        lambda: _looked_at(visit, design, document),
        quietly(lambda: visit.api.get("workflow", "/api/v1/roles", limit=200)["items"], []),
    )
    by_field = {name: [*faults.get(name, ()), *_noted(design.wrong.get(name))] for name in {*faults, *design.wrong}}
    untouched = not version and visit.page.method == "GET"
    by_field = {} if untouched else by_field
    values = {
        "design": design,
        "version": version or None,
        "revision": visit.form.get("revision") if visit.page.method == "POST" else version.get("revision", ""),
        "faults": by_field,
        "errors": _distinct(by_field, "error"),
        "warnings": _distinct(by_field, "warning"),
        "picture": drawn,
        "untouched": untouched,
        "roles": sorted({role["name"] for role in roles}),
        "end_logics": END_LOGICS,
        "who": WHO,
        "trouble": trouble,
        "touched": touched or bool(trouble),
    }
    return Shown(template, values, status=status)


def _looked_at(visit: Visit, design: Design, document: dict[str, Any]) -> tuple[dict[str, list[Mapping[str, Any]]], str]:
    """Return what is wrong with the form's workflow by field, and its picture as an address; "" if it cannot be drawn."""
    judged, drawn = visit.api.together(
        lambda: _judge(visit, design, document),
        quietly(lambda: visit.api.post("workflow", f"{_API}/preview", drawable(document)), b"", 422),
    )
    return judged, "data:image/svg+xml;base64," + base64.b64encode(drawn).decode() if drawn else ""


def _judge(visit: Visit, design: Design, document: dict[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    try:
        judged = visit.api.post("workflow", f"{_API}/validate", document)
    except ServiceRefusedError as error:
        return errors_by_field(answerable(error).fields)
    return faults_by_field(design, judged["faults"])


def _noted(message: str | None) -> list[Mapping[str, Any]]:
    return [{"code": "", "severity": "error", "where": "", "message": message, "remedy": ""}] if message else []


def _distinct(by_field: Mapping[str, list[Mapping[str, Any]]], severity: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, fault) for name, faults in sorted(by_field.items()) for fault in faults if fault["severity"] == severity]


def _path(visit: Visit) -> str:
    workflow, number = quote(visit.params["workflow"], safe=""), quote(visit.params["number"], safe="")
    return f"{_API}/{workflow}/versions/{number}"


PAGES = (
    Page("GET", f"{_LIST}/new", new, ADMIN),
    Page("POST", f"{_LIST}/new", create, ADMIN),
    Page("GET", f"{_LIST}/{{workflow}}/versions/{{number}}/edit", edit, ADMIN),
    Page("POST", f"{_LIST}/{{workflow}}/versions/{{number}}/edit", change, ADMIN),
)
