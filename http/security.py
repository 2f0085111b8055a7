"""
Who calls, and whether a browser was tricked into calling.

A token comes as `Authorization: Bearer` or in the cookie `access_token`. Browsers send cookies along with requests that other
sites start, so a write that relies on a cookie must prove where it comes from: by an `Origin` of ours, or, where none is sent, by
the header `X-CSRF-Token` (any value: a foreign page cannot set it without a preflight, which nobody here grants). The cookie is
SameSite besides. A write with a foreign `Origin` and no bearer token is refused even without a cookie: nobody is signed in
unawares. Bearer tokens need none of this.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import falcon

from baton.http.operations import WRITES, Call, Rate
from baton.http.problems import Forbidden, Problem, Unauthorized, unavailable
from baton.http.tokens import InvalidTokenError, KeysUnavailableError, TokenError, TokenExpiredError, Verifier
from baton.models.settings import SERVICES, Settings
from baton.pipelines.permissions import ANONYMOUS, PERMISSIONS, Principal, may

ACCESS_COOKIE = "access_token"
CSRF_HEADER = "X-CSRF-Token"

#: Sent with every answer. Answers are data: nothing in them may run, be framed or be kept by a shared cache.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def authenticate(call: Call, verifier: Verifier) -> Principal:
    """
    Return who calls. Public operations take whoever cannot be identified as anonymous.

    Raises:
        Unauthorized: "token expired" or "invalid token". Problem 503: no key is known to check the token with.
    """
    public = PERMISSIONS[call.operation.permission].public
    try:
        token = _token(call)
        return ANONYMOUS if token is None else verifier.principal(token, time.time())
    except (TokenError, KeysUnavailableError) as error:
        if public:
            return ANONYMOUS
        if isinstance(error, KeysUnavailableError):
            raise unavailable("the authentication service") from error
        if isinstance(error, TokenExpiredError):
            raise Unauthorized("token expired", "renew it or sign in again", "token-expired") from error
        raise Unauthorized("invalid token", "the token is not one that this system signed", "invalid-token") from error


def _token(call: Call) -> str | None:
    header: str | None = call.request.env.get("HTTP_AUTHORIZATION")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise InvalidTokenError
        return token.strip()
    return call.cookie(ACCESS_COOKIE) if "HTTP_COOKIE" in call.request.env else None


def authorize(call: Call) -> None:
    """Raise unless the permission table lets the caller in: 401 for nobody, 403 for somebody."""
    if not may(call.principal, call.operation.permission):
        if call.principal.kind == "anonymous":
            raise Unauthorized(detail="send a bearer token or sign in")
        raise Forbidden()


def trusted_hosts(settings: Settings) -> frozenset[str]:
    """Return the `host:port` of every front of ours, whose pages may send writes."""
    return frozenset(urlsplit(settings.url(service)).netloc for service in SERVICES)


def check_origin(call: Call, trusted: frozenset[str]) -> None:
    """Raise Forbidden when a write may have been started by another site's page (see the module's text)."""
    env = call.request.env
    if (call.operation.method not in WRITES and call.operation.live != "socket") or "HTTP_AUTHORIZATION" in env:
        return
    origin = env.get("HTTP_ORIGIN")
    if origin is not None:
        if _netloc(origin) not in trusted | {env.get("HTTP_HOST", "")}:
            raise Forbidden("the request comes from another site's page", reason="origin")
    elif "HTTP_COOKIE" in env and not env.get("HTTP_X_CSRF_TOKEN"):
        raise Forbidden(f"a write with a cookie needs an Origin or the header {CSRF_HEADER}", reason="csrf")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc or "null"
    except ValueError:
        return "null"


class RateLimiter:
    """Counts requests per caller in a sliding pair of windows. One process knows only its own callers."""

    #: Callers remembered at most; beyond that everybody starts afresh.
    CALLERS = 20_000

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._counts: dict[str, tuple[int, int, int]] = {}

    def check(self, caller: str, now: float) -> None:
        """Count one request of the caller at `now` seconds; raises a 429 with Retry-After when it is one too many."""
        window, passed = divmod(now, self._rate.seconds)
        number, before, count = self._counts.get(caller, (int(window), 0, 0))
        if number != int(window):
            before, count = (count if number == int(window) - 1 else 0), 0
        share_left = 1 - passed / self._rate.seconds
        if before * share_left + count >= self._rate.requests:
            wait = max(1, round(self._rate.seconds - passed))
            raise Problem(
                429,
                "too-many-requests",
                "too many requests",
                f"at most {self._rate.requests} per {self._rate.seconds:g} s",
                headers={"Retry-After": str(wait)},
            )
        if len(self._counts) >= self.CALLERS:
            self._counts.clear()
        self._counts[caller] = (int(window), before, count + 1)


def refuse_unreadable_path(request: falcon.Request) -> None:
    """Raise unless the path is UTF-8 without control characters."""
    raw: str = request.env.get("PATH_INFO", "")
    if raw.isascii() and raw.isprintable():
        return
    try:
        text = raw.encode("latin-1").decode("utf-8")
    except ValueError:
        raise Problem(400, "bad-request", "the request cannot be read", "the path is not UTF-8") from None
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise Problem(422, "invalid-fields", "invalid fields", "the path holds control characters", errors=[
            {"field": "path", "message": "must not contain control characters", "type": "unstorable_text"}
        ])
