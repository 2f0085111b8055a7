"""The database's clock, asked now."""

from __future__ import annotations

from datetime import datetime

from baton.models import database as db


def asked_now(service: str) -> datetime:
    """
    Return the present instant by asking a service's database, on an open connection.

    `database.now` corrects this machine's clock by what it was off when the connection was made, which serves nearly everything.
    Leases and what falls due must not depend on this machine's clock at all, even if it is set while the process runs. SQLite
    runs on this machine's clock.
    """
    database = db.service_database(service)
    if db.is_sqlite(database):
        return db.now(service)
    instant: datetime = database.execute_sql("select clock_timestamp()").fetchone()[0]
    return instant
