"""
The store of streams: what was said and what happened on a ticket, in one numbered order.

Numbers are given out under the lock of the ticket's room and committed with the entry, so that whoever has seen number N has seen
every entry up to N that is theirs to see. All functions run inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import peewee as pw

from baton.models.messaging.tables import Attachment, Entry, Room
from baton.models.rows import insert_rows, update_rows
from baton.models.transaction import Transaction

#: Most entries that one read returns.
MOST_ENTRIES = 200


class Viewer(Protocol):
    """Who looks: `conversation.Viewer`."""

    @property
    def subject(self) -> str:
        """Their subject, such as `user:7`."""

    @property
    def sees_internal(self) -> bool:
        """Whether internal entries are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry as it is to be stored; the fields are those of the table. `created_at` None is the transaction's time."""

    kind: str
    visibility: str
    author: str
    side: str
    author_name: str = ""
    body: str = ""
    body_html: str = ""
    words: str = ""
    rendering: int = 0
    event_kind: str | None = None
    detail: Mapping[str, Any] | None = None
    client_id: str | None = None
    reply_to: int | None = None
    mentions: Sequence[str] = ()
    attachment_count: int = 0
    original_html: str | None = None
    imported: bool = False
    created_at: datetime | None = None


def add_entries(
    tx: Transaction, rooms: Mapping[str, Room], news: Iterable[tuple[str, NewEntry]], *, store: bool = True
) -> list[tuple[Entry, bool]]:
    """
    Add entries to the streams of rooms that `lock_rooms` locked, in the given order; return each with whether it is new.

    An entry whose author named it (`client_id`) before is the one already there, and changes nothing. Without `store` the caller
    stores the rooms, whose `last_number` grew.
    """
    news = list(news)
    known = _known(news)
    found: list[tuple[Entry, bool]] = []
    fresh: list[Entry] = []
    for ticket_number, new in news:
        name = (ticket_number, new.author, new.client_id)
        if new.client_id is not None and name in known:
            found.append((known[name], False))
            continue
        room = rooms[ticket_number]
        room.last_number += 1
        entry = _entry(ticket_number, room.last_number, new, tx.now)
        known[name] = entry
        fresh.append(entry)
        found.append((entry, True))
    _insert(tx, fresh, rooms, store)
    return found


def add_comment(tx: Transaction, room: Room, new: NewEntry) -> tuple[Entry, bool]:
    """Add one entry to a locked room's stream; return it with whether it is new (see `add_entries`)."""
    return add_entries(tx, {room.ticket_number: room}, [(room.ticket_number, new)])[0]


def read_since(ticket_number: str, number: int, viewer: Viewer, limit: int = MOST_ENTRIES, *, text: str = "") -> list[Entry]:
    """Return the entries after `number` that the viewer sees, oldest first, at most `limit`; with `text`, those that hold it."""
    found = _holding(text, _visible(ticket_number, viewer)).where(Entry.number > number).order_by(Entry.number)
    return list(found.limit(max(1, min(limit, MOST_ENTRIES))))


def read_before(
    ticket_number: str, number: int | None, viewer: Viewer, limit: int = MOST_ENTRIES, *, text: str = ""
) -> list[Entry]:
    """Return the last entries before `number` (None: the newest) that the viewer sees, as `read_since` does."""
    found = _holding(text, _visible(ticket_number, viewer))
    if number is not None:
        found = found.where(Entry.number < number)
    return list(found.order_by(Entry.number.desc()).limit(max(1, min(limit, MOST_ENTRIES))))[::-1]


def find_entry(ticket_number: str, number: int, viewer: Viewer) -> Entry | None:
    """Return one entry; None when there is none that the viewer sees."""
    return _visible(ticket_number, viewer).where(Entry.number == number).get_or_none()


def find_by_client_id(ticket_number: str, author: str, client_id: str) -> Entry | None:
    """Return the entry that its author named so, None when there is none."""
    named = (Entry.ticket_number == ticket_number) & (Entry.author == author) & (Entry.client_id == client_id)
    return Entry.get_or_none(named)


def author_names(ticket_number: str, visibility: str | None) -> dict[str, str]:
    """Return the names of those who wrote on a ticket, by subject; `visibility` limits it to what was written so."""
    found = Entry.select(Entry.author, Entry.author_name).distinct().where(Entry.ticket_number == ticket_number)
    found = found.where((Entry.kind == "comment") & (Entry.author_name != ""))
    if visibility is not None:
        found = found.where(Entry.visibility == visibility)
    rows: Iterable[Any] = found.tuples()
    return dict(rows)


