"""Giving a version of a workflow to new tickets, and giving a workflow to none any more; both are asked once more."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refused
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.validation import ERROR, FORCEABLE

_LIST = "/admin/workflows"
_API = "/api/v1/workflows"


def ask_to_deploy(visit: Visit) -> Shown:
    """What deploying a version would change, what keeps it from that, and who else matches the same tickets."""
    return Shown("admin/deploy.html", _prospect(visit))


def deploy(visit: Visit) -> Shown | Go:
    """New tickets get the version; with `force` although another workflow matches the same tickets equally."""
    number, back = visit.params["number"], f"{_one(visit)}/versions/{quote(visit.params['number'], safe='')}"
    if visit.form.get("sure") != "yes" or not number.isdecimal():
        return Go(f"{back}/deploy")
    body = {"version": int(number), "force": visit.form.get("force") == "yes"}
    try:
        path, revision = f"{_API}/{_id(visit)}/deploy", visit.form.get("revision") or None
        visit.api.post("workflow", path, body, version=revision)
    except ServiceRefusedError as error:
        return refused(visit, error, visit.t("admin.deploy"), f"{back}/deploy")
    return Go(_one(visit), "admin.deployed_now", {"number": number})


def retire(visit: Visit) -> Shown | Go:
    """New tickets get the workflow no more; its running tasks go on."""
    title = visit.t("admin.retire")
    asked = ask_first(visit, title, visit.t("admin.retire_text", name=visit.form.get("name")), _one(visit))
    if asked is not None:
        return asked
    try:
        visit.api.post("workflow", f"{_API}/{_id(visit)}/retire")
    except ServiceRefusedError as error:
        return refused(visit, error, title, _one(visit))
    return Go(_one(visit), "admin.retired_now")


def _prospect(visit: Visit) -> dict[str, Any]:
    number = quote(visit.params["number"], safe="")
    workflow, version = visit.api.together(
        lambda: visit.api.get("workflow", f"{_API}/{_id(visit)}"),
        lambda: visit.api.get("workflow", f"{_API}/{_id(visit)}/versions/{number}"),
    )
    errors = [fault for fault in version["faults"] if fault["severity"] == ERROR]
    return {
        "workflow": workflow,
        "version": version,
        "rivals": [fault for fault in errors if fault["code"] in FORCEABLE],
        "obstacles": [fault for fault in errors if fault["code"] not in FORCEABLE],
        "warnings": [fault for fault in version["faults"] if fault["severity"] != ERROR],
    }


def _id(visit: Visit) -> str:
    return quote(visit.params["workflow"], safe="")


def _one(visit: Visit) -> str:
    return f"{_LIST}/{_id(visit)}"


_VERSION = f"{_LIST}/{{workflow}}/versions/{{number}}"
PAGES = (
    Page("GET", f"{_VERSION}/deploy", ask_to_deploy, ADMIN),
    Page("POST", f"{_VERSION}/deploy", deploy, ADMIN),
    Page("POST", f"{_LIST}/{{workflow}}/retire", retire, ADMIN),
)
