"""The circuit breakers as they are stored: one row per outside service, shared by every process of this service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from baton.models.notifications.email_tables import CircuitBreaker
from baton.models.transaction import Transaction

#: A breaker that nobody has written yet: closed.
UNTOUCHED: Mapping[str, Any] = {"failures": 0, "opened_at": None, "trial_at": None, "error": ""}


def read(name: str) -> Mapping[str, Any]:
    """Return a breaker's row as columns by name."""
    return CircuitBreaker.select().where(CircuitBreaker.name == name).dicts().first() or UNTOUCHED


def read_all() -> list[dict[str, Any]]:
    """Return every breaker that was ever written, by name. There are as many as there are outside services."""
    query: Any = CircuitBreaker.select().order_by(CircuitBreaker.name).dicts()
    return list(query)


def lock(tx: Transaction, name: str) -> Mapping[str, Any]:
    """Return a breaker's row; nobody else changes it until the commit."""
    # An update that changes nothing locks the row on either database; the insert makes sure that there is one.
    row = CircuitBreaker.insert(name=name, changed_at=tx.now)
    row.on_conflict(conflict_target=[CircuitBreaker.name], update={CircuitBreaker.name: name}).execute()
    return read(name)


def store(
    tx: Transaction, name: str, *, failures: int, opened_at: datetime | None, trial_at: datetime | None, error: str
) -> None:
    """The locked breaker stands like this from now on."""
    values = {"failures": failures, "opened_at": opened_at, "trial_at": trial_at, "error": error, "changed_at": tx.now}
    CircuitBreaker.update(values).where(CircuitBreaker.name == name).execute()
