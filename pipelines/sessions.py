"""
Sessions: what happens to a refresh token that somebody presents.

1. Unknown or expired: refused; nothing else happens.
2. Known but already used: it was copied. Nobody can tell the thief from the owner, so the whole family ends.
3. Its family was ended (sign-out, reuse, new password), or its owner switched off: refused, and the family ends.
4. Otherwise it is used up and replaced by a new one of the same family, which never outlives the family itself.

Source: RFC 9700 §4.14.2 (refresh token rotation and replay detection).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: However often it is refreshed, a session ends after this time and asks for the password again.
LONGEST_SESSION_SECONDS = 90 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedToken:
    """What is known of a presented refresh token and the family it belongs to."""

    expires_at: datetime
    used_at: datetime | None
    family_expires_at: datetime
    family_revoked_at: datetime | None
    owner_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshDecision:
    """`rotate` with the new token's `expires_at`, or refused: `end_family` says whether the family ends, `why` the reason."""

    rotate: bool
    expires_at: datetime | None = None
    end_family: bool = False
    why: str = ""


def decide_refresh(presented: PresentedToken | None, now: datetime, lifetime_seconds: int) -> RefreshDecision:
    """Decide what follows from presenting a refresh token (None: nobody knows it)."""
    if presented is None:
        return RefreshDecision(rotate=False, why="unknown")
    if presented.family_revoked_at is not None:
        return RefreshDecision(rotate=False, why="session ended")
    # Before expiry: an old token that turns up again is a copy, however old it is.
    if presented.used_at is not None:
        return RefreshDecision(rotate=False, end_family=True, why="reused")
    if now >= min(presented.expires_at, presented.family_expires_at):
        return RefreshDecision(rotate=False, why="expired")
    if not presented.owner_active:
        return RefreshDecision(rotate=False, end_family=True, why="account inactive")
    return RefreshDecision(
        rotate=True, expires_at=token_expiry(now, lifetime_seconds, presented.family_expires_at)
    )


def family_expiry(now: datetime) -> datetime:
    """Return when a session that starts now ends at the latest."""
    return now + timedelta(seconds=LONGEST_SESSION_SECONDS)


def token_expiry(now: datetime, lifetime_seconds: int, family_expires_at: datetime) -> datetime:
    """Return when a refresh token issued now expires."""
    return min(now + timedelta(seconds=lifetime_seconds), family_expires_at)
