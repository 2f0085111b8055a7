"""
The store of tickets: rows in, rows out, set by set. What may change, and why, is decided in `pipelines`.

All functions run inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import peewee as pw

from baton.models.database import is_sqlite
from baton.models.helpdesk.tables import Ticket, TicketHistory, number_of, row_id_of
from baton.models.rows import insert_rows, update_rows
from baton.models.statements import Statement
from baton.models.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """The status columns of one ticket, as they shall be."""

    id: int
    status: str
    workflow_status: str | None
    status_version: int
    pending_request: str | None
    request_id: str | None
    request_count: int


#: The columns of StatusRow, in its order.
_STATUS_COLUMNS = tuple(Ticket._meta.fields[field.name] for field in fields(StatusRow))


_STATES = Statement(lambda among: Ticket.select(*_STATUS_COLUMNS).where(among(Ticket.id)).order_by(Ticket.id))
_HISTORY = [field for field in TicketHistory._meta.sorted_fields if not isinstance(field, pw.AutoField)]
#: The columns that a ticket is filed with; the others say that nothing has been told or asked yet.
_FILED = tuple(
    field for field in Ticket._meta.sorted_fields if field.name not in ("id", "workflow_status", "pending_request", "request_id")
)


def status_row(ticket: Ticket) -> StatusRow:
    """Return the status columns of a ticket."""
    return StatusRow(
        id=ticket.id,
        status=ticket.status,
        workflow_status=ticket.workflow_status,
        status_version=ticket.status_version,
        pending_request=ticket.pending_request,
        request_id=ticket.request_id,
        request_count=ticket.request_count,
    )


def add_ticket(values: Mapping[str, Any], words: str) -> int | None:
    """
    Insert a ticket with the `words` by which it is found; return its row id, None when this `source` and `source_id` are known.

    `values` are the columns that `_FILED` names. The statement is written out: it is the one that every filing pays for, and
    having it built each time would take as long as running it.
    """
    database = Ticket._meta.database
    marks = ", ".join([database.param] * len(_FILED))
    names = ", ".join(f'"{field.column_name}"' for field in _FILED)
    statement = f"insert into ticket ({names}) values ({marks}) on conflict (source, source_id) do nothing returning id"
    columns = [field.db_value(values[field.name]) for field in _FILED]
    if not is_sqlite(database):
        # One round trip for both rows.
        statement = f"with filed as ({statement}), "
        statement += "found as (insert into ticket_words (id, words) select id, %s from filed) select id from filed"
        rows = database.execute_sql(statement, [*columns, words]).fetchall()
        return rows[0][0] if rows else None
    rows = database.execute_sql(statement, columns).fetchall()
    if not rows:
        return None
    database.execute_sql("insert into ticket_words (id, words) values (?, ?)", (rows[0][0], words))
    return int(rows[0][0])


def find(number: str) -> Ticket | None:
    """Return the ticket of this number, None when there is none."""
    row_id = row_id_of(number)
    return None if row_id is None else Ticket.get_or_none(Ticket.id == row_id)


def find_by_source(source: str, source_id: str) -> Ticket | None:
    """Return the ticket filed for this thing of another system, None when there is none."""
    return Ticket.get_or_none((Ticket.source == source) & (Ticket.source_id == source_id))


def lock(row_ids: Iterable[int]) -> dict[int, Ticket]:
    """Return the tickets of these row ids, their rows locked (in order of id, so that two batches cannot block each other)."""
    query = Ticket.select().where(Ticket.id.in_(sorted(set(row_ids)))).order_by(Ticket.id)
    return {ticket.id: ticket for ticket in _locked(query)}


def lock_states(row_ids: Iterable[int]) -> dict[int, StatusRow]:
    """Return the status columns of these tickets, their rows locked: what status sync needs, without the texts."""
    rows = _STATES.dicts(sorted(set(row_ids)), lock=True)
    return {row["id"]: StatusRow(**row) for row in rows}


def store_states(tx: Transaction, rows: Sequence[StatusRow]) -> None:
    """Write the status columns of these tickets in one statement."""
    told = [(*astuple(row), tx.now) for row in rows]
    update_rows(tx, Ticket.id, [*_STATUS_COLUMNS[1:], Ticket.updated_at], told)


def add_history(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert history rows; each has the columns of `TicketHistory`, the ticket as `ticket` (its row id)."""
    insert_rows(tx, _HISTORY, [[row[field.name] for field in _HISTORY] for row in rows])


def history(ticket: Ticket, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return what happened to a ticket, oldest first, its filing included (at most `limit` changes after it)."""
    changes = TicketHistory.select().where(TicketHistory.ticket == ticket.id).order_by(TicketHistory.id).limit(limit)
    rows = [
        {
            "at": change.at,
            "event": change.event,
            "from_status": change.from_status,
            "to_status": change.to_status,
            "actor": change.actor,
            "reason": change.reason,
            "version": change.version,
        }
        for change in changes
    ]
    filed = {
        "at": ticket.submitted_at,
        "event": "filed",
        "from_status": None,
        "to_status": rows[0]["from_status"] if rows else ticket.status,
        "actor": ticket.filed_by,
        "reason": "",
        "version": None,
    }
    return [filed, *rows]


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return the ticket's events in this service, oldest first: `at`, `service`, `event`, `detail` (one line)."""
    ticket = find(ticket_number)
    return [] if ticket is None else [_event(row) for row in history(ticket)]


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    change = row["to_status"] if row["from_status"] is None else f"{row['from_status']} -> {row['to_status']}"
    version = "" if row["version"] is None else f" (version {row['version']})"
    reason = f": {row['reason']}" if row["reason"] else ""
    detail = " ".join(f"{change}{version} by {row['actor']}{reason}".split())
    return {"at": row["at"], "service": "helpdesk", "event": row["event"], "detail": detail}


def _locked(query: Any) -> Any:
    return query if is_sqlite(Ticket._meta.database) else query.for_update()  # SQLite: a write transaction is alone anyway


__all__ = [
    "StatusRow",
    "add_history",
    "add_ticket",
    "find",
    "find_by_source",
    "history",
    "journey",
    "lock",
    "lock_states",
    "number_of",
    "row_id_of",
    "status_row",
    "store_states",
]
