"""SQLite where everything shares one thread: nobody else stands still while a transaction waits for the disk or for a lock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import peewee as pw
from playhouse.pool import PooledSqliteDatabase

from baton.models.event_loop import beside_the_loop, on_event_loop

#: How long a transaction waits for another process's SQLite write lock. Writers hold it for milliseconds; a minute
#: means that "database is locked" tells of a stuck process, not of load.
BUSY_SECONDS = 60.0
#: Pause between two tries for that lock on an event loop, in seconds. Longer wastes throughput with several processes, shorter
#: burns time.
BUSY_PAUSE = 0.002


class WaitingSqliteDatabase(PooledSqliteDatabase):
    """
    peewee's pooled SQLite, which never stalls an event loop: commits sync to disk beside it, and another process's write lock is
    waited for in pauses. The base class takes `timeout` for the pool's wait; the busy wait is a pragma.
    """

    def begin(self, lock_type: str | None = None) -> None:
        """Open a transaction; raises peewee's OperationalError when another process holds the lock for BUSY_SECONDS."""
        if lock_type != "IMMEDIATE" or not on_event_loop():
            super().begin(lock_type)
            return
        connection = self.connection()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            with pw.__exception_wrapper__:  # type: ignore[attr-defined]
                _begin_patiently(connection)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def commit(self) -> None:
        """Commit; when an interruption is raised from here, the commit has ended."""
        with pw.__exception_wrapper__:  # type: ignore[attr-defined]
            beside_the_loop(self._commit_of(self.connection()))

    def rollback(self) -> None:
        """Take the transaction back. Whoever is interrupted during a commit finds it done: there is nothing to take back then."""
        if self.connection().in_transaction:
            super().rollback()

    def _commit_of(self, connection: sqlite3.Connection) -> Callable[[], object]:
        return lambda: connection.execute("COMMIT")


def _begin_patiently(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_PAUSE)
