"""
Signing in: who is let in to try, and who has to wait.

1. Failures are counted for the account that was named (whether it exists or not) and for the address it came from.
2. A few failures are free: people mistype. After them every further failure doubles the wait, up to a quarter of an hour.
3. Whoever has to wait is told for how long. Trying meanwhile neither helps nor prolongs the wait.
4. Failures are forgiven one by one as time passes, so that a large office behind one address, where somebody always mistypes,
   does not add up to a wait for all. Signing in clears the account's count at once, never the address's (otherwise a guesser
   with one account of their own could clear it between guesses).

Waiting instead of locking: nobody can lock a colleague out by failing on purpose for longer than the wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A limit: failures that cost nothing, the first wait after them, the longest wait, the time that forgives one (seconds)."""

    free: int
    first_wait_seconds: float
    longest_wait_seconds: float
    forgiven_after_seconds: float


@dataclass(frozen=True, slots=True)
class Failures:
    """What is known of a key: failures not yet forgiven when the last one was counted, and when that was (None: never)."""

    count: float = 0.0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an attempt may be made now; if not, `scope` says whose limit it is and `wait_seconds` (1 or more) how long."""

    admitted: bool
    wait_seconds: int = 0
    scope: str = ""


#: Five mistakes, then waits that settle at one guess in five minutes. Fewer free ones annoy, more help guessers.
ACCOUNT = Throttle(free=5, first_wait_seconds=15, longest_wait_seconds=900, forgiven_after_seconds=300)
#: A whole office may share one address: four mistakes a minute are forgiven for ever.
ADDRESS = Throttle(free=20, first_wait_seconds=2, longest_wait_seconds=900, forgiven_after_seconds=15)
LIMITS = {"account": ACCOUNT, "address": ADDRESS}


def admit(known: dict[str, Failures], now: datetime) -> Admission:
    """Decide whether an attempt may be made, from the failures known by scope; the longest wait counts."""
    waits = {scope: wait_seconds(LIMITS[scope], failures, now) for scope, failures in known.items()}
    scope = max(waits, key=lambda name: waits[name], default="")
    if not scope or waits[scope] == 0:
        return Admission(True)
    return Admission(False, waits[scope], scope)


def wait_seconds(limit: Throttle, failures: Failures, now: datetime) -> int:
    """Return how many whole seconds (rounded up) remain to wait; 0 when an attempt may be made."""
    if failures.last_at is None or failures.count < limit.free:
        return 0
    # The exponent is capped so that a long series cannot overflow a float.
    wait = min(limit.longest_wait_seconds, limit.first_wait_seconds * 2 ** min(failures.count - limit.free, 30))
    remaining = (failures.last_at + timedelta(seconds=wait) - now).total_seconds()
    return max(0, math.ceil(remaining))


def after_failure(scope: str, failures: Failures, now: datetime) -> Failures:
    """Return the count after one more failure: what is left of the earlier ones, and this one."""
    if failures.last_at is None:
        return Failures(1.0, now)
    passed = max(0.0, (now - failures.last_at).total_seconds())
    left = max(0.0, failures.count - passed / LIMITS[scope].forgiven_after_seconds)
    return Failures(left + 1.0, now)
