"""Storing of intake and of status changes: snapshots, and the versions of their status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.rows import tuples
from baton.models.workflow.work import TicketSnapshot


class TicketRow(NamedTuple):
    """What the process needs to know of a stored ticket; its data stays where it is."""

    ticket_number: str
    category: str | None
    department: str | None
    requester_user_id: str | None
    requester_email: str | None
    through_gateway: bool
    status: str
    request_version: int | None


class StatusChange(NamedTuple):
    """A status that was written, with its version."""

    ticket_number: str
    status: str
    version: int
    through_gateway: bool


_TICKET_COLUMNS = [getattr(TicketSnapshot, name) for name in TicketRow._fields]
_SNAPSHOT_FIELDS = [
    TicketSnapshot.ticket_number,
    TicketSnapshot.ticket_data,
    TicketSnapshot.subject,
    TicketSnapshot.category,
    TicketSnapshot.department,
    TicketSnapshot.priority,
    TicketSnapshot.requester_user_id,
    TicketSnapshot.requester_email,
    TicketSnapshot.through_gateway,
    TicketSnapshot.status,
    TicketSnapshot.status_version,
    TicketSnapshot.received_at,
]


def store_snapshots(tx: Transaction, tickets: Iterable[Any], status: str) -> list[TicketRow]:
    """
    Store the tickets that are not stored yet, each once; return these.

    `tickets` are `IncomingTicket`s of different numbers. They are written in the order of their numbers: two transactions with
    the same tickets then wait for each other instead of locking each other out.
    """
    rows = [
        (
            ticket.number,
            ticket.data,
            ticket.subject,
            ticket.category,
            ticket.department,
            ticket.priority,
            ticket.requester_user_id,
            ticket.requester_email,
            ticket.through_gateway,
            status,
            0,
            tx.now,
        )
        for ticket in sorted(tickets, key=lambda each: each.number)
    ]
    if not rows:
        return []
    insert = TicketSnapshot.insert_many(rows, fields=_SNAPSHOT_FIELDS).on_conflict_ignore().returning(*_TICKET_COLUMNS)
    return [TicketRow(*row) for row in tuples(insert)]


def lock_tickets(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, TicketRow]:
    """Return the stored tickets of these numbers, locked until the commit. Lock tickets before roles, never after."""
    numbers = sorted(set(ticket_numbers))
    if not numbers:
        return {}
    query = (
        TicketSnapshot.select(*_TICKET_COLUMNS)
        .where(TicketSnapshot.ticket_number.in_(numbers))
        .order_by(TicketSnapshot.ticket_number)
    )
    if not db.is_sqlite(tx.database):
        query = query.for_update()
    return {row[0]: TicketRow(*row) for row in tuples(query)}


def write_statuses(tx: Transaction, statuses: Mapping[str, str]) -> list[StatusChange]:
    """Write the new status of each ticket and make its status version one higher; return what was written."""
    if not statuses:
        return []
    numbers = sorted(statuses)
    update = TicketSnapshot.update(
        status=_choose(TicketSnapshot.ticket_number, statuses),
        status_version=TicketSnapshot.status_version + 1,
    ).where(TicketSnapshot.ticket_number.in_(numbers))
    written = update.returning(
        TicketSnapshot.ticket_number,
        TicketSnapshot.status,
        TicketSnapshot.status_version,
        TicketSnapshot.through_gateway,
    )
    return sorted(StatusChange(*row) for row in tuples(written))


def write_request_versions(tx: Transaction, versions: Mapping[str, int]) -> None:
    """Note the newest withdrawal or reopening applied to each ticket."""
    if versions:
        TicketSnapshot.update(request_version=_choose(TicketSnapshot.ticket_number, versions)).where(
            TicketSnapshot.ticket_number.in_(sorted(versions))
        ).execute()


def _choose(key: pw.Field, values: Mapping[Any, Any]) -> Any:
    return choose(key, list(values.items()))


def choose(key: pw.Field, values: Sequence[tuple[Any, Any]]) -> Any:
    """Return the SQL expression that gives each row the value of its key; one value for all is written as itself."""
    distinct = {value for _, value in values}
    if len(distinct) == 1:
        return distinct.pop()
    return pw.Case(key, values)
