"""How mail stands, for health and metrics: what failed, what waits too long, and the breakers around the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import peewee as pw
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily

from baton.http.health import Check
from baton.models import database as db
from baton.models.database import DatabaseUnavailableError, read_tx
from baton.models.notifications import breaker_store, failure_store
from baton.models.settings import get_settings
from baton.pipelines.breaker import CLOSED, HALF_OPEN, OPEN, Circuit, state_of

#: How long the oldest due mail has waited when health is degraded, and when it fails, in seconds.
OVERDUE_WARN_SECONDS, OVERDUE_FAIL_SECONDS = 120.0, 600.0
_SERVICE = "notifications"
_LEVELS: Mapping[str, int] = {CLOSED: 0, HALF_OPEN: 1, OPEN: 2}


def check_mail(database: pw.Database) -> Check:
    """Return how mails stand: degraded while some wait for a person, failing when none has left for ten minutes."""
    figures = failure_store.figures(db.now(_SERVICE))
    overdue = figures["overdue_seconds"]
    stalled = "failing" if overdue > OVERDUE_FAIL_SECONDS else "degraded" if overdue > OVERDUE_WARN_SECONDS else "ok"
    status = "degraded" if stalled == "ok" and figures["failed"] else stalled
    return {
        "status": status,
        "failed": int(figures["failed"]),
        "retrying": int(figures["retrying"]),
        "overdue_seconds": round(overdue, 1),
    }


def check_breakers(database: pw.Database) -> Check:
    """Return the state of each breaker; degraded unless all are closed."""
    found = {row["name"]: _facts(row) for row in _rows()}
    closed = all(facts["state"] == CLOSED for facts in found.values())
    return {"status": "ok" if closed else "degraded", "breakers": found}


def _rows() -> list[Mapping[str, Any]]:
    """Return every breaker there is or may be: that of auth, that of the way out for mails, and any that was ever touched."""
    touched = {row["name"]: row for row in breaker_store.read_all()}
    names = sorted({"auth", get_settings().mail.transport, *touched})
    return [touched.get(name, {**breaker_store.UNTOUCHED, "name": name}) for name in names]


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    state = state_of(_circuit(row))
    facts: dict[str, Any] = {"state": state, "failures": row["failures"]}
    if state != CLOSED:
        facts |= {"opened_at": row["opened_at"].isoformat(), "error": row["error"]}
    return facts


def _circuit(row: Mapping[str, Any]) -> Circuit:
    return Circuit(**{field.name: row[field.name] for field in fields(Circuit)})


class MailFigures:
    """Reads the figures about mail from the tables when Prometheus asks; none while the database cannot be reached."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: the figures are known when they are read."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the state of each breaker, and how many mails failed and how long the oldest due one has waited."""
        try:
            with read_tx(_SERVICE):
                rows, figures = _rows(), failure_store.figures(db.now(_SERVICE))
        except (DatabaseUnavailableError, pw.PeeweeException, AttributeError):  # the last: no database is configured yet
            return
        family = GaugeMetricFamily("baton_breaker_state", "Circuit breakers: 0 closed, 1 half-open, 2 open", labels=["name"])
        for row in rows:
            family.add_metric([row["name"]], _LEVELS[state_of(_circuit(row))])
        yield family
        for name, text in (
            ("failed", "Mails that failed and wait for a person (counted up to 10,000)"),
            ("retrying", "Mails that failed and are tried again (counted up to 10,000)"),
            ("overdue_seconds", "How long the oldest due mail has waited"),
        ):
            yield GaugeMetricFamily(f"baton_mail_{name}", text, value=figures[name])


CHECKS = {"mail": check_mail, "breakers": check_breakers}
_registered: list[MailFigures] = []


def register_figures() -> None:
    """Add the figures to this process's metrics, once."""
    if not _registered:
        _registered.append(MailFigures())
        REGISTRY.register(_registered[0])
