"""What was said on a ticket, for `baton trace`: who wrote when, never the text."""

from __future__ import annotations

from typing import Any

from baton.models import database as db
from baton.models.messaging.tables import Attachment, Entry, EntryRevision

#: Rows of each kind that a journey shows at most.
_MOST = 1_000


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """
    Return what was said on a ticket, oldest first: `at`, `service`, `event`, `detail` (one line, without the text).

    The stream's events are left out: they tell what the other services' journeys tell.
    """
    with db.read_tx("messaging"):
        events = [*_comments(ticket_number), *_changes(ticket_number), *_files(ticket_number)]
    told = ({"at": at, "service": "messaging", "event": event, "detail": detail} for at, event, detail in events)
    return sorted(told, key=lambda entry: entry["at"])


def _comments(ticket_number: str) -> list[tuple[Any, str, str]]:
    e = Entry
    query: Any = e.select(e.created_at, e.visibility, e.number, e.author, e.imported)
    query = query.where(e.ticket_number == ticket_number, e.kind == "comment").order_by(e.number).limit(_MOST)
    return [
        (at, "note" if visibility == "internal" else "comment", f"{number} by {author}{', imported' if imported else ''}")
        for at, visibility, number, author, imported in query.tuples()
    ]


def _changes(ticket_number: str) -> list[tuple[Any, str, str]]:
    r = EntryRevision
    query: Any = r.select(r.changed_at, r.what, r.number, r.changed_by).where(r.ticket_number == ticket_number)
    query = query.order_by(r.number, r.version).limit(_MOST)
    return [(at, f"comment {what}", f"{number} by {who}") for at, what, number, who in query.tuples()]


def _files(ticket_number: str) -> list[tuple[Any, str, str]]:
    a = Attachment
    query: Any = a.select(a.created_at, a.size, a.scan, a.author, a.entry_number).where(a.ticket_number == ticket_number)
    query = query.order_by(a.created_at, a.id).limit(_MOST)
    return [
        (at, "file sent", f"{size} bytes by {author}, {'not used yet' if number is None else f'with {number}'}, scan: {scan}")
        for at, size, scan, author, number in query.tuples()
    ]
