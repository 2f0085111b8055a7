"""
The durable broker of embedded runs: a Dramatiq broker on one SQLite file, for any number of processes on one machine.

A message is a row until the transaction that handled it has committed. A consumer claims rows for a lease that its process
keeps extending; when the process dies, another takes the rows over. Delivery is at least once, in order of arrival as far as
one process goes. Dead letters stay until somebody requeues or purges them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dramatiq
import structlog
from dramatiq.errors import ConnectionClosed, QueueJoinTimeout, QueueNotFound

from baton.actors import embedded_dead_letters as dead
from baton.actors.broker_api import BrokerUnavailableError, DeadLetter, QueueState, WireMessage
from baton.actors.embedded_consumer import EmbeddedConsumer
from baton.actors.embedded_keeper import ALIVE_MS, Keeper, new_instance, sign_in
from baton.actors.embedded_mailbox import Mailbox, columns_of, milliseconds
from baton.actors.embedded_store import Store

log = structlog.get_logger("baton.broker")
_INSERT = (
    "INSERT INTO message (queue, visible_at, enqueued_at, message_id, body, headers, properties) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class EmbeddedBroker(dramatiq.Broker):
    """A Dramatiq broker and a `broker_api.BatonBroker`. Touches its file on first use only."""

    def __init__(
        self,
        path: Path,
        *,
        batch_size: int = 50,
        synchronous: str = "FULL",
        middleware: list[dramatiq.Middleware] | None = None,
    ) -> None:
        super().__init__(middleware)
        self.batch_size = batch_size
        self.store = Store(path, synchronous)
        #: Names this process as a consumer: host, process id and when it began to consume.
        self.instance = ""
        self.mailboxes: dict[str, Mailbox] = {}
        self._keeper: Keeper | None = None
        self._starting = threading.Lock()

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return once every message is stored durably, all of them in one transaction."""
        self._store_messages(messages, 0)

    def _store_messages(self, messages: Sequence[WireMessage], delay_ms: int) -> None:
        now = milliseconds()
        with self.store.write() as connection:
            connection.executemany(_INSERT, [(wire.queue, now + delay_ms, now, *columns_of(wire)) for wire in messages])
        for queue in {wire.queue for wire in messages}:
            self.wake(queue)

    def wake(self, queue: str) -> None:
        """Have this process's consumer of a queue look."""
        if (mailbox := self.mailboxes.get(queue)) is not None:
            mailbox.event.set()

    def dead_letter(self, wire: WireMessage, reason: str, attempts: int, traceback: str = "") -> None:
        """Store a dead letter durably. The same message again replaces the older entry."""
        dead.store_dead_letter(self.store, wire, reason, attempts, traceback)

    def queue_states(self, queues: Sequence[str]) -> list[QueueState]:
        """Return how each queue stands; consumers are processes heard of in the last seconds."""
        return [self._state(queue) for queue in queues]

    def _state(self, queue: str) -> QueueState:
        now = milliseconds()
        # Handed-out messages have a token and a time in the future; the index walks over those due only.
        ready, oldest = self.store.read(
            "SELECT count(*), min(enqueued_at) FROM message WHERE queue = ? AND visible_at <= ?", (queue, now)
        )[0]
        alive = "SELECT count(*) FROM consumer WHERE queue = ? AND seen_at > ?"
        return QueueState(
            queue=queue,
            ready=ready,
            consumers=self.store.read(alive, (queue, now - ALIVE_MS))[0][0],
            dead=self.store.read("SELECT count(*) FROM dead WHERE queue = ?", (queue,))[0][0],
            oldest_seconds=None if oldest is None else max(0.0, (now - oldest) / 1000),
        )

    def dead_letters(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """Return the oldest dead letters of a queue."""
        return dead.list_dead_letters(self.store, queue, limit)

    def find_dead_letter(self, queue: str, letter_id: str) -> DeadLetter | None:
        """Return one dead letter of a queue."""
        return dead.find_dead_letter(self.store, queue, letter_id)

    def requeue_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Put dead letters back on their queue, in one transaction."""
        count = dead.requeue_dead_letters(self.store, queue, ids, _INSERT)
        self.wake(queue)
        return count

    def purge_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Delete dead letters for good."""
        return dead.purge_dead_letters(self.store, queue, ids)

    def declare_queue(self, queue_name: str) -> None:
        """Know a queue. There is no delay queue, and so no consumer for one: a delay is a time in the message's row."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Store one Dramatiq message, to be handled after `delay` milliseconds."""
        self.declare_queue(message.queue_name)
        self.emit_before("enqueue", message, delay)
        self._store_messages([WireMessage(message.queue_name, message.encode(), message.message_id)], delay or 0)
        self.emit_after("enqueue", message, delay)
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> EmbeddedConsumer:
        """Return the consumer of a queue. How much it claims follows from the batch size, not from `prefetch`."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)
        try:
            mailbox = self._mailbox(queue_name)
        except BrokerUnavailableError as error:
            raise ConnectionClosed(error) from None
        return EmbeddedConsumer(self, mailbox, timeout)

    def _mailbox(self, queue_name: str) -> Mailbox:
        with self._starting:
            if not self.instance:
                self.instance = new_instance()
            if queue_name not in self.mailboxes:
                # Signed in before the first claim, so that others can tell whose it is if this process dies.
                sign_in(self.store, self.instance, [queue_name])
                self.mailboxes[queue_name] = Mailbox(queue_name, self.store, self.instance)
            if self._keeper is None:
                self._keeper = Keeper(self.store, self.instance, self.mailboxes)
                self._keeper.start()
            return self.mailboxes[queue_name]

    def flush(self, queue_name: str) -> None:
        """Delete every message of a queue. For tests."""
        with self.store.write() as connection:
            connection.execute("DELETE FROM message WHERE queue = ?", (queue_name,))

    def flush_all(self) -> None:
        """Delete every message. For tests."""
        with self.store.write() as connection:
            connection.execute("DELETE FROM message")

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until nothing of a queue waits or is being handled."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while self.store.read("SELECT 1 FROM message WHERE queue = ? LIMIT 1", (queue_name,)):
            if deadline is not None and time.monotonic() > deadline:
                raise QueueJoinTimeout(queue_name)
            time.sleep(0.01)

    def close(self) -> None:
        """Sign off as a consumer and close the file; a later use opens it again."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
            try:
                for mailbox in self.mailboxes.values():
                    mailbox.hand_back()
                with self.store.write() as connection:
                    connection.execute("DELETE FROM consumer WHERE instance = ?", (self.instance,))
            except BrokerUnavailableError as error:
                log.warning("closed_unsettled", reason=str(error))
        self.store.close()
