"""
The breakers around this service's calls to the outside: auth, the mail server, SendGrid.

Their state is in the database: every process sees the same, and one trial is made, not one per process. While a breaker is closed
and calls succeed, nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter

from baton.models import database as db
from baton.models.notifications import breaker_store as store
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.breaker import CLOSED, Circuit, ask, fail, next_call_at, state_of, succeed

CALLS = Counter("baton_outside_calls_total", "Calls to outside services: answered, failed or held back", ["name", "outcome"])
_SERVICE = "notifications"
_LONGEST_ERROR = 500
log = structlog.get_logger("baton.breaker")


class HeldBackError(Exception):
    """The breaker is open: no call may be made before `until`."""

    def __init__(self, name: str, until: datetime) -> None:
        super().__init__(f"{name}: calls are held back until {until:%H:%M:%S} UTC, after failures")
        self.name, self.until = name, until


@dataclass(frozen=True, slots=True)
class Permit:
    """The leave to make one call; `trial`: it is the one that half-opens an open breaker."""

    name: str
    trial: bool


def held_back_until(name: str) -> datetime | None:
    """Return until when no call may be made, None when one may be made now. Reserves nothing."""
    with db.read_tx(_SERVICE):
        circuit = _circuit(store.read(name))
    due = next_call_at(circuit)
    return due if due is not None and due > db.now(_SERVICE) else None


def permit(name: str) -> Permit:
    """
    Return the leave to make one call. Report how it went with `note`.

    Raises:
        HeldBackError: the breaker is open, or a trial is being made.
    """
    with db.read_tx(_SERVICE):
        circuit = _circuit(store.read(name))
    if state_of(circuit) == CLOSED:
        return Permit(name, trial=False)
    with write_tx(_SERVICE) as tx:
        row = store.lock(tx, name)
        circuit = _circuit(row)
        asked = ask(circuit, tx.now)
        if asked is not None and asked != circuit:
            _store(tx, name, asked, row["error"])
    if asked is None:
        CALLS.labels(name, "held back").inc()
        until = next_call_at(circuit)
        assert until is not None  # it is open
        raise HeldBackError(name, until)
    return Permit(name, trial=asked.trial_at is not None)


def note(tx: Transaction, permit: Permit, *, answered: bool, error: str = "") -> None:
    """The call that was permitted was answered, or failed."""
    CALLS.labels(permit.name, "answered" if answered else "failed").inc()
    if answered and _circuit(store.read(permit.name)) == Circuit():
        return
    before = _circuit(store.lock(tx, permit.name))
    after = succeed(before) if answered else fail(before, tx.now)
    if after == before:
        return
    _store(tx, permit.name, after, "" if answered else error[:_LONGEST_ERROR])
    if state_of(after) != state_of(before):
        log.warning("breaker", name=permit.name, state=state_of(after), was=state_of(before), failures=after.failures)


def _store(tx: Transaction, name: str, circuit: Circuit, error: str) -> None:
    store.store(tx, name, failures=circuit.failures, opened_at=circuit.opened_at, trial_at=circuit.trial_at, error=error)


def _circuit(row: Mapping[str, Any]) -> Circuit:
    return Circuit(**{field.name: row[field.name] for field in fields(Circuit)})
