"""Reports: promises, fairness, and what came and went; as pictures with their numbers beside, and as CSV."""

from __future__ import annotations

from typing import Any

from baton.http.console import report_pictures as pictures
from baton.http.problems import NotFound
from baton.http.web.pages import COORDINATOR, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError

REPORTS = ("sla", "fairness", "flow")
GROUPS = ("policy", "category", "step", "week")
CLOCKS = ("first_response", "next_response", "resolution", "step")
_FILTERS = {"sla": ("from", "to", "group", "clock"), "fairness": ("from", "to", "role"), "flow": ("from", "to")}
_DRAWN = {
    "sla": (pictures.sla_pictures, ("verdicts", "in_time")),
    "fairness": (pictures.fairness_pictures, ("turns", "open", "late", "eligible")),
    "flow": (pictures.flow_pictures, ("tickets", "backlog", "steps")),
}


def first_report(visit: Visit) -> Go:
    """The first of the reports."""
    return Go("/reports/sla")


def report(visit: Visit) -> Shown:
    """One report over the range of the address."""
    name = _name(visit)
    asked = visit.filters(*_FILTERS[name])
    found, refused = None, ""
    try:
        found = visit.api.get("workflow", f"/api/v1/reports/{name}", **asked)
    except ServiceRefusedError as error:
        if error.status not in (404, 422):
            raise
        refused = " ".join(error.fields.values()) or error.detail
    draw, metrics = _DRAWN[name]
    values: dict[str, Any] = {
        "name": name,
        "reports": REPORTS,
        "found": found,
        "refused": refused,
        "asked": asked,
        "groups": GROUPS,
        "clocks": CLOCKS,
        "pictures": draw(visit, found, metrics) if found else [],
        "steps": pictures.steps_in_hours(found) if found and name == "flow" else [],
        "roles": _roles(visit) if name == "fairness" else [],
    }
    return Shown(f"report_{name}.html", values, status=422 if refused else 200)


def table(visit: Visit) -> Raw:
    """The report as a CSV file."""
    name = _name(visit)
    asked = visit.filters(*_FILTERS[name], "table")
    found = visit.api.get("workflow", f"/api/v1/reports/{name}", format="csv", **asked) or b""
    kind = "steps" if asked.get("table") == "steps" else name
    file = "-".join([kind, *(asked[end] for end in ("from", "to") if asked.get(end, "").replace("-", "").isdecimal())])
    return Raw(found, "text/csv; charset=utf-8", {"Content-Disposition": f'attachment; filename="{file}.csv"'})


def _name(visit: Visit) -> str:
    name = visit.params["report"]
    if name not in REPORTS:
        raise NotFound(visit.t("problem.404"))
    return name


def _roles(visit: Visit) -> list[tuple[str, str]]:
    found = visit.api.get("workflow", "/api/v1/roles", limit=200)["items"]
    return [(each["role_id"], each["name"]) for each in found]


PAGES = (
    Page("GET", "/reports", first_report, COORDINATOR),
    Page("GET", "/reports/{report}", report, COORDINATOR),
    Page("GET", "/reports/{report}/table", table, COORDINATOR),
)
