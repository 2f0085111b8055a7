"""
Who is signed in to a web front: two cookies of its own, which hold auth's tokens and which no script can read.

The front verifies the access token itself; one that has expired is renewed with the refresh token on the way. Each front has
cookies of its own names, so that a person may be signed in to both on one machine. A front also takes the cookie `access_token`
that auth sets, when it holds nothing of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import falcon

from baton.http.tokens import KeysUnavailableError, TokenError, Verifier
from baton.http.web.services import ServiceAwayError, ServiceRefusedError, Services
from baton.models.settings import Settings
from baton.pipelines.permissions import ANONYMOUS, Principal

#: Renewed when it has less than this left, in seconds: a page's calls are to be over before it ends.
RENEW_BEFORE = 20.0
#: How long a browser keeps the cookies, in seconds; auth decides how long the tokens count.
COOKIE_SECONDS = 14 * 86400
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(slots=True)
class Session:
    """The visitor's tokens. `changed`: the cookies are to be written (or, without tokens, removed)."""

    principal: Principal = ANONYMOUS
    access: str | None = None
    refresh: str | None = None
    #: A random value of this browser's, which its forms are bound to.
    browser: str = ""
    changed: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether anybody is signed in."""
        return self.principal.kind in ("user", "employee")


class Sessions:
    """Reads and writes the sessions of one front."""

    def __init__(self, front: str, settings: Settings, verifier: Verifier) -> None:
        self._names = (f"baton_{front}", f"baton_{front}_renewal")
        self._browser = f"baton_{front}_browser"
        self._settings = settings
        self._verifier = verifier
        self._renewals = Renewals()

    def open(self, request: falcon.Request, trace_id: str) -> Session:
        """Return the visitor's session, renewed if it has expired."""
        access, refresh = (_cookie(request, name) for name in self._names)
        session = Session(access=access or (None if refresh else _cookie(request, "access_token")), refresh=refresh)
        session.browser = _cookie(request, self._browser) or ""
        if len(session.browser) != 32:
            session.browser, session.changed = secrets.token_hex(16), True
        session.principal = self._principal(session.access)
        if session.principal is ANONYMOUS and refresh:
            self._renew(session, trace_id)
        return session

    def start(self, session: Session, tokens: dict[str, Any]) -> None:
        """Sign the visitor in with the tokens that auth gave."""
        session.access, session.refresh, session.changed = tokens["access_token"], tokens["refresh_token"], True
        session.principal = self._principal(session.access)

    def end(self, session: Session) -> None:
        """Sign the visitor out of this front."""
        session.access = session.refresh = None
        session.principal, session.changed = ANONYMOUS, True

    def write(self, response: falcon.Response, session: Session) -> None:
        """Set or remove the cookies where the session changed."""
        if not session.changed:
            return
        for name, value in zip(self._names, (session.access, session.refresh), strict=True):
            self._set(response, name, value)
        self._set(response, self._browser, session.browser)

    def _set(self, response: falcon.Response, name: str, value: str | None) -> None:
        response.set_cookie(
            name,
            value or "",
            max_age=COOKIE_SECONDS if value else None,
            expires=None if value else _LONG_AGO,
            path="/",
            secure=self._settings.production,
            http_only=True,
            same_site="Lax",
        )

    def _principal(self, token: str | None) -> Principal:
        if token is None:
            return ANONYMOUS
        try:
            return self._verifier.principal(token, time.time() + RENEW_BEFORE)
        except (TokenError, KeysUnavailableError):
            return ANONYMOUS

    def _renew(self, session: Session, trace_id: str) -> None:
        services = Services(self._settings, None, trace_id)
        assert session.refresh is not None
        try:
            self.start(session, self._renewals.renew(session.refresh, services))
        except ServiceRefusedError:
            self.end(session)
        except ServiceAwayError:
            # The session may still be good; the page says that auth is away.
            pass


class Renewals:
    """
    Renews each refresh token once, however many requests of a browser find at the same moment that theirs has expired.

    Auth takes a refresh token that is used twice for stolen and ends the session: those who come second get what the first got.
    """

    #: How long an answer is given again, in seconds: as long as requests sent before the new cookies arrived may take.
    KEPT_SECONDS = 60.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def renew(self, refresh: str, services: Services) -> dict[str, Any]:
        """Return the tokens that follow a refresh token; raises what the call raises."""
        with self._lock:
            turn = self._turns.setdefault(refresh, threading.Lock())
        try:
            with turn:
                kept = self._kept.get(refresh)
                if kept is not None:
                    return kept[1]
                tokens: dict[str, Any] = services.post("auth", "/api/v1/refresh", {"refresh_token": refresh})
                self._kept[refresh] = (time.monotonic(), tokens)
                return tokens
        finally:
            with self._lock:
                self._turns.pop(refresh, None)
                horizon = time.monotonic() - self.KEPT_SECONDS
                for old in [key for key, (at, _) in self._kept.items() if at < horizon]:
                    del self._kept[old]


def csrf_token(settings: Settings, session: Session) -> str:
    """Return what forms of this browser and person must carry: worthless to anybody else."""
    bound = f"{session.browser}:{session.principal.subject}".encode()
    return hmac.new(settings.service_secret.encode(), b"csrf:" + bound, hashlib.sha256).hexdigest()[:40]


def _cookie(request: falcon.Request, name: str) -> str | None:
    values = request.get_cookie_values(name)
    return values[0] if values and len(values) == 1 and values[0] else None
