"""Notifications: the service's front."""

from __future__ import annotations

import falcon

from baton.http.api import Operation, create_service_app
from baton.http.notifications import bounces, failures, inbox, unsubscribing, wishes
from baton.http.notifications.mail_health import CHECKS, register_figures
from baton.http.tokens import KeySource
from baton.models.settings import Settings

OPERATIONS: tuple[Operation, ...] = (
    *inbox.OPERATIONS,
    *wishes.OPERATIONS,
    *failures.OPERATIONS,
    *bounces.OPERATIONS,
    *unsubscribing.OPERATIONS,
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the front as a WSGI application."""
    register_figures()
    return create_service_app("notifications", OPERATIONS, settings, keys, CHECKS)
