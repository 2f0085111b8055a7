"""Counters of failed sign-ins, by account and by address. The rules that read them are in `pipelines.sign_in`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from baton.models.auth.tables import SignInAttempt, fold, for_update

#: Counters untouched for so long say nothing any more.
FORGOTTEN_AFTER = timedelta(days=1)
SWEPT_PER_FAILURE = 50


def key_of(text: str) -> str:
    """Return the key of an account's e-mail address or of a network address."""
    return hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).hexdigest()


def known(keys: Mapping[str, str], *, lock: bool = False) -> dict[str, tuple[float, datetime]]:
    """Return the failures and the last one's time by scope, for `keys` (scope -> key); locked for a change if asked."""
    query = (
        SignInAttempt.select()
        .where(
            ((SignInAttempt.scope == "account") & (SignInAttempt.key == keys.get("account", "")))
            | ((SignInAttempt.scope == "address") & (SignInAttempt.key == keys.get("address", "")))
        )
        .order_by(SignInAttempt.scope)
    )
    rows = for_update(query) if lock else query
    return {row.scope: (row.failures, row.last_failed_at) for row in rows}


def begin(keys: Mapping[str, str], now: datetime) -> None:
    """Make sure each key has a counter, so that it can be locked before it is counted up."""
    rows = [{"scope": scope, "key": keys[scope], "failures": 0, "last_failed_at": now} for scope in sorted(keys)]
    SignInAttempt.insert_many(rows).on_conflict_ignore().execute()


def store(scope: str, key: str, failures: float, last_failed_at: datetime) -> None:
    """Write a counter. The caller holds its lock."""
    SignInAttempt.update(failures=failures, last_failed_at=last_failed_at).where(
        SignInAttempt.scope == scope, SignInAttempt.key == key
    ).execute()


def clear(scope: str, key: str) -> None:
    """Forget a counter."""
    SignInAttempt.delete().where(SignInAttempt.scope == scope, SignInAttempt.key == key).execute()


def sweep(now: datetime) -> None:
    """Delete a few counters that say nothing any more."""
    old = (
        SignInAttempt.select(SignInAttempt.scope, SignInAttempt.key)
        .where(SignInAttempt.last_failed_at < now - FORGOTTEN_AFTER)
        .limit(SWEPT_PER_FAILURE)
    )
    for scope, key in list(old.tuples().execute()):
        clear(scope, key)
