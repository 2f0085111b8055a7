"""
The front of auth: sign-in and sessions, tokens for services, look-ups, and the administration of people and roles.

One module per concern, each with its own table of operations; `create_app` puts them together.
"""

from __future__ import annotations

import falcon

from baton.http.api import create_service_app
from baton.http.auth import (
    employees,
    grants,
    look_ups,
    roles,
    service_tokens,
    session,
    sign_in,
    signing,
    standings,
    systems,
    users,
)
from baton.http.jwks import JwksKeys
from baton.http.tokens import KeySource
from baton.models.settings import Settings

OPERATIONS = (
    *sign_in.OPERATIONS,
    *session.OPERATIONS,
    *service_tokens.OPERATIONS,
    *look_ups.OPERATIONS,
    *standings.OPERATIONS,
    *systems.OPERATIONS,
    *roles.OPERATIONS,
    *users.OPERATIONS,
    *grants.OPERATIONS,
    *employees.OPERATIONS,
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return auth's front. Keys that would be fetched from auth over HTTP are read from its own database instead."""
    own = signing.own_keys(settings) if isinstance(keys, JwksKeys) else keys
    return create_service_app("auth", OPERATIONS, settings, own)
