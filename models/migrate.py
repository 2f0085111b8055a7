"""
Migrations: each service's schema, forward only, applied by `baton migrate`.

peewee-migrate keeps which migrations of `migrations/<service>/` a database has had. Several processes may migrate at the same
time: one does it, the others wait.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee as pw
import structlog
from peewee_migrate import Router

from baton.models import database as db
from baton.models import full_text
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
log = structlog.get_logger("baton.migrate")


def service_models(service: str) -> list[type[pw.Model]]:
    """Return every model of a service: its own (`TABLES` of its module in `models/`) and the runtime's."""
    module = importlib.import_module(f"baton.models.{service}")
    return [*module.TABLES, *runtime_tables(service).all]


def migrate(service: str) -> list[str]:
    """Bring a service's database to the newest schema; return the migrations applied now."""
    with db.connection(service) as database, _alone(service, database):
        done = Router(database, migrate_dir=MIGRATIONS / service).run()
        full_text.ensure(service, database)
    if done:
        log.info("migrated", service=service, applied=list(done))
    return list(done)


def pending(service: str) -> list[str]:
    """Return the migrations a service's database still lacks, without applying or creating anything."""
    available = sorted(path.stem for path in (MIGRATIONS / service).glob("[0-9]*.py"))
    with db.read_tx(service) as database:
        if "migratehistory" not in database.get_tables():
            return available
        done = {row[0] for row in database.execute_sql("select name from migratehistory").fetchall()}
    return [name for name in available if name not in done]


def write_migration(service: str, name: str) -> str | None:
    """Write a migration that brings the schema from the newest migration to the models as they are in the code now."""
    folder = MIGRATIONS / service
    folder.mkdir(parents=True, exist_ok=True)
    with db.connection(service) as database:
        written = Router(database, migrate_dir=folder).create(name, auto=service_models(service))
    if written:
        _keep_forward_only(folder / f"{written}.py", service)
    return written


def _keep_forward_only(path: Path, service: str) -> None:
    """Drop the generator's examples and the way back: a schema only moves forward."""
    text = path.read_text()
    body = text[text.index("from contextlib") : text.index("def rollback")].rstrip()
    path.write_text(f'"""Schema of {service}: {path.stem[4:]}."""\n\n{body}\n')


@contextmanager
def _alone(service: str, database: pw.Database) -> Iterator[None]:
    if db.is_sqlite(database):
        import fcntl

        lock_path = Path(str(database.database) + ".migrate.lock")
        with lock_path.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        return
    # A session lock: migrations open and commit their own transactions.
    database.execute_sql("select pg_advisory_lock(hashtext(%s))", (f"baton-migrate-{service}",))
    try:
        database.execute_sql(f'create schema if not exists "{service}"')
        yield
    finally:
        database.execute_sql("select pg_advisory_unlock(hashtext(%s))", (f"baton-migrate-{service}",))


__all__ = ["SERVICES", "migrate", "pending", "service_models", "write_migration"]
