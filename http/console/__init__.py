"""The console: where staff work, coordinators watch and administrators set up. It owns no tables; it calls the services."""

from __future__ import annotations

from typing import Any

import falcon

from baton.http.console import acting, admin, colleagues, finding, overview, people, queues, reports, system, tickets, work
from baton.http.tokens import KeySource
from baton.http.web.account import account_pages
from baton.http.web.app import create_web_app
from baton.http.web.conversation import conversation_pages
from baton.http.web.live import live_pages
from baton.http.web.notices import count_unread, notice_pages
from baton.http.web.pages import ADMIN, AUDIENCES, COORDINATOR, STAFF, Visit
from baton.models.settings import Settings

DEMO = (
    ("session.demo_coordinator", "nadia.haddad@example.com", "Password123"),
    ("session.demo_admin", "Admintts@example.com", "Password123"),
)
PAGES = (
    *account_pages(AUDIENCES[STAFF], DEMO),
    *work.PAGES,
    *finding.PAGES,
    *tickets.PAGES,
    *acting.PAGES,
    *colleagues.PAGES,
    *overview.PAGES,
    *queues.PAGES,
    *people.PAGES,
    *reports.PAGES,
    *system.PAGES,
    *admin.PAGES,
    *conversation_pages(STAFF),
    *notice_pages(STAFF),
    *live_pages(STAFF),
)
#: What stands in the navigation, for whom. What is for coordinators or administrators stands together in a menu.
_NAVIGATION: tuple[tuple[str, str, str, str], ...] = (
    ("/", "nav.work", "g w", STAFF),
    ("/tickets", "nav.all_tickets", "g l", STAFF),
    ("/search", "nav.search", "g f", STAFF),
    ("/overview", "nav.overview", "g o", COORDINATOR),
    ("/triage", "nav.triage", "g t", COORDINATOR),
    ("/waiting", "nav.waiting", "g q", COORDINATOR),
    ("/at-risk", "nav.at_risk", "g r", COORDINATOR),
    ("/people", "nav.people", "g e", COORDINATOR),
    ("/handovers", "nav.handovers", "g h", COORDINATOR),
    ("/reports", "nav.reports", "g s", COORDINATOR),
    ("/admin", "nav.admin", "g a", ADMIN),
    ("/system", "nav.system", "g y", ADMIN),
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the console's WSGI application."""
    return create_web_app("console", PAGES, settings, keys, _frame)


def _frame(visit: Visit) -> dict[str, Any]:
    if not AUDIENCES[STAFF](visit.principal):
        return {}
    entries = _entries(visit, STAFF)
    menus = [
        {"text": text, "entries": found}
        for text, who in (("nav.coordination", COORDINATOR), ("nav.administration", ADMIN))
        if (found := _entries(visit, who))
    ]
    unread = 0 if visit.part else count_unread(visit)
    notices = {"href": "/notifications", "text": "nav.notices", "key": "g n", "count": unread, "counted": "nav.unread"}
    return {"find": "/find", "nav": (*entries, *menus, notices)}


def _entries(visit: Visit, audience: str) -> list[dict[str, Any]]:
    """Return what stands in the navigation for this audience, if the visitor is of it."""
    if not AUDIENCES[audience](visit.principal):
        return []
    return [{"href": href, "text": text, "key": key, "count": 0} for href, text, key, who in _NAVIGATION if who == audience]
