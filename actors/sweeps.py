"""
The sweeps that every service needs: messages that have become due go to the outbox, old rows of the runtime go away.

Each claims its rows in the transaction that changes them, so any number of schedulers may run at once. Each looks before it
takes a write lock: a tick with nothing to do costs one indexed read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx

#: Rows per transaction: some ten milliseconds of work, so that no writer waits long for a sweep.
BATCH = 500
#: How long handled messages, and starts without an outcome, are remembered: longer than any redelivery takes.
REMEMBER_MESSAGES = timedelta(days=7)
#: How long the answer to an Idempotency-Key can be had again.
REMEMBER_ANSWERS = timedelta(days=7)
#: When a process that has not been heard of is forgotten. `baton doctor` calls it dead much earlier.
REMEMBER_PROCESSES = timedelta(hours=1)


def release_due_messages(service: str) -> int:
    """Move every deferred message that is due to the outbox, oldest first, in batches; return how many."""
    moved = 0
    while (batch := _release_batch(service)) > 0:
        moved += batch
        if batch < BATCH:
            break
    return moved


def _release_batch(service: str) -> int:
    table = runtime_tables(service).DeferredMessage
    with db.read_tx(service):
        if not table.select().where(table.due_at <= db.now(service)).exists():
            return 0
    with write_tx(service) as tx:
        due = table.select(table.id).where(table.due_at <= tx.now).order_by(table.due_at, table.id).limit(BATCH)
        if not db.is_sqlite(tx.database):
            due = due.for_update("FOR UPDATE SKIP LOCKED")
        rows = list(table.delete().where(table.id.in_(due)).returning(table).dicts().execute())
        for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])):
            tx.send_again(queue=row["queue"], name=row["name"], kwargs=row["kwargs"], envelope=row["envelope"])
    return len(rows)


def clean_up(service: str) -> int:
    """Delete what the runtime no longer needs; return how many rows."""
    tables = runtime_tables(service)
    return (
        _delete_older(service, tables.Inbox, tables.Inbox.handled_at, REMEMBER_MESSAGES)
        + _delete_older(service, tables.DeliveryAttempt, tables.DeliveryAttempt.last_started_at, REMEMBER_MESSAGES)
        + _delete_older(service, tables.IdempotencyKey, tables.IdempotencyKey.created_at, REMEMBER_ANSWERS)
        + _delete_older(service, tables.Heartbeat, tables.Heartbeat.seen_at, REMEMBER_PROCESSES)
    )


def _delete_older(service: str, table: type[pw.Model], moment: Any, age: timedelta) -> int:
    deleted = 0
    while True:
        with db.read_tx(service):
            old: Any = table.select(moment).where(moment < db.now(service) - age).order_by(moment).limit(BATCH)
            moments = [row[0] for row in old.tuples()]
        if not moments:
            return deleted
        with write_tx(service):
            # Up to the newest of this batch; rows of the same instant come along.
            deleted += table.delete().where(moment <= moments[-1]).execute()
