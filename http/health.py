"""
Health of a service: whether it lives, and how each thing it needs stands.

`ok`: all well. `degraded`: requests are served, but something waits that a person should see (a broker that cannot be reached,
dead letters, an old outbox). `failing`: requests cannot be served, or messages have not left for a long time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import dramatiq.broker
import peewee as pw
import structlog

import baton
from baton.models import database as db
from baton.models.database import DatabaseUnavailableError, is_sqlite, read_tx
from baton.models.runtime import runtime_tables
from baton.models.settings import Settings
from baton.pipelines.messages import CATALOGUE

#: A relay beats every few seconds; silent for so long, it counts as gone.
SILENT_SECONDS = 30.0
#: Age of the oldest outbox row at which health is degraded, and at which it fails, in seconds.
OUTBOX_WARN_SECONDS = 30.0
OUTBOX_FAIL_SECONDS = 600.0
#: How long the oldest message of a queue has waited, or a queue with messages has had no consumer, when health is degraded, and
#: when it fails, in seconds. Deploying takes less than the first.
STALLED_WARN_SECONDS, STALLED_FAIL_SECONDS = 120.0, 600.0
#: Counting stops here: the answer "many" must not cost a scan of a million rows.
MOST_COUNTED = 10_000
#: How long what a broker said about its queues is reused, in seconds.
QUEUE_STATES_SECONDS = 5.0

Check = dict[str, Any]
#: A service's own check: reads its tables, returns `{"status": "ok|degraded|failing", ...facts}`.
ServiceCheck = Callable[[pw.Database], Check]

_queue_states: dict[str, tuple[float, list[Any] | None]] = {}
#: When this process first saw a queue with messages and no consumer, by queue: RabbitMQ does not tell the age of a message.
_unattended_since: dict[str, float] = {}
log = structlog.get_logger("baton.health")


def health(service: str, settings: Settings, own: Mapping[str, ServiceCheck], keys: Any = None) -> Check:
    """Return the health document: `status`, and `checks` with the state of each dependency."""
    checks: dict[str, Check] = {}
    try:
        with read_tx(service) as database:
            checks["database"] = {"status": "ok", "kind": "sqlite" if is_sqlite(database) else "postgresql"}
            checks.update(runtime_checks(service, database))
            for name, check in own.items():
                checks[name] = check(database)
    except (DatabaseUnavailableError, pw.PeeweeException) as error:
        log.warning("health_database", reason=str(error)[:200])
        checks["database"] = {"status": "failing", "reason": "cannot be reached, or lacks its tables"}
    checks["broker"] = broker_check(service, settings)
    state = getattr(keys, "state", None)
    if state is not None:
        checks["auth"] = state()
    return {
        "status": worst(check["status"] for check in checks.values()),
        "service": service,
        "version": baton.__version__,
        "checks": checks,
    }


def worst(statuses: Any) -> str:
    """Return the worst of several statuses."""
    order = ("ok", "degraded", "failing")
    return max(statuses, key=order.index, default="ok")


def runtime_checks(service: str, database: pw.Database) -> dict[str, Check]:
    """Return how the outbox, the deferred messages and the relay stand."""
    figures = runtime_figures(service)
    age = figures["outbox_age_seconds"]
    silent = figures["relay_silent_seconds"]
    outbox = "failing" if age > OUTBOX_FAIL_SECONDS else "degraded" if age > OUTBOX_WARN_SECONDS else "ok"
    # Only a service that announces something needs the relay.
    quiet = figures["outbox_rows"] == 0
    if silent is None:
        relay: Check = {"status": "ok" if quiet else "degraded", "reason": "no relay has been seen yet"}
    else:
        relay = {"status": "ok" if silent <= SILENT_SECONDS else "degraded", "seen_seconds_ago": round(silent, 1)}
    return {
        "outbox": {"status": outbox, "rows": figures["outbox_rows"], "oldest_seconds": round(age, 1)},
        "deferred": {
            "status": "degraded" if figures["deferred_overdue_seconds"] > OUTBOX_WARN_SECONDS else "ok",
            "rows": figures["deferred_rows"],
            "overdue_seconds": round(figures["deferred_overdue_seconds"], 1),
        },
        "relay": relay,
    }


def runtime_figures(service: str) -> dict[str, Any]:
    """Return counts (up to MOST_COUNTED) and ages of the runtime's tables, within an open transaction of the service."""
    tables = runtime_tables(service)
    now = db.now(service)

    def age(query: Any) -> float:
        instant = query.limit(1).scalar()
        return max(0.0, (now - instant).total_seconds()) if instant is not None else 0.0

    beat = tables.Heartbeat.select(tables.Heartbeat.seen_at).where(tables.Heartbeat.kind == "relay")
    seen_at = beat.order_by(tables.Heartbeat.seen_at.desc()).limit(1).scalar()
    return {
        "outbox_rows": tables.Outbox.select(tables.Outbox.id).limit(MOST_COUNTED).count(),
        "outbox_age_seconds": age(tables.Outbox.select(tables.Outbox.created_at).order_by(tables.Outbox.id)),
        "deferred_rows": tables.DeferredMessage.select(tables.DeferredMessage.id).limit(MOST_COUNTED).count(),
        "deferred_overdue_seconds": age(
            tables.DeferredMessage.select(tables.DeferredMessage.due_at).order_by(tables.DeferredMessage.due_at)
        ),
        "relay_silent_seconds": (now - seen_at).total_seconds() if seen_at is not None else None,
    }


