"""Workflows: listed, shown with their versions, carried in and out as TOML, asked which ticket they would get."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import refusal
from baton.http.console.tickets import svg
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError

_LIST = "/admin/workflows"
_API = "/api/v1/workflows"


def list_workflows(visit: Visit) -> Shown:
    """Workflows with the version that new tickets get."""
    found = visit.api.get("workflow", _API, **visit.filters("cursor"))
    return Shown("admin/workflows.html", {"workflows": found["items"], "next": found["next"]})


def show_workflow(visit: Visit) -> Shown:
    """One workflow with its versions, newest first; the deployed one, else the newest, is drawn."""
    found = visit.api.get("workflow", f"{_API}/{_id(visit)}")
    versions = sorted(found["versions"], key=lambda each: -each["number"])
    shown = next((each for each in versions if each["number"] == found["deployed_number"]), versions[0])
    return Shown("admin/workflow.html", {"workflow": found, "versions": versions, "shown": shown})


def show_version(visit: Visit) -> Shown:
    """One version: its picture, its steps, and what is wrong with it as things are now."""
    workflow, version = visit.api.together(
        lambda: visit.api.get("workflow", f"{_API}/{_id(visit)}"),
        lambda: visit.api.get("workflow", _version(visit)),
    )
    return Shown("admin/version.html", {"workflow": workflow, "version": version})


def draw(visit: Visit) -> Raw:
    """The picture of a version."""
    return svg(visit.api.get("workflow", f"{_version(visit)}/picture"))


def export(visit: Visit) -> Raw:
    """A version as a TOML file."""
    text = visit.api.get("workflow", f"{_version(visit)}/toml")
    name = re.sub(r"[^a-z0-9]+", "-", visit.query("name").lower()).strip("-") or "workflow"
    number = re.sub(r"\D", "", visit.params["number"])
    return Raw(text, "application/toml", {"Content-Disposition": f'attachment; filename="{name}-v{number}.toml"'})


def show_import(visit: Visit) -> Shown:
    """The form that takes a TOML text or file."""
    return Shown("admin/workflow_import.html", {"toml": "", "trouble": "", "wrong": {}})


def bring_in(visit: Visit) -> Shown | Go:
    """The text is a draft: of a new workflow, or of the one of its name."""
    upload = next(visit.form.uploads("file"), None)
    try:
        toml = upload.data.decode() if upload is not None else visit.form.get("toml")
        made = visit.api.post("workflow", f"{_API}/import", {"toml": toml}, key=visit.form.get("key"))
    except UnicodeDecodeError:
        values: dict[str, Any] = {"toml": "", "trouble": visit.t("admin.no_text_file"), "wrong": {}}
        return Shown("admin/workflow_import.html", values, status=422)
    except ServiceRefusedError as error:
        return Shown("admin/workflow_import.html", {"toml": toml, **refusal(visit, error)}, status=error.status)
    number = max(version["number"] for version in made["versions"])
    return Go(f"{_LIST}/{made['id']}/versions/{number}", "admin.draft_saved", {"number": str(number)})


def match(visit: Visit) -> Shown:
    """Which workflow a ticket would get now, and why."""
    question = visit.filters("category", "department", "ticket_number")
    values: dict[str, Any] = {"question": question, "answer": None, "trouble": "", "wrong": {}}
    if question:
        try:
            values["answer"] = visit.api.post("workflow", f"{_API}/match", question)
        except ServiceRefusedError as error:
            if error.status != 404:
                return Shown("admin/match.html", {**values, **refusal(visit, error)}, status=error.status)
            values["trouble"] = visit.t("admin.no_such_ticket")
    return Shown("admin/match.html", values)


def _id(visit: Visit) -> str:
    return quote(visit.params["workflow"], safe="")


def _version(visit: Visit) -> str:
    return f"{_API}/{_id(visit)}/versions/{quote(visit.params['number'], safe='')}"


_ONE = f"{_LIST}/{{workflow}}"
PAGES = (
    Page("GET", _LIST, list_workflows, ADMIN),
    Page("GET", f"{_LIST}/import", show_import, ADMIN),
    Page("POST", f"{_LIST}/import", bring_in, ADMIN),
    Page("GET", f"{_LIST}/match", match, ADMIN),
    Page("GET", _ONE, show_workflow, ADMIN),
    Page("GET", f"{_ONE}/versions/{{number}}", show_version, ADMIN),
    Page("GET", f"{_ONE}/versions/{{number}}/picture", draw, ADMIN),
    Page("GET", f"{_ONE}/versions/{{number}}/toml", export, ADMIN),
)
