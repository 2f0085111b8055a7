"""
The circuit breaker around calls to the outside: a server that is down is not called again and again.

1. Closed: calls are made. FAILURES_TO_OPEN failures in a row open it.
2. Open: no call is made for OPEN_SECONDS.
3. Half-open: then one call is let through, the trial. It closes the breaker or opens it anew. A trial that nobody reports on
   (its process died) is followed by another after OPEN_SECONDS.

A failure is a server that does not answer or says that it cannot work; one that refuses a single request has answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: Failures in a row that open a breaker (contracts, section 5).
FAILURES_TO_OPEN = 5
#: How long an open breaker lets nothing through, in seconds (contracts, section 5).
OPEN_SECONDS = 60

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
_PAUSE = timedelta(seconds=OPEN_SECONDS)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A breaker as it stands: failures in a row, when it last opened (None: closed), when its trial began (None: none runs)."""

    failures: int = 0
    opened_at: datetime | None = None
    trial_at: datetime | None = None


def state_of(circuit: Circuit) -> str:
    """Return `closed`, `open`, or `half-open` while a trial is out."""
    if circuit.opened_at is None:
        return CLOSED
    return OPEN if circuit.trial_at is None else HALF_OPEN


def next_call_at(circuit: Circuit) -> datetime | None:
    """Return when the next call may be made; None: at any time."""
    if circuit.opened_at is None:
        return None
    return max(filter(None, (circuit.opened_at, circuit.trial_at))) + _PAUSE


def ask(circuit: Circuit, now: datetime) -> Circuit | None:
    """Return the breaker as it stands once a call is made now; None: no call may be made."""
    due = next_call_at(circuit)
    if due is None:
        return circuit
    return replace(circuit, trial_at=now) if now >= due else None


def succeed(circuit: Circuit) -> Circuit:
    """Return the breaker after a call that was answered: closed."""
    return Circuit()


def fail(circuit: Circuit, now: datetime) -> Circuit:
    """Return the breaker after a call that failed. One that began before it opened prolongs nothing."""
    failures = circuit.failures + 1
    if circuit.opened_at is not None:
        if circuit.trial_at is None:
            return circuit
        return Circuit(failures, opened_at=now)
    return Circuit(failures, opened_at=now if failures >= FAILURES_TO_OPEN else None)
