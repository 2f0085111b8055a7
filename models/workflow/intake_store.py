"""Storing of intake and of status changes: snapshots, and the versions of their status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import peewee as pw

from baton.models.statements import Statement
from baton.models.transaction import Transaction
from baton.models.workflow.rows import insert_rows, update_rows
from baton.models.workflow.sla_journal import note_statuses
from baton.models.workflow.work import TicketSnapshot, TicketWords


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


_TICKET_COLUMNS: list[pw.Field] = [getattr(TicketSnapshot, name) for name in TicketRow._fields]
_TICKETS = Statement(
    lambda among: (
        TicketSnapshot.select(*_TICKET_COLUMNS).where(among(TicketSnapshot.ticket_number)).order_by(TicketSnapshot.ticket_number)
    )
)
_SNAPSHOT_FIELDS: list[pw.Field] = [
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
    tickets = sorted(tickets, key=lambda each: each.number)
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
        for ticket in tickets
    ]
    stored = insert_rows(tx, _SNAPSHOT_FIELDS, rows, ignore=True, returning=[TicketSnapshot.id, *_TICKET_COLUMNS])
    kept = [(id_, TicketRow(*columns)) for id_, *columns in stored]
    words = {ticket.number: ticket.words for ticket in tickets}
    insert_rows(tx, [TicketWords.id, TicketWords.words], [(id_, words[row.ticket_number]) for id_, row in kept])
    return [row for _, row in kept]


def lock_tickets(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, TicketRow]:
    """Return the stored tickets of these numbers, locked until the commit. Lock tickets before roles, never after."""
    numbers = sorted(set(ticket_numbers))
    if not numbers:
        return {}
    return {row[0]: TicketRow(*row) for row in _TICKETS.tuples(numbers, lock=True)}


def write_statuses(tx: Transaction, statuses: Mapping[str, str]) -> list[StatusChange]:
    """Write the new status of each ticket, one version further, and in its journal; return what was written."""
    table = TicketSnapshot
    written = update_rows(
        tx,
        table.ticket_number,
        [table.status],
        [(number, statuses[number], 1) for number in sorted(statuses)],
        add=[table.status_version],
        returning=[table.ticket_number, table.status, table.status_version, table.through_gateway],
    )
    changes = sorted(StatusChange(*row) for row in written)
    note_statuses(tx, [(change.ticket_number, change.status, change.version) for change in changes])
    return changes


def write_request_versions(tx: Transaction, versions: Mapping[str, int]) -> None:
    """Note the newest withdrawal or reopening applied to each ticket."""
    update_rows(tx, TicketSnapshot.ticket_number, [TicketSnapshot.request_version], sorted(versions.items()))
