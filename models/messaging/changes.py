"""
The store of changes: comments edited and deleted, with what they said before.

A change is also told in the stream, as an event with the number of the comment, to those who see the comment: whoever follows
the stream by number learns of it, and reads the comment anew. All functions run inside the caller's transaction, with the room
locked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from baton.models.messaging.stream import NewEntry, add_comment
from baton.models.messaging.tables import Attachment, Entry, EntryRevision, Room
from baton.models.transaction import Transaction

EDITED, DELETED = "comment_edited", "comment_deleted"


def edit_entry(
    tx: Transaction,
    room: Room,
    entry: Entry,
    *,
    body: str,
    body_html: str,
    words: str,
    rendering: int,
    mentions: Sequence[str],
    by: NewEntry,
) -> Entry:
    """Store a comment's new text, keep the old one, and tell the stream (`by`: the event's author, side and visibility)."""
    _keep(tx, entry, "edited", by.author)
    entry.body, entry.body_html, entry.rendering, entry.words = body, body_html, rendering, words
    entry.mentions = json.dumps(list(mentions))
    entry.version, entry.edited_at = entry.version + 1, tx.now
    changed = [Entry.body, Entry.body_html, Entry.rendering, Entry.words, Entry.mentions, Entry.version, Entry.edited_at]
    entry.save(only=changed)
    add_comment(tx, room, by)
    return entry


def delete_entry(tx: Transaction, room: Room, entry: Entry, *, by: NewEntry) -> Entry:
    """Take a comment's text and files away, keep the text for staff, and tell the stream."""
    _keep(tx, entry, "deleted", by.author)
    entry.body = entry.body_html = entry.words = ""
    entry.original_html, entry.mentions = None, "[]"
    entry.version, entry.deleted_at, entry.deleted_by = entry.version + 1, tx.now, by.author
    entry.save()
    gone = (Attachment.ticket_number == entry.ticket_number) & (Attachment.entry_number == entry.number)
    Attachment.update(removed_at=tx.now, sweep_at=tx.now, scan_due_at=None).where(gone).execute()
    add_comment(tx, room, by)
    return entry


def revisions(entry: Entry) -> list[dict[str, Any]]:
    """Return what a comment said before, oldest first."""
    query = EntryRevision.select().where(
        (EntryRevision.ticket_number == entry.ticket_number) & (EntryRevision.number == entry.number)
    )
    names = ("version", "what", "body", "changed_by", "changed_at")
    return [{name: getattr(row, name) for name in names} for row in query.order_by(EntryRevision.version)]


def _keep(tx: Transaction, entry: Entry, what: str, changed_by: str) -> None:
    EntryRevision.create(
        ticket_number=entry.ticket_number,
        number=entry.number,
        version=entry.version,
        what=what,
        body=entry.body,
        changed_by=changed_by,
        changed_at=tx.now,
    )
