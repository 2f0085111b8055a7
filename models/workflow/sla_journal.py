"""The journal that clocks are worked out from: what a ticket became, and who replied, written with what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import peewee as pw

from baton.models.transaction import Transaction
from baton.models.workflow.rows import dicts, insert_rows
from baton.models.workflow.sla_tables import TicketChange, TicketReply
from baton.models.workflow.work import TicketSnapshot

#: Where a ticket may first be put: nothing that its clocks need to be told beside its arrival.
_BEGINNINGS = frozenset({"In Triage", "Pending", "Assigned"})
_CHANGE: list[pw.Field] = [
    TicketChange.ticket_number,
    TicketChange.field,
    TicketChange.before,
    TicketChange.value,
    TicketChange.at,
]


def note_statuses(tx: Transaction, written: Iterable[tuple[str, str, int]]) -> None:
    """Note (ticket number, status, version), but for the first status of a new ticket."""
    rows = [
        (number, "status", None, status, tx.now)
        for number, status, version in written
        if version > 1 or status not in _BEGINNINGS
    ]
    insert_rows(tx, _CHANGE, rows)


def note_names(tx: Transaction, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Note what tickets' priority, category and department become, by ticket number; call it before they are written."""
    if not changes:
        return
    s = TicketSnapshot
    query = s.select(s.ticket_number, s.priority, s.category, s.department).where(s.ticket_number.in_(sorted(changes)))
    before = {row["ticket_number"]: row for row in dicts(query)}
    rows = [
        (number, name, before[number][name], value, tx.now)
        for number, named in sorted(changes.items())
        for name, value in named.items()
        if number in before and before[number].get(name, value) != value
    ]
    insert_rows(tx, _CHANGE, rows)


def store_replies(tx: Transaction, replies: Iterable[tuple[str, str, str, str, datetime]]) -> list[str]:
    """Keep (comment id, ticket number, side, author, written at), each comment once; return the tickets of the new ones."""
    r = TicketReply
    fields: list[pw.Field] = [r.comment_id, r.ticket_number, r.side, r.author, r.at]
    return [row[0] for row in insert_rows(tx, fields, replies, ignore=True, returning=[r.ticket_number])]
