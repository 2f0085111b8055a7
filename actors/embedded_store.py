"""
The embedded broker's file: one SQLite connection per process, used by one thread at a time.

SQLite's own waiting for another process's write lock sleeps in C and would stall an event loop, so the wait is done here, in
small pauses that other green threads use; the sync to disk happens beside the loop. Transactions are short: some rows, one sync.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from baton.actors.broker_api import BrokerUnavailableError
from baton.models.event_loop import beside_the_loop

#: How long to wait for other processes' transactions, which take milliseconds.
BUSY_SECONDS = 60.0
#: Pause between two tries for the write lock. Longer wastes throughput with several processes, shorter burns time.
BUSY_PAUSE = 0.002

#: `visible_at` (milliseconds since 1970) is one column for three states: waiting (in the past), delayed, and handed out until
#: its lease ends (in the future, with a token). A crash therefore needs no recovery: leases end by themselves.
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    message_id TEXT NOT NULL,
    body BLOB NOT NULL,
    headers TEXT NOT NULL,
    properties TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_next ON message (queue, visible_at, id);
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    died_at TEXT NOT NULL,
    traceback TEXT NOT NULL,
    message_id TEXT NOT NULL,
    body BLOB NOT NULL,
    headers TEXT NOT NULL,
    properties TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS dead_once ON dead (queue, message_id) WHERE message_id <> '';
CREATE TABLE IF NOT EXISTS consumer (
    instance TEXT NOT NULL,
    queue TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (instance, queue)
);
"""


class Store:
    """The file and the one connection to it. Opened on first use, and again after a fork or `close`."""

    def __init__(self, path: Path, synchronous: str = "FULL") -> None:
        self.path = path
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._version = 0
        self._lock = threading.RLock()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """
        Run the block in one write transaction.

        Raises:
            BrokerUnavailableError: the file is locked for a minute, full or broken; nothing was written.
        """
        with self._lock, self._told():
            connection = self._opened()
            _patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                yield connection
                beside_the_loop(partial(connection.execute, "COMMIT"))
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query. Raises as `write` does."""
        with self._lock, self._told():
            connection = self._opened()
            return _patiently(lambda: connection.execute(sql, parameters).fetchall())

    def changed(self) -> bool:
        """Return whether another process has committed something since this was last asked."""
        version = self.read("PRAGMA data_version")[0][0]
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
            _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            _patiently(lambda: _create(connection))
            self._connection, self._process = connection, os.getpid()
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise BrokerUnavailableError(f"{self.path}: {error}") from error


def _create(connection: sqlite3.Connection) -> None:
    # Only where something is missing: creating takes the write lock, and every process comes by here.
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not {"message", "message_next", "dead", "dead_once", "consumer"} <= names:
        connection.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")


def _patiently(act: Any) -> Any:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_PAUSE)
