"""
Databases: one per service, SQLite file or PostgreSQL schema, and the only two ways to use them.

`write_tx(service)` and `read_tx(service)` check a pooled connection out, open a transaction, and give it back. A write
transaction on SQLite begins IMMEDIATE (a deferred one that reads, then writes, fails with "database is locked" however long it
may wait) behind a lock of this process, so that green threads queue up instead of stalling the event loop inside SQLite.

Models of a service name `service_database(SERVICE)` as their database; `configure(settings)` binds all of them.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee as pw
import psycopg
from playhouse.pool import PooledPostgresqlDatabase

from baton.models.settings import SERVICES, Settings, SettingsError
from baton.models.sqlite import BUSY_SECONDS, WaitingSqliteDatabase

#: How long `write_tx` and `read_tx` try to reach a database before they give up. Short: callers answer 503 or retry.
CONNECT_SECONDS = 5.0
#: After this idle time a pooled PostgreSQL connection is tried before it is used: one round trip, against a restarted server.
PING_AFTER_SECONDS = 0.5


class DatabaseUnavailableError(Exception):
    """The database cannot be reached or broke off. Nothing was committed that was not seen; try again later."""


class InstantField(pw.DateTimeField):
    """An aware UTC instant to the microsecond. Stored without a zone, always UTC, in a form that sorts by time."""

    def db_value(self, value: datetime | None) -> Any:
        """Return the stored form; refuse a naive time, which names no instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: a naive time names no instant")
        naive = value.astimezone(UTC).replace(tzinfo=None)
        return naive.isoformat(" ", "microseconds") if is_sqlite(self.model._meta.database) else naive

    def python_value(self, value: Any) -> datetime | None:
        """Return the aware instant."""
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.replace(tzinfo=UTC)


_proxies: dict[str, pw.DatabaseProxy] = {service: pw.DatabaseProxy() for service in SERVICES}
_write_locks: dict[str, threading.RLock] = {}


def service_database(service: str) -> pw.DatabaseProxy:
    """Return the proxy that a service's models name as their database."""
    return _proxies[service]


def is_sqlite(database: pw.Database | pw.DatabaseProxy) -> bool:
    """Whether this database (or what a proxy stands for) is SQLite."""
    target = database.obj if isinstance(database, pw.DatabaseProxy) else database
    return isinstance(target, pw.SqliteDatabase)


def configure(settings: Settings, services: Sequence[str] = SERVICES) -> None:
    """Bind the services' models to their databases. Connections open on first use; existing ones are closed."""
    for service in services:
        close(service)
        _proxies[service].initialize(_open(settings, service))
        _write_locks[service] = threading.RLock()


def close(service: str) -> None:
    """Close every connection to a service's database."""
    database = _proxies[service].obj
    if database is not None:
        database.close_all()


def _open(settings: Settings, service: str) -> pw.Database:
    url = settings.database_url(service)
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"BATON_DATA_DIR: {path.parent} cannot be made: {error.strerror}") from None
        return WaitingSqliteDatabase(
            str(path),
            autoconnect=False,
            max_connections=settings.pool_size * 4,
            timeout=BUSY_SECONDS,
            # The pool hands a connection from thread to thread, to one at a time.
            check_same_thread=False,
            pragmas={
                "journal_mode": "wal",
                "synchronous": settings.sqlite_synchronous,
                "busy_timeout": int(BUSY_SECONDS * 1000),
                "foreign_keys": 1,
                "cache_size": -16_000,
            },
        )
    return _PostgresqlDatabase(
        # Opened by a query outside of `connection`, a connection would never be given back.
        autoconnect=False,
        max_connections=settings.pool_size,
        timeout=30,
        prefer_psycopg3=True,
        **postgres_parameters(url, service, settings.statement_timeout_seconds),
    )


