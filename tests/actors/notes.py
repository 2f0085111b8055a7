"""A service small enough to test the runtime with: one message, one table (the inbox), handlers made by each test."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baton.actors.broker_api import Batch, RawDelivery, WireMessage
from baton.actors.delivery import Delivery
from baton.actors.handling import handles
from baton.actors.wire import decode, encode
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import load_settings
from baton.models.transaction import Transaction
from baton.pipelines.messages import Message

SERVICE = "tickets"
T = runtime_tables(SERVICE)


@dataclass(frozen=True, kw_only=True)
class Note(Message):
    """Command: keep a text, once."""

    name = "tests.note"
    queue = "tests.notes"
    senders = ("tests",)
    receiver = SERVICE

    text: str
    number: int = 0


def open_tables(where: Path | str) -> None:
    """Bind the service to a file in a directory, or to a PostgreSQL URL, and create the runtime's tables there."""
    variable = "BATON_DATABASE_URL" if isinstance(where, str) else "BATON_DATA_DIR"
    db.configure(load_settings({variable: str(where), "BATON_SQLITE_SYNCHRONOUS": "NORMAL"}), [SERVICE])
    with db.connection(SERVICE) as database:
        if isinstance(where, str):
            database.execute_sql(f"create schema if not exists {SERVICE}")
        database.create_tables(T.all)


def keep(tx: Transaction, deliveries: Sequence[Delivery[Note]]) -> None:
    """Keep every text once and announce it: a rule with a natural key."""
    for delivery in deliveries:
        key = {"receiver": "notes", "message_id": delivery.message.text}
        if T.Inbox.insert(**key, handled_at=tx.now).on_conflict_ignore().as_rowcount().execute():
            tx.announce(delivery.message)


def kept() -> list[str]:
    """Return the texts kept, sorted."""
    with db.read_tx(SERVICE):
        return sorted(row.message_id for row in T.Inbox.select())


def rows(table: Any) -> list[dict[str, Any]]:
    """Return every row of a runtime table."""
    with db.read_tx(SERVICE):
        return list(table.select().dicts())


def handler(rule: Callable[[Transaction, Sequence[Delivery[Note]]], None], **options: Any) -> Any:
    """Declare `rule` as the handler of Note on the present broker."""
    stated = {"max_retries": 2, "min_backoff": 1_000, "max_backoff": 60_000, "time_limit": 60_000, **options}
    return handles(Note, service=SERVICE, **stated)(rule)


def wire_of(text: Any, message_id: str | None = None, kwargs: str | None = None, **envelope: Any) -> WireMessage:
    """Return a note as the relay would publish it."""
    import json

    facts = {"message_id": message_id or f"id-{text}", "trace_id": "trace", "sent_at": "2026-01-05T09:00:00+00:00", **envelope}
    return encode(Note.queue, Note.name, kwargs or json.dumps({"text": text}), json.dumps(facts))


def batch_of(*wires: WireMessage, redelivered: bool = False) -> Batch:
    """Return what a consumer would hand to the handler."""
    deliveries: list[RawDelivery] = [decode(wire, redelivered) for wire in wires]
    return Batch(deliveries)


def in_file(broker: Any) -> int:
    """Return how many messages an embedded broker holds, waiting or handed out."""
    return int(broker.store.read("SELECT count(*) FROM message")[0][0])


def eventually(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Return the condition's value as soon as it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value
