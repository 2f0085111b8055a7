"""
How a relay learns of other processes' commits (PostgreSQL's NOTIFY, SQLite's data version), and which of several publishes
a SQLite outbox.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from pathlib import Path
from typing import IO

import psycopg
import structlog

from baton.models.database import postgres_parameters
from baton.models.settings import SERVICES, Settings
from baton.models.transaction import OUTBOX_CHANNEL
from baton.models.wake import wake

#: How long one wait for notifications lasts: how late a stop, or a connection that died silently, is noticed.
LISTEN_SECONDS = 1.0
#: The pause before listening again after a failure. The relays' own sweep covers the gap.
RETRY_SECONDS = 1.0
log = structlog.get_logger("baton.relay")


def listen(url: str, stop: threading.Event) -> None:
    """Wake the relays of this process for every service that PostgreSQL announces on this database, until `stop` is set."""
    while not stop.is_set():
        try:
            _listen(url, stop)
        except (psycopg.Error, OSError) as error:
            log.warning("relay_cannot_listen", reason=str(error).strip(), consequence="messages leave within a second")
            stop.wait(RETRY_SECONDS)


def _listen(url: str, stop: threading.Event) -> None:
    parameters = postgres_parameters(url, "public")
    parameters["dbname"] = parameters.pop("database")
    parameters["application_name"] = "baton-relay"
    # A server that vanished without a word is noticed within some twenty seconds.
    parameters |= {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute(f"listen {OUTBOX_CHANNEL}")
        for service in SERVICES:
            wake(f"outbox:{service}")  # whatever was announced while nobody listened
        while not stop.is_set():
            for notification in connection.notifies(timeout=LISTEN_SECONDS):
                wake(f"outbox:{notification.payload}")


def sqlite_path(settings: Settings, service: str) -> Path:
    """Return the file of a service's SQLite database."""
    return Path(settings.database_url(service).removeprefix("sqlite:///"))


class DataVersion:
    """Tells whether anyone has committed to a SQLite database since the last question, for some ten microseconds."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._connection = sqlite3.connect(sqlite_path(settings, service), isolation_level=None, check_same_thread=False)
        self._seen = self._read()

    def changed(self) -> bool:
        """Whether the database has changed since the last call."""
        before, self._seen = self._seen, self._read()
        return before != self._seen

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self) -> int:
        return int(self._connection.execute("pragma data_version").fetchone()[0])


class SingleRelay:
    """The right to publish one SQLite outbox: a lock on a file beside the database, gone when its process is."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._path = Path(f"{sqlite_path(settings, service)}.relay.lock")
        self._file: IO[str] | None = None

    def hold(self) -> bool:
        """Whether this relay holds the right; takes it if it is free."""
        if self._file is not None:
            return True
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def close(self) -> None:
        """Give the right up."""
        if self._file is not None:
            self._file.close()
            self._file = None