def postgres_parameters(url: str, service: str, statement_timeout_seconds: int = 0) -> dict[str, Any]:
    """Return connection parameters for a PostgreSQL URL, with the service's schema as the search path."""
    parts = urlsplit(url)
    # A statement's kept plan is the one that suited the tables when it was made: one made while they were nearly empty reads
    # them from end to end for ever. Planning anew costs a fraction of a millisecond.
    options = [f"-c search_path={service}", "-c timezone=UTC", "-c plan_cache_mode=force_custom_plan"]
    if statement_timeout_seconds:
        options.append(f"-c statement_timeout={statement_timeout_seconds}s")
        options.append(f"-c idle_in_transaction_session_timeout={statement_timeout_seconds * 2}s")
    parameters = {
        "database": unquote(parts.path.lstrip("/")) or "postgres",
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "connect_timeout": 5,
        "application_name": f"baton-{service}",
        "options": " ".join(options),
    }
    return {key: value for key, value in parameters.items() if value is not None}


class _PostgresqlDatabase(PooledPostgresqlDatabase):
    """
    peewee's pooled PostgreSQL, which also learns how far this machine's clock is from the server's.

    The base class asks the server whether a connection still works whenever it hands one out. Here that round trip is spent only
    on those that lay idle for PING_AFTER_SECONDS.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._returned_at: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()
        super().__init__(*arguments, **options)

    def _can_reuse(self, conn: Any) -> bool:
        self._returned_at[conn] = time.monotonic()
        return bool(super()._can_reuse(conn))

    def _is_closed(self, conn: Any) -> bool:
        if time.monotonic() - self._returned_at.get(conn, 0.0) < PING_AFTER_SECONDS:
            return False
        return bool(super()._is_closed(conn))

    def _set_server_version(self, conn: Any) -> None:
        super()._set_server_version(conn)
        before = datetime.now(UTC)
        server = conn.execute("select clock_timestamp()").fetchone()[0]
        after = datetime.now(UTC)
        self.clock_offset = server - (before + (after - before) / 2)


def now(service: str) -> datetime:
    """
    Return the present instant as this service's database tells it.

    Several machines' clocks differ; whatever is compared with stored times is read from the database's clock: the
    local clock corrected by the offset measured when the connection was made. SQLite runs on this machine's clock.
    """
    offset = getattr(_proxies[service].obj, "clock_offset", timedelta(0))
    return datetime.now(UTC) + offset


@contextmanager
def connection(service: str) -> Iterator[pw.Database]:
    """
    Give a working connection for the length of the block; nested blocks share it.

    Raises:
        DatabaseUnavailableError: no connection within CONNECT_SECONDS, or it broke inside the block.
    """
    database: pw.Database = _proxies[service].obj
    opened = database.is_closed()
    if opened:
        _connect(database)
    broken = False
    try:
        yield database
    except (pw.OperationalError, pw.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error.__cause__ or error.__context__, sqlite3.Error) or is_sqlite(database):
            raise
        broken = True
        raise DatabaseUnavailableError(str(error)) from error
    finally:
        if opened and not database.is_closed():
            if broken:
                _discard(database)
            else:
                database.close()


def _connect(database: pw.Database) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS
    pause = 0.05
    while True:
        try:
            database.connect()
            return
        except Exception as error:
            if not database.is_closed():
                _discard(database)
            if time.monotonic() + pause > deadline:
                raise DatabaseUnavailableError(str(error)) from error
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


def _discard(database: Any) -> None:
    """Close a broken connection for good instead of handing it back to the pool."""
    database.manual_close()


@contextmanager
def read_tx(service: str) -> Iterator[pw.Database]:
    """Run the block on one connection, seeing one state of the database. Raises as `connection` does."""
    with connection(service) as database:
        if is_sqlite(database):
            with database.atomic("DEFERRED"):
                yield database
        else:
            yield database


@contextmanager
def write_lock(service: str) -> Iterator[pw.Database]:
    """Open one write transaction on the service's database. Use `transaction.write_tx`, which adds the outbox."""
    if is_sqlite(_proxies[service]):
        # The lock comes first: whoever waits for it must not sit on one of the pool's connections.
        with _write_locks[service], connection(service) as database, database.atomic("IMMEDIATE"):
            yield database
    else:
        with connection(service) as database, database.atomic():
            yield database
