"""The system at a glance: how each service stands, in words, with what to do where something is wrong."""

from __future__ import annotations

from baton.http.console.system.findings import findings
from baton.http.console.system.reaching import Answer, ask_each
from baton.http.web.pages import ADMIN, Page, Shown, Visit
from baton.models.settings import FRONTS

#: Whom this page asks: every front but the one that it is a page of.
ASKED = tuple(front for front in FRONTS if front != "console")
_ORDER = ("away", "failing", "degraded", "ok")


def overview(visit: Visit) -> Shown:
    """Every service with its checks, those in trouble first; one that does not answer is shown as away."""
    parts = [_part(visit, answer) for answer in ask_each(visit, ASKED, "/health")]
    parts.sort(key=lambda part: _ORDER.index(str(part["status"])))
    troubled = sum(part["status"] != "ok" for part in parts)
    return Shown(
        "system/health_part.html" if visit.part == "health" else "system/health.html", {"services": parts, "troubled": troubled}
    )


def _part(visit: Visit, answer: Answer) -> dict[str, object]:
    document = answer.document if isinstance(answer.document, dict) else {}
    status = document.get("status") if not answer.trouble else "away"
    return {
        "service": answer.service,
        "status": status if status in _ORDER else "failing",
        "version": document.get("version", ""),
        "findings": findings(visit.texts, document),
    }


PAGES = (Page("GET", "/system", overview, ADMIN),)
