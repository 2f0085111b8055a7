"""One queue of the embedded broker as one process sees it: what it has claimed, and what it has to tell the file."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections import deque
from typing import Any

from baton.actors.broker_api import Batch, WireMessage
from baton.actors.embedded_store import Store

#: How long a claimed message belongs to a process that is not heard of again. A process that stalls for longer does the same
#: work twice; a shorter lease hands a killed machine's work over sooner.
LEASE_MS = 30_000
#: Pause before a message that a handler gave back is handed out again.
RELEASE_MS = 1_000
#: Batches of one queue handled at the same time by a process. Meanwhile messages gather for the next, larger batch.
BATCHES_IN_FLIGHT = 2
#: A batch that took longer than this, in seconds, shows that the process is busy: its queue then rests for REST_TIMES the
#: surplus, REST_SECONDS at most, unless more messages waited than it could claim. What comes meanwhile is handled together: in a
#: batch of thirty a message costs a third of what it costs in one of four. Resting more adds delay under load.
QUICK_SECONDS = 0.02
REST_TIMES = 3.0
REST_SECONDS = 0.25

_tokens = itertools.count(1)


class Mailbox:
    """
    The state is shared by a queue's consumers in this process, so that a restarted consumer finds it.

    Worker threads only append to the deques; the consumer's thread writes to the file, what is finished together with the next
    claim: one sync to disk per batch.
    """

    def __init__(self, queue: str, store: Store, instance: str) -> None:
        self.queue = queue
        self.event = threading.Event()
        self.ready: deque[Batch] = deque()
        #: Rows claimed and not yet settled, with the token of their claim.
        self.held: dict[int, str] = {}
        #: When each batch with a handler was handed out, by its first row. Worker threads settle while the consumer hands out.
        self._in_flight: dict[int, float] = {}
        self._claimed_all = True
        self._rests_until = 0.0
        self.finished: deque[int] = deque()
        self.released: deque[int] = deque()
        self.unstarted: deque[int] = deque()
        self._store = store
        self._instance = instance

    def may_hand_out(self) -> bool:
        """Whether another batch may be handled now."""
        return len(self._in_flight) < BATCHES_IN_FLIGHT

    def hand_out(self) -> Batch:
        """Return the next batch, which is in flight until it is settled or given back unstarted."""
        batch = self.ready.popleft()
        self._in_flight[batch.tags[0]] = time.monotonic()
        return batch

    def settle(self, batch: Batch) -> None:
        """Note that a batch was handled, or given back by its handler."""
        (self.released if batch.released else self.finished).extend(batch.tags)
        now = time.monotonic()
        took = now - self._in_flight.pop(batch.tags[0], now)
        if self._claimed_all:
            self._rests_until = now + rest_after(took)
        self.event.set()

    def take_back(self, batch: Batch) -> None:
        """Note that no handler has started on a batch."""
        self.unstarted.extend(batch.tags)
        self._in_flight.pop(batch.tags[0], None)

    def rests_for(self) -> float:
        """Return for how many seconds nothing should be claimed; 0.0 when something may be."""
        return max(0.0, self._rests_until - time.monotonic())

    def to_settle(self) -> bool:
        """Whether the file has to be told something."""
        return bool(self.finished or self.released or self.unstarted)

    def anything_due(self) -> bool:
        """Whether a message waits in the file. Reading takes no lock that anybody else waits for."""
        sql = "SELECT 1 FROM message WHERE queue = ? AND visible_at <= ? LIMIT 1"
        return bool(self._store.read(sql, (self.queue, milliseconds())))

    def claim(self, limit: int) -> list[tuple[int, int, WireMessage]]:
        """Write what is settled and claim up to `limit` messages: row, how often claimed, message; oldest first."""
        finished, released, unstarted = _drain(self.finished), _drain(self.released), _drain(self.unstarted)
        token = f"{self._instance}/{next(_tokens)}"
        try:
            with self._store.write() as connection:
                self._write_settled(connection, finished, released, unstarted)
                rows = connection.execute(
                    _CLAIM, (milliseconds() + LEASE_MS, token, self.queue, milliseconds(), limit)
                ).fetchall()
        except BaseException:
            self.finished.extend(finished)
            self.released.extend(released)
            self.unstarted.extend(unstarted)
            raise
        for row in (*finished, *released, *unstarted):
            self.held.pop(row, None)
        self.held.update((row[0], token) for row in rows)
        self._claimed_all = len(rows) < limit
        return [(row[0], row[1], wire_of(self.queue, *row[2:])) for row in sorted(rows)]

    def _write_settled(
        self, connection: sqlite3.Connection, finished: list[int], released: list[int], unstarted: list[int]
    ) -> None:
        held, now = self.held, milliseconds()
        # A token that is no longer there means that the lease ended and somebody else has the message: nothing to do.
        connection.executemany("DELETE FROM message WHERE id = ? AND token = ?", [(row, held.get(row)) for row in finished])
        connection.executemany(
            "UPDATE message SET visible_at = ?, token = NULL WHERE id = ? AND token = ?",
            [(now + RELEASE_MS, row, held.get(row)) for row in released],
        )
        connection.executemany(
            "UPDATE message SET visible_at = enqueued_at, token = NULL, tries = tries - 1 WHERE id = ? AND token = ?",
            [(row, held.get(row)) for row in unstarted],
        )

    def extend_leases(self, connection: sqlite3.Connection) -> None:
        """Keep what is held."""
        until = milliseconds() + LEASE_MS
        connection.executemany(
            "UPDATE message SET visible_at = ? WHERE id = ? AND token = ?",
            [(until, row, token) for row, token in list(self.held.items())],
        )

    def hand_back(self) -> None:
        """Write what is settled and give back what no handler has started."""
        while self.ready:
            self.unstarted.extend(self.ready.popleft().tags)
        if self.to_settle():
            self.claim(0)


# RETURNING promises no order: the caller sorts by row.
_CLAIM = """
UPDATE message SET visible_at = ?, token = ?, tries = tries + 1
WHERE id IN (SELECT id FROM message WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?)
RETURNING id, tries, message_id, body, headers, properties
"""


def wire_of(queue: str, message_id: str, body: bytes, headers: str, properties: str) -> WireMessage:
    """Return a stored message."""
    return WireMessage(queue, body, message_id, json.loads(headers), json.loads(properties))


def columns_of(wire: WireMessage) -> tuple[Any, ...]:
    """Return a message as it is stored: message id, body, headers, properties."""
    return wire.message_id, wire.body, json.dumps(wire.headers, default=str), json.dumps(wire.properties, default=str)


def rest_after(took: float) -> float:
    """Return for how many seconds a queue rests whose batch took so many."""
    return min(REST_SECONDS, REST_TIMES * max(0.0, took - QUICK_SECONDS))


def milliseconds() -> int:
    """Return the time in milliseconds since 1970."""
    return int(time.time() * 1000)


def _drain(items: deque[int]) -> list[int]:
    drained = []
    while items:
        drained.append(items.popleft())
    return drained
