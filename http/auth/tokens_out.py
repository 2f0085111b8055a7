"""Handing tokens out: in the answer for programs, and as cookies for browsers."""

from __future__ import annotations

from datetime import datetime

from baton.http.api import Cookie, Reply, View
from baton.http.auth.accounts import SessionView, session_view
from baton.http.auth.signing import access_token
from baton.http.security import ACCESS_COOKIE
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

REFRESH_COOKIE = "refresh_token"
#: The refresh token travels to the endpoints of sessions only, the access token everywhere.
REFRESH_PATH = "/api/v1"


class TokenView(View):
    """What signing in gives. `expires_in` is the access token's life in seconds; a refresh token is used once."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int
    session: SessionView


def token_reply(
    settings: Settings, principal: Principal, refresh_token: str, now: datetime, refresh_expires_at: datetime
) -> Reply:
    """Return the answer that gives a principal its tokens. Needs an open transaction, to read the signing key."""
    token = access_token(principal, settings)
    view = TokenView(
        access_token=token,
        refresh_token=refresh_token,
        expires_in=settings.access_token_seconds,
        session=session_view(principal),
    )
    return Reply(
        view,
        cookies=(
            Cookie(ACCESS_COOKIE, token, settings.access_token_seconds),
            Cookie(REFRESH_COOKIE, refresh_token, int((refresh_expires_at - now).total_seconds()), path=REFRESH_PATH),
        ),
    )


def forgotten() -> tuple[Cookie, Cookie]:
    """Return the cookies that remove both tokens from a browser."""
    return (Cookie(ACCESS_COOKIE, "", 0), Cookie(REFRESH_COOKIE, "", 0, path=REFRESH_PATH))
