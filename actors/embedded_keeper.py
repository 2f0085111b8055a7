"""
The embedded broker's background thread: notices other processes' messages, keeps leases, and takes over from the dead.

One per process, however many queues it consumes.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time

import structlog

from baton.actors.broker_api import BrokerUnavailableError
from baton.actors.embedded_mailbox import LEASE_MS, Mailbox, milliseconds
from baton.actors.embedded_store import Store

#: How often other processes' commits are looked for while there are some, and when there were none for IDLE_AFTER_SECONDS.
#: Each look costs some 30 microseconds, each pause half its length as latency. This process's own messages wait for neither.
POLL_SECONDS = 0.005
IDLE_POLL_SECONDS = 0.02
IDLE_AFTER_SECONDS = 2.0
#: How often leases are extended and this process's consumers signed in. Must be well under the lease.
BEAT_SECONDS = 3.0
#: A consumer heard of this recently counts as alive.
ALIVE_MS = 10_000
log = structlog.get_logger("baton.broker")


#: Consumers that this very process has been. Another one with this process's id is dead: the id was used again.
_own: set[str] = set()


def new_instance() -> str:
    """Return a name for this process as a consumer: host, process id, and when it began to consume."""
    instance = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"
    _own.add(instance)
    return instance


def sign_in(store: Store, instance: str, queues: list[str]) -> None:
    """Note that a process consumes queues."""
    with store.write() as connection:
        _sign_in(connection, instance, queues)


def _sign_in(connection: sqlite3.Connection, instance: str, queues: list[str]) -> None:
    now = milliseconds()
    connection.executemany(
        "INSERT INTO consumer VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at",
        [(instance, queue, now) for queue in queues],
    )


class Keeper(threading.Thread):
    """Runs until `stop`."""

    def __init__(self, store: Store, instance: str, mailboxes: dict[str, Mailbox]) -> None:
        super().__init__(daemon=True, name="embedded-broker")
        self._store = store
        self._instance = instance
        self._mailboxes = mailboxes
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if threading.current_thread() is not self:
            self.join()

    def run(self) -> None:
        """Poll and beat."""
        beat_at, known, idle_at, pause = 0.0, 0, 0.0, POLL_SECONDS
        while not self._stopping.wait(pause):
            now = time.monotonic()
            try:
                if self._store.changed():
                    idle_at = now + IDLE_AFTER_SECONDS
                    self._wake_all()
                if now >= beat_at or known != len(self._mailboxes):
                    beat_at, known = now + BEAT_SECONDS, len(self._mailboxes)
                    self._beat()
                pause = POLL_SECONDS if now < idle_at else IDLE_POLL_SECONDS
            except BrokerUnavailableError as error:
                log.warning("broker_file_unusable", reason=str(error))
                pause = 1.0
            except Exception:
                # Leases end without this thread, so it must survive what nobody foresaw.
                log.exception("broker_keeper_failed")
                pause = 1.0

    def _wake_all(self) -> None:
        for mailbox in list(self._mailboxes.values()):
            mailbox.event.set()

    def _beat(self) -> None:
        now, mailboxes = milliseconds(), list(self._mailboxes.values())
        with self._store.write() as connection:
            _sign_in(connection, self._instance, [mailbox.queue for mailbox in mailboxes])
            for mailbox in mailboxes:
                mailbox.extend_leases(connection)
            taken_over = _take_over(connection, now)
        if taken_over:
            log.info("work_taken_over", messages=taken_over)
            self._wake_all()


def _take_over(connection: sqlite3.Connection, now: int) -> int:
    """Free what processes of this machine held when they died, without waiting for their leases to end."""
    freed = 0
    for instance, seen_at in connection.execute("SELECT instance, max(seen_at) FROM consumer GROUP BY instance").fetchall():
        if not _dead(instance) and seen_at > now - LEASE_MS * 2:
            continue
        if _dead(instance):
            # '/' separates the instance from the claim's number, '0' follows '/': a range that the prefix fills exactly.
            cursor = connection.execute(
                "UPDATE message SET visible_at = ?, token = NULL WHERE visible_at > ? AND token >= ? AND token < ?",
                (now, now, f"{instance}/", f"{instance}0"),
            )
            freed += cursor.rowcount
        connection.execute("DELETE FROM consumer WHERE instance = ?", (instance,))
    return freed


def _dead(instance: str) -> bool:
    host, _, rest = instance.partition(":")
    process = rest.partition(":")[0]
    if host != socket.gethostname() or not process.isdigit():
        return False
    if int(process) == os.getpid():
        return instance not in _own
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