def broker_check(service: str, settings: Settings) -> Check:
    """Return whether the broker can be reached, with this service's queues and their dead letters where known."""
    if settings.broker_url.startswith("amqp") and not reachable(settings.broker_url):
        return {"status": "degraded", "kind": "rabbitmq", "reason": "cannot be reached; messages wait in the outbox"}
    kind = "embedded" if settings.embedded_broker else "rabbitmq"
    states = queue_states(service)
    if states is None:
        return {"status": "ok", "kind": kind}
    dead = sum(state.dead for state in states)
    queues = {
        state.queue: {"ready": state.ready, "consumers": state.consumers, "dead_letters": state.dead} for state in states
    }
    stalled = max((stalled_seconds(state, time.monotonic()) for state in states), default=0.0)
    if stalled > STALLED_WARN_SECONDS:
        status = "failing" if stalled > STALLED_FAIL_SECONDS else "degraded"
        reason = f"messages have waited for {stalled:.0f} seconds: is `baton worker {service}` running?"
        return {"status": status, "reason": reason, "kind": kind, "dead_letters": dead, "queues": queues}
    return {"status": "degraded" if dead else "ok", "kind": kind, "dead_letters": dead, "queues": queues}


def stalled_seconds(state: Any, now: float) -> float:
    """Return how long messages of a queue have waited at least, as far as is known; `now` is a monotonic clock's."""
    if state.ready and not state.consumers:
        alone = now - _unattended_since.setdefault(state.queue, now)
    else:
        _unattended_since.pop(state.queue, None)
        alone = 0.0
    return max(alone, state.oldest_seconds or 0.0) if state.ready else 0.0


def reachable(url: str, timeout: float = 1.0) -> bool:
    """Whether something accepts connections at a URL's host and port."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "localhost", parts.port or 5672), timeout).close()
    except (OSError, ValueError):
        return False
    return True


def queue_states(service: str) -> list[Any] | None:
    """
    Return how the queues that a service consumes stand (`broker_api.QueueState`), at most a few seconds old; None if unknown.

    The process's Dramatiq broker is asked, whichever it is: fronts know no broker by name.
    """
    known = _queue_states.get(service)
    if known is not None and time.monotonic() - known[0] < QUEUE_STATES_SECONDS:
        return known[1]
    ask = getattr(dramatiq.broker.global_broker, "queue_states", None)
    states: list[Any] | None = None
    if ask is not None:
        queues = sorted({message.queue for message in CATALOGUE.values() if message.receiver == service})
        try:
            states = list(ask(queues))
        except Exception as error:  # a broker that is down must not take the health answer with it
            log.warning("queue_states_unknown", reason=str(error)[:200])
    _queue_states[service] = (time.monotonic(), states)
    return states
