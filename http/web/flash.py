"""A sentence shown once, on the page that a form leads to: its key travels in a signed cookie, the sentence in the catalogue."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import falcon

from baton.http.web.pages import Go, Visit
from baton.models.settings import Settings

COOKIE = "baton_told"


def keep(response: falcon.Response, going: Go, settings: Settings) -> None:
    """Have the next page say what `going` tells."""
    if not going.told:
        return
    body = urlsafe_b64encode(json.dumps([going.told, dict(going.values)]).encode()).decode()
    value = f"{body}.{_sign(body, settings)}"
    response.set_cookie(COOKIE, value, max_age=60, path="/", secure=settings.production, http_only=True, same_site="Lax")


def take(visit: Visit, response: falcon.Response, settings: Settings) -> str:
    """Return what is to be said on this page, and have it said no more; empty where there is nothing."""
    values = visit.request.get_cookie_values(COOKIE)
    if not values or visit.part:
        return ""
    response.set_cookie(COOKIE, "", expires=datetime.fromtimestamp(0, UTC), path="/", http_only=True, same_site="Lax")
    body, _, signature = values[0].rpartition(".")
    if not hmac.compare_digest(signature, _sign(body, settings)):
        return ""
    key, places = json.loads(urlsafe_b64decode(body))
    return visit.t(key, **places) if visit.texts.has(key) else ""


def _sign(body: str, settings: Settings) -> str:
    return hmac.new(settings.service_secret.encode(), b"told:" + body.encode(), hashlib.sha256).hexdigest()[:32]
