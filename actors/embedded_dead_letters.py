"""The dead letters of the embedded broker: rows that stay until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from baton.actors.broker_api import DeadLetter, WireMessage
from baton.actors.embedded_mailbox import columns_of, milliseconds, wire_of
from baton.actors.embedded_store import Store
from baton.actors.wire import describe, with_fresh_attempts

_SELECT = "SELECT queue, id, reason, attempts, died_at, traceback, message_id, body, headers, properties FROM dead"
#: Row ids of SQLite end here.
_MOST = 2**63 - 1


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
    return _letters(queue, store.read(f"{_SELECT} WHERE queue = ? ORDER BY id LIMIT ?", (queue, limit)))


def find_dead_letter(store: Store, queue: str, letter_id: str) -> DeadLetter | None:
    """Return one dead letter of a queue."""
    rows = [row for number in _rows([letter_id]) or () for row in store.read(f"{_SELECT} WHERE id = ?", (number,))]
    return next(iter(_letters(queue, [row for row in rows if row[0] == queue])), None)


def _letters(queue: str, rows: Sequence[tuple[Any, ...]]) -> list[DeadLetter]:
    letters = []
    for _, row_id, reason, attempts, died_at, traceback, *columns in rows:
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
    with store.write() as connection:
        if chosen is None:
            chosen = {row[0] for row in connection.execute("SELECT id FROM dead WHERE queue = ?", (queue,))}
        count = 0
        for row_id in sorted(chosen):
            found = connection.execute(
                "DELETE FROM dead WHERE queue = ? AND id = ? RETURNING message_id, body, headers, properties", (queue, row_id)
            ).fetchall()
            for columns in found:
                connection.execute(insert, (queue, now, now, *columns_of(with_fresh_attempts(wire_of(queue, *columns)))))
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
    return (
        None
        if ids is None
        else {int(row) for row in ids if row.isascii() and row.isdigit() and len(row) < 20 and int(row) <= _MOST}
    )