def attachments_of(entries: Iterable[Entry]) -> dict[tuple[str, int], list[Attachment]]:
    """Return the files of these entries, by ticket and entry number; no query when none has any."""
    having = [entry for entry in entries if entry.attachment_count and entry.deleted_at is None]
    found: dict[tuple[str, int], list[Attachment]] = {}
    if not having:
        return found
    query = Attachment.select().where(
        Attachment.ticket_number.in_(sorted({entry.ticket_number for entry in having})),
        Attachment.entry_number.in_(sorted({entry.number for entry in having})),
        Attachment.removed_at.is_null(),
    )
    for each in query.order_by(Attachment.created_at, Attachment.id):
        found.setdefault((each.ticket_number, int(each.entry_number or 0)), []).append(each)
    return found


def view_of(entry: Entry, viewer: Viewer, attachments: Sequence[Attachment] | None = None) -> dict[str, Any]:
    """
    Return an entry as JSON for a viewer who may see it: the one shape of HTTP, WebSocket and server-sent events.

    `attachments` are the entry's files where the caller has read them already.
    """
    if attachments is None:
        attachments = attachments_of([entry]).get((entry.ticket_number, entry.number), [])
    deleted = entry.deleted_at is not None
    return {
        "id": f"{entry.ticket_number}:{entry.number}",
        "ticket_number": entry.ticket_number,
        "number": entry.number,
        "kind": entry.kind,
        "visibility": entry.visibility,
        "author": {"id": entry.author, "name": entry.author_name, "side": entry.side},
        "body": entry.body,
        "body_html": entry.body_html,
        "event": _event(entry),
        "reply_to": entry.reply_to,
        "mentions": json.loads(entry.mentions),
        "attachments": [] if deleted else [attachment_view(each) for each in attachments],
        "client_id": entry.client_id if viewer.subject == entry.author or entry.imported else None,
        "imported": entry.imported,
        "version": entry.version,
        "created_at": instant(entry.created_at),
        "edited_at": instant(entry.edited_at),
        "deleted": deleted,
        "deleted_at": instant(entry.deleted_at),
    }


def attachment_view(attachment: Attachment) -> dict[str, Any]:
    """Return a file as JSON for whoever may have it."""
    return {
        "id": attachment.id,
        "filename": attachment.filename,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "scan": attachment.scan,
        "created_at": instant(attachment.created_at),
    }


def instant(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 text in UTC."""
    return value.isoformat().replace("+00:00", "Z") if value is not None else None


def _visible(ticket_number: str, viewer: Viewer) -> Any:
    found = Entry.select().where(Entry.ticket_number == ticket_number)
    return found if viewer.sees_internal else found.where(Entry.visibility == "public")


def _holding(text: str, entries: Any) -> Any:
    """Limit entries of one ticket to those whose text holds this one, in upper or lower case."""
    return entries.where(Entry.body.contains(text)) if text else entries


def _event(entry: Entry) -> dict[str, Any] | None:
    if entry.event_kind is None:
        return None
    return {"kind": entry.event_kind, "detail": json.loads(entry.detail or "{}")}


def _known(news: Iterable[tuple[str, NewEntry]]) -> dict[tuple[str, str, str | None], Entry]:
    named = [(ticket_number, new.author, new.client_id) for ticket_number, new in news if new.client_id is not None]
    if not named:
        return {}
    tickets, authors, names = (sorted(set(column)) for column in zip(*named, strict=True))
    query = Entry.select().where(Entry.ticket_number.in_(tickets), Entry.author.in_(authors), Entry.client_id.in_(names))
    return {(entry.ticket_number, entry.author, entry.client_id): entry for entry in query}


def _entry(ticket_number: str, number: int, new: NewEntry, now: datetime) -> Entry:
    values = {name: getattr(new, name) for name in NewEntry.__dataclass_fields__}
    values["detail"] = None if new.detail is None else json.dumps(new.detail, ensure_ascii=False)
    values["mentions"] = json.dumps(list(new.mentions))
    values["created_at"] = new.created_at or now
    return Entry(ticket_number=ticket_number, number=number, **values)


def _insert(tx: Transaction, fresh: Sequence[Entry], rooms: Mapping[str, Room], store: bool) -> None:
    if not fresh:
        return
    fields = [field for field in Entry._meta.sorted_fields if not isinstance(field, pw.BigAutoField)]
    insert_rows(tx, fields, [[getattr(entry, field.name) for field in fields] for entry in fresh])
    grown = sorted({entry.ticket_number for entry in fresh})
    if store:
        update_rows(tx, Room.ticket_number, [Room.last_number], [(number, rooms[number].last_number) for number in grown])
    for number in grown:
        tx.signal(f"ticket:{number}", up_to=rooms[number].last_number)
