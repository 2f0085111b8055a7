"""A coordinator's overview: is anything going wrong? And the clocks that are late or will soon be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from baton.http.console.finding import views_of
from baton.http.console.report_pictures import flow_pictures
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import COORDINATOR, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly

#: What the overview counts: a name of the service's answer, the list behind it, and how bad any of it is.
CONCERNS = (
    ("breached", "/at-risk?state=breached", "bad"),
    ("waiting", "/waiting", "bad"),
    ("in_triage", "/triage", "warn"),
    ("absent", "/handovers", "warn"),
    ("at_risk", "/at-risk?state=at_risk", "accent"),
)
#: Days that the overview's pictures look back, today included.
DAYS = 14
STATES = ("at_risk", "breached")
METRICS = ("first_response", "next_response", "resolution", "step")
#: Seconds within which a clock may be due to be listed.
WITHIN = (3600, 4 * 3600, 86400, 7 * 86400)
_AT_RISK = ("state", "metric", "within_seconds")
_AT_RISK_COLUMNS = (
    "ticket_number", "subject", "metric", "due_at", "is_overdue", "step", "assignee_name", "owner_name", "status", "priority",
    "category", "department",
)  # fmt: skip


def overview(visit: Visit) -> Shown:
    """The counts, and what came and went of late."""
    if visit.part == "counts":
        return Shown("overview_part.html", {"counts": _counts(visit), "concerns": CONCERNS})
    first = (datetime.now(UTC) - timedelta(days=DAYS - 1)).date().isoformat()
    counts, flow, sla = visit.api.together(
        lambda: _counts(visit),
        quietly(lambda: visit.api.get("workflow", "/api/v1/reports/flow", **{"from": first}), None),
        quietly(lambda: visit.api.get("workflow", "/api/v1/reports/sla", **{"from": first, "group": "week"}), None),
    )
    pictures = flow_pictures(visit, flow, ("backlog", "tickets")) if flow else []
    return Shown("overview.html", {"counts": counts, "concerns": CONCERNS, "flow": flow, "sla": sla, "pictures": pictures})


def at_risk(visit: Visit) -> Shown | Raw:
    """Running clocks by due time, the most urgent first."""
    if wants_csv(visit):
        fetch = pages_of(visit, "workflow", "/api/v1/sla/at-risk", **visit.filters(*_AT_RISK))
        return export(visit, fetch, titled(visit, *_AT_RISK_COLUMNS), "at-risk")
    refused = ""
    found: dict[str, Any] = {"items": [], "next": None}
    try:
        found = visit.api.get("workflow", "/api/v1/sla/at-risk", limit=50, **visit.filters(*_AT_RISK, "cursor"))
    except ServiceRefusedError as error:
        if error.status not in (400, 422):
            raise
        refused = error.detail
    values: dict[str, Any] = {"found": found, "refused": refused, "states": STATES, "metrics": METRICS, "within": WITHIN}
    values["views"] = None if visit.part else views_of(visit, "/at-risk")
    return Shown("at_risk_part.html" if visit.part == "list" else "at_risk.html", values)


def _counts(visit: Visit) -> Any:
    return visit.api.get("workflow", "/api/v1/overview")


PAGES = (
    Page("GET", "/overview", overview, COORDINATOR),
    Page("GET", "/at-risk", at_risk, COORDINATOR),
)
