"""The dead letters of the embedded broker: rows that stay until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from baton.actors.broker_api import DeadLetter, WireMessage
from baton.actors.embedded_mailbox import columns_of, milliseconds, wire_of
from baton.actors.embedded_store import Store
from baton.actors.wire import describe, with_fresh_attempts


def store_dead_letter(store: Store, wire: WireMessage, reason: str, attempts: int, traceback: str) -> None:
    """Store a dead letter. The same message of the same queue again takes the older entry's place."""
    died_at = datetime.now(UTC).isoformat()
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO dead (queue, reason, attempts, died_at, traceback, message_id, body, headers, properties)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (wire.queue, reason, attempts, died_at, traceback, *columns_of(wire)),
        )


def list_dead_letters(store: Store, queue: str, limit: int) -> list[DeadLetter]:
    """Return the oldest dead letters of a queue."""
    rows = store.read(
        "SELECT id, reason, attempts, died_at, traceback, message_id, body, headers, properties"
        " FROM dead WHERE queue = ? ORDER BY id LIMIT ?",
        (queue, limit),
    )
    letters = []
    for row_id, reason, attempts, died_at, traceback, *columns in rows:
        wire = wire_of(queue, *columns)
        actor_name, ticket_number = describe(wire)
        letter = DeadLetter(
            id=str(row_id),
            queue=queue,
            reason=reason,
            attempts=attempts,
            died_at=died_at,
            actor_name=actor_name,
            ticket_number=ticket_number,
            traceback=traceback,
            wire=wire,
        )
        letters.append(letter)
    return letters


def requeue_dead_letters(store: Store, queue: str, ids: Sequence[str] | None, insert: str) -> int:
    """Move dead letters back to their queue, in one transaction; return how many."""
    chosen, now = _rows(ids), milliseconds()
    count = 0
    with store.write() as connection:
        rows = connection.execute(
            "SELECT id, message_id, body, headers, properties FROM dead WHERE queue = ? ORDER BY id", (queue,)
        ).fetchall()
        for row_id, *columns in rows:
            if chosen is None or row_id in chosen:
                wire = with_fresh_attempts(wire_of(queue, *columns))
                connection.execute(insert, (queue, now, now, *columns_of(wire)))
                connection.execute("DELETE FROM dead WHERE id = ?", (row_id,))
                count += 1
    return count


def purge_dead_letters(store: Store, queue: str, ids: Sequence[str] | None) -> int:
    """Delete dead letters; return how many."""
    chosen = _rows(ids)
    with store.write() as connection:
        if chosen is None:
            return connection.execute("DELETE FROM dead WHERE queue = ?", (queue,)).rowcount
        return sum(
            connection.execute("DELETE FROM dead WHERE queue = ? AND id = ?", (queue, row)).rowcount for row in sorted(chosen)
        )


def _rows(ids: Sequence[str] | None) -> set[int] | None:
    return None if ids is None else {int(row) for row in ids if row.isascii() and row.isdigit()}
