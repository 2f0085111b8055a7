"""
The relay: takes what the services' outboxes hold to the broker, in order, and removes what the broker has stored.

One loop per service, so that one database's trouble stays its own. A loop is woken by a commit of this process, by PostgreSQL's
NOTIFY or by SQLite's data version, and looks by itself every second besides. What was published and not yet removed when a
process died is published again: at least once, which every receiver is made for. Rows and receivers know no wire format; the
encoding happens here, on the way out.

On PostgreSQL several relays share the work (rows are locked, others skip them). On SQLite one publishes and the others stand by.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import dramatiq
import structlog
from prometheus_client import Counter, Gauge

from baton.actors.broker_api import BatonBroker, BrokerUnavailableError, WireMessage
from baton.actors.heartbeat import beat
from baton.actors.relay_wakeup import DataVersion, SingleRelay, listen
from baton.actors.wire import encode
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, Settings
from baton.models.wake import subscribe, unsubscribe

#: Messages per transaction. More publishes faster and holds row locks longer; above 500 nothing is gained.
BATCH = 500
#: How long to sleep between looks when nothing wakes the loop: PostgreSQL (NOTIFY is the rule) and SQLite (polled cheaply).
SWEEP_SECONDS = 1.0
POLL_SECONDS = 0.05
#: Pauses after a failure, from the first to the longest, doubling.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
HEARTBEAT_SECONDS = 5.0
_COLUMNS = ("id", "queue", "name", "kwargs", "envelope", "created_at")
#: Written out: every message passes here, and building the statement would take longer than running it.
_REMOVE = f"""delete from outbox where id in (select id from outbox order by id limit %s for update skip locked)
returning {", ".join(_COLUMNS)}"""

PUBLISHED = Counter("baton_relay_published_total", "Messages taken from the outbox to the broker", ["service"])
FAILURES = Counter("baton_relay_failures_total", "Batches that could not be published or removed", ["service"])
LAG = Gauge("baton_relay_lag_seconds", "Age of the newest message published last, at that moment", ["service"])
log = structlog.get_logger("baton.relay")


def run(
    settings: Settings,
    services: Sequence[str] = SERVICES,
    stop: threading.Event | None = None,
    broker: BatonBroker | None = None,
) -> None:
    """Relay the services' messages until `stop` is set."""
    stop = stop or threading.Event()
    publishing: Any = broker or dramatiq.get_broker()
    urls = {settings.database_url(service) for service in services}
    threads = [threading.Thread(target=listen, args=(url, stop), daemon=True) for url in urls if not url.startswith("sqlite")]
    threads += [
        threading.Thread(target=ServiceRelay(settings, service, publishing).run, args=(stop,), daemon=True)
        for service in services
    ]
    for thread in threads:
        thread.start()
    log.info("relay_started", services=list(services))
    for thread in threads:
        # A bare join cannot be interrupted by signals everywhere.
        while thread.is_alive():
            thread.join(timeout=1.0)


class ServiceRelay:
    """The relay of one service's outbox."""

    def __init__(self, settings: Settings, service: str, broker: BatonBroker) -> None:
        self.service = service
        self._settings = settings
        self._broker = broker
        self._outbox = runtime_tables(service).Outbox
        self._last_beat = 0.0

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, pausing longer and longer while the database or the broker is away."""
        woken = subscribe(f"outbox:{self.service}")
        sqlite = self._settings.database_url(self.service).startswith("sqlite")
        changes = DataVersion(self._settings, self.service) if sqlite else None
        right = SingleRelay(self._settings, self.service) if sqlite else None
        pause = FIRST_PAUSE
        try:
            while not stop.is_set():
                try:
                    self._beat("" if right is None or right.hold() else "standing by")
                    if right is None or right.hold():
                        woken.clear()
                        self._drain(stop)
                    pause = FIRST_PAUSE
                    _wait(woken, changes, stop)
                except Exception as error:
                    # Whatever it is, the messages are still there and this loop is their only way out.
                    FAILURES.labels(self.service).inc()
                    expected = isinstance(error, (BrokerUnavailableError, db.DatabaseUnavailableError))
                    report = log.warning if expected else log.exception
                    report("relay_waits", service=self.service, reason=str(error).strip(), pause_seconds=pause)
                    stop.wait(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            unsubscribe(woken)
            for held in (changes, right):
                if held is not None:
                    held.close()

    def relay_batch(self) -> int:
        """
        Publish the oldest messages and remove them; return how many.

        Raises:
            BrokerUnavailableError, DatabaseUnavailableError: the messages stay in the outbox.
        """
        if db.is_sqlite(db.service_database(self.service)):
            rows = self._publish_then_remove()
        else:
            rows = self._remove_while_publishing()
        if rows:
            PUBLISHED.labels(self.service).inc(len(rows))
            LAG.labels(self.service).set(max(0.0, (db.now(self.service) - rows[-1]["created_at"]).total_seconds()))
        return len(rows)

    def _remove_while_publishing(self) -> list[dict[str, Any]]:
        # Locked rows are invisible to other relays; if publishing fails, the rollback brings them back.
        with db.write_lock(self.service) as database:
            removed = database.execute_sql(_REMOVE, (BATCH,)).fetchall()
            rows = [dict(zip(_COLUMNS, row, strict=True)) for row in sorted(removed)]
            for row in rows:
                row["created_at"] = row["created_at"].replace(tzinfo=UTC)
            self._publish(rows)
        return rows

    def _publish_then_remove(self) -> list[dict[str, Any]]:
        # SQLite has one writer: nothing may be waited for under its lock.
        outbox = self._outbox
        with db.read_tx(self.service):
            rows = list(outbox.select().order_by(outbox.id).limit(BATCH).dicts())
        if rows:
            self._publish(rows)
            with db.write_lock(self.service):
                outbox.delete().where(outbox.id.in_([row["id"] for row in rows])).execute()
        return rows

    def _publish(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._broker.publish([self._encoded(row) for row in rows])

    def _encoded(self, row: dict[str, Any]) -> WireMessage:
        return encode(row["queue"], row["name"], row["kwargs"], row["envelope"], self._settings.celery_queues)

    def _drain(self, stop: threading.Event) -> None:
        while self.relay_batch() == BATCH and not stop.is_set():
            self._beat("")

    def _beat(self, detail: str) -> None:
        if time.monotonic() - self._last_beat >= HEARTBEAT_SECONDS:
            self._last_beat = time.monotonic()
            beat(self.service, "relay", detail)


def _wait(woken: threading.Event, changes: DataVersion | None, stop: threading.Event) -> None:
    """Return when there may be new messages, `stop` is set, or a sweep is due."""
    deadline = time.monotonic() + SWEEP_SECONDS
    while not stop.is_set() and time.monotonic() < deadline:
        if woken.wait(POLL_SECONDS) or (changes is not None and changes.changed()):
            return
