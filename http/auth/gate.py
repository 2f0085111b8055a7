"""
The gate before password checks: few at a time, and nobody who failed too often lately.

Failures are looked up again after waiting for a turn, so a rush of guesses made at once gets no further than the same guesses
made one by one (beyond the few that are checked at the same time). A right password is never counted, however many come at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from baton.http.api import Problem
from baton.models.auth import attempts
from baton.models.auth.passwords import PARALLEL_HASHES
from baton.models.database import now, read_tx
from baton.models.transaction import Transaction
from baton.pipelines import sign_in as rules

#: Requests that may wait for a turn in one process. At two checks of 25 ms at a time, the last waits some two seconds.
LONGEST_QUEUE = 128

_turns = threading.BoundedSemaphore(PARALLEL_HASHES)
_waiting: set[object] = set()


def keys_of(address: str, account: str | None) -> dict[str, str]:
    """Return the counters that an attempt concerns: its address's, and the account's it names (None: only the address)."""
    keys = {"address": attempts.key_of(address)}
    if account is not None:
        keys["account"] = attempts.key_of(account)
    return keys


@contextmanager
def turn(keys: Mapping[str, str]) -> Iterator[None]:
    """
    Run the block when it is this attempt's turn.

    Raises:
        Problem: 429 with Retry-After, too many failures; 503, too many are waiting.
    """
    check(keys)
    if len(_waiting) >= LONGEST_QUEUE:
        raise Problem(503, "unavailable", "temporarily unavailable", "too many sign-ins at once", headers={"Retry-After": "2"})
    ticket = object()
    _waiting.add(ticket)
    try:
        with _turns:
            _waiting.discard(ticket)
            check(keys)
            yield
    finally:
        _waiting.discard(ticket)


def check(keys: Mapping[str, str]) -> None:
    """Raise a 429 problem unless an attempt may be made now."""
    with read_tx("auth"):
        failures = {scope: rules.Failures(*found) for scope, found in attempts.known(keys).items()}
        admission = rules.admit(failures, now("auth"))
    if not admission.admitted:
        raise Problem(
            429,
            "too-many-attempts",
            "too many failed attempts",
            f"try again in {admission.wait_seconds} s",
            headers={"Retry-After": str(admission.wait_seconds)},
            retry_after=admission.wait_seconds,
        )


def count_failure(tx: Transaction, keys: Mapping[str, str]) -> None:
    """Count a failed attempt against each key."""
    attempts.begin(keys, tx.now)
    for scope, found in attempts.known(keys, lock=True).items():
        after = rules.after_failure(scope, rules.Failures(*found), tx.now)
        attempts.store(scope, keys[scope], after.count, after.last_at or tx.now)
    attempts.sweep(tx.now)
