"""The portal: where employees file tickets and follow them. It owns no tables; it calls the services in the employee's name."""

from __future__ import annotations

from typing import Any

import falcon

from baton.http.portal import filing, tickets
from baton.http.tokens import KeySource
from baton.http.web.account import account_pages
from baton.http.web.app import create_web_app
from baton.http.web.conversation import conversation_pages
from baton.http.web.live import live_pages
from baton.http.web.notices import count_unread, notice_pages
from baton.http.web.pages import AUDIENCES, EMPLOYEE, Visit
from baton.models.settings import Settings

DEMO = (("session.demo_employee", "adaeze.abara@example.com", "Password123"),)
PAGES = (
    *account_pages(AUDIENCES[EMPLOYEE], DEMO),
    *tickets.PAGES,
    *filing.PAGES,
    *conversation_pages(EMPLOYEE),
    *notice_pages(EMPLOYEE),
    *live_pages(EMPLOYEE),
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the portal's WSGI application."""
    return create_web_app("portal", PAGES, settings, keys, _frame)


def _frame(visit: Visit) -> dict[str, Any]:
    if not AUDIENCES[EMPLOYEE](visit.principal):
        return {}
    unread = 0 if visit.part else count_unread(visit)
    return {
        "find": "/find",
        "nav": (
            {"href": "/", "text": "nav.tickets", "key": "g t", "count": 0},
            {"href": "/new", "text": "nav.new", "key": "n", "count": 0},
            {"href": "/notifications", "text": "nav.notices", "key": "g n", "count": unread, "counted": "nav.unread"},
        ),
    }
