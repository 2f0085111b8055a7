"""Conversation: the service's front."""

from __future__ import annotations

import falcon
import peewee as pw

from baton.http.api import Operation, create_service_app
from baton.http.health import Check
from baton.http.messaging.attending import ATTENDING_OPERATIONS
from baton.http.messaging.live import LIVE_OPERATIONS
from baton.http.messaging.operations import HTTP_OPERATIONS
from baton.http.tokens import KeySource
from baton.models import database as db
from baton.models.messaging import files
from baton.models.settings import Settings

OPERATIONS: tuple[Operation, ...] = (*HTTP_OPERATIONS, *LIVE_OPERATIONS, *ATTENDING_OPERATIONS)


#: Age in seconds at which a file that still waits for its scan says that something is wrong with the scanner.
OVERDUE_SECONDS = 300


def scans(database: pw.Database) -> Check:
    """Return how many files wait for their scan: nobody gets those, so a scanner that fails must be seen."""
    waiting, oldest = files.scan_backlog()
    age = (db.now("messaging") - oldest).total_seconds() if oldest else 0.0
    return {"status": "degraded" if age > OVERDUE_SECONDS else "ok", "waiting": waiting, "oldest_seconds": round(age, 1)}


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the front as a WSGI application."""
    return create_service_app("messaging", OPERATIONS, settings, keys, checks={"scans": scans})
