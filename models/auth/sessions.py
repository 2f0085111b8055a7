"""Sessions: refresh tokens and their families as rows. Tokens are kept as SHA-256 only: they are random, so that is enough."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from baton.models.auth.tables import RefreshFamily, RefreshToken, for_update

#: Ended families swept with each new session: enough to keep up, too few to be noticed.
SWEPT_PER_SESSION = 100


def start(kind: str, subject_id: int, now: datetime, family_expires_at: datetime, token_expires_at: datetime) -> str:
    """Return the first refresh token of a new family."""
    _sweep(now)
    family = RefreshFamily.create(subject_kind=kind, subject_id=subject_id, created_at=now, expires_at=family_expires_at)
    return issue(family, now, token_expires_at)


def issue(family: RefreshFamily, now: datetime, expires_at: datetime) -> str:
    """Return a new refresh token of the family."""
    token = secrets.token_urlsafe(32)
    RefreshToken.insert(family=family.id, token_hash=digest(token), issued_at=now, expires_at=expires_at).execute()
    return token


def presented(token: str) -> tuple[RefreshToken, RefreshFamily] | None:
    """
    Return a presented token and its family, both locked until the transaction ends, or None if nobody knows it.

    The family is locked first and then the token read: of two requests with the same token, the second sees it used.
    """
    family_id = RefreshToken.select(RefreshToken.family).where(RefreshToken.token_hash == digest(token)).scalar()
    if family_id is None:
        return None
    family = for_update(RefreshFamily.select().where(RefreshFamily.id == family_id)).first()
    row = RefreshToken.get_or_none(RefreshToken.token_hash == digest(token))
    return (row, family) if row is not None and family is not None else None


def use_up(token: RefreshToken, now: datetime) -> None:
    """Mark a token used. The caller holds its family's lock."""
    RefreshToken.update(used_at=now).where(RefreshToken.id == token.id).execute()


def end(family: RefreshFamily, now: datetime, why: str) -> None:
    """End a family: none of its tokens counts any more. The first reason stays."""
    RefreshFamily.update(revoked_at=now, revoked_why=why).where(
        RefreshFamily.id == family.id, RefreshFamily.revoked_at.is_null()
    ).execute()


def end_all(kind: str, subject_id: int, now: datetime, why: str) -> None:
    """End every session of a person."""
    RefreshFamily.update(revoked_at=now, revoked_why=why).where(
        RefreshFamily.subject_kind == kind, RefreshFamily.subject_id == subject_id, RefreshFamily.revoked_at.is_null()
    ).execute()


def digest(token: str) -> str:
    """Return the form in which a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _sweep(now: datetime) -> None:
    expired = RefreshFamily.select(RefreshFamily.id).where(RefreshFamily.expires_at < now).limit(SWEPT_PER_SESSION)
    RefreshFamily.delete().where(RefreshFamily.id.in_(expired)).execute()
