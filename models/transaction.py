"""
The transaction in which everything happens: own rows and the messages they cause commit together, or neither.

    with write_tx("helpdesk") as tx:
        ticket = store(tx, decision)
        tx.announce(ReceiveTicket(payload=...), ticket_number=ticket.number)

`announce` only notes the message; on leaving the block the notes become outbox rows in one statement, the transaction commits,
and the relay is woken. An exception inside the block leaves no row and no message.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol

import peewee as pw

from baton.models import database as db
from baton.models.live import Signal, hub
from baton.models.wake import wake

#: The trace that work in progress belongs to; announced messages inherit it. Set by the HTTP front and by the message handler.
current_trace: ContextVar[str | None] = ContextVar("current_trace", default=None)

#: The channel on which PostgreSQL tells relays that a service's outbox has rows; the payload is the service.
OUTBOX_CHANNEL = "baton_outbox"

_INSERT_SQLITE = "insert into outbox (queue, name, kwargs, envelope, created_at) values (?, ?, ?, ?, ?)"
#: One round trip: the rows of all messages, in order, and one notice for the relays. They travel as one JSON document: as arrays
#: of texts, psycopg would spend five times as long on escaping every text and composing the arrays as the server on the rows.
_INSERT_AND_NOTIFY = """
with leaving as (
    insert into outbox (queue, name, kwargs, envelope, created_at)
    select queue, name, kwargs, envelope, %s
    from json_to_recordset(%s::json) as message(place integer, queue text, name text, kwargs text, envelope text) order by place
)
select pg_notify(%s, %s)
"""
_COLUMNS = ("queue", "name", "kwargs", "envelope")


class Announceable(Protocol):
    """What `announce` takes: a message of the catalogue in `pipelines.messages`."""

    @property
    def name(self) -> str: ...
    @property
    def queue(self) -> str: ...
    def to_kwargs(self) -> dict[str, Any]: ...


class Transaction:
    """An open write transaction of one service."""

    def __init__(self, service: str, database: pw.Database, now: datetime) -> None:
        self.service = service
        self.database = database
        #: The instant at which this transaction happens, by the database's clock. Everything it writes bears this time.
        self.now = now
        #: Outbox rows to be: queue, name, kwargs and envelope.
        self._outgoing: list[tuple[str, str, str, str]] = []
        #: Live news to tell once this has committed.
        self.signals: list[Signal] = []

    def announce(
        self,
        message: Announceable,
        *,
        ticket_number: str | None = None,
        version: int | None = None,
        trace_id: str | None = None,
        message_id: str | None = None,
    ) -> str:
        """
        Have the message sent once this transaction has committed; return its message id, a new one unless it is given.

        `version` orders messages about one thing: receivers ignore one that is not newer than what they have.
        """
        message_id = message_id or str(uuid.uuid4())
        envelope = {
            "message_id": message_id,
            "trace_id": trace_id or current_trace.get() or uuid.uuid4().hex,
            "ticket_number": ticket_number,
            "version": version,
            "sent_at": self.now.isoformat(),
            "schema": 1,
            "attempt": 1,
        }
        kwargs = json.dumps(message.to_kwargs(), separators=(",", ":"))
        self.send_again(
            queue=message.queue, name=message.name, kwargs=kwargs, envelope=json.dumps(envelope, separators=(",", ":"))
        )
        return message_id

    def send_again(self, *, queue: str, name: str, kwargs: str, envelope: str) -> None:
        """Have a message that waited in the database leave as it is: JSON texts, under the message id it has."""
        self._outgoing.append((queue, name, kwargs, envelope))

    def signal(self, topic: str, **payload: Any) -> None:
        """
        Tell whoever waits for the topic that it has news, once this transaction has committed. Best effort (see `live`).

        `payload` is small, plain JSON: `up_to` the newest number, for instance, never the content.
        """
        self.signals.append(Signal(topic, payload))

    def flush(self) -> bool:
        """Write the announced messages to the outbox; return whether there were any."""
        if not self._outgoing:
            return False
        # Plain SQL: this is on the path of every message, and building the same statement costs more than running it.
        if db.is_sqlite(self.database):
            created_at = self.now.replace(tzinfo=None).isoformat(" ", "microseconds")
            self.database.cursor().executemany(_INSERT_SQLITE, [(*row, created_at) for row in self._outgoing])
        else:
            rows = [dict(zip(_COLUMNS, row, strict=True), place=place) for place, row in enumerate(self._outgoing)]
            parameters = (self.now.replace(tzinfo=None), json.dumps(rows, ensure_ascii=False), OUTBOX_CHANNEL, self.service)
            self.database.execute_sql(_INSERT_AND_NOTIFY, parameters)
        self._outgoing.clear()
        return True


@contextmanager
def write_tx(service: str) -> Iterator[Transaction]:
    """
    Run the block in one write transaction of the service and send what it announced.

    Do nothing else inside: no HTTP call, no mail, no broker, no waiting.

    Raises:
        DatabaseUnavailableError: the database cannot be reached or broke off; nothing was committed unless it broke
            during the commit itself, so repeat only what is safe to repeat.
    """
    with db.write_lock(service) as database:
        tx = Transaction(service, database, db.now(service))
        yield tx
        announced = tx.flush()
    if announced:
        wake(f"outbox:{service}")
    if tx.signals:
        hub.signal(tx.signals)
