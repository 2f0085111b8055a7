"""
What a ticket's live followers are told: each entry of its stream as one message, the same over WebSockets and streams of events.

    {"type": "comment_message", "number": 7, "comment": {...}}    a comment or an internal note was written
    {"type": "entry_edited", "number": 8, "comment": {...}}       comment.number says which; as it reads now
    {"type": "entry_deleted", "number": 9, "comment": {...}}      likewise, without its text
    {"type": "ticket_event", "number": 10, "event": {...}}        the ticket changed: status, assignment, SLA ...

A comment also says its text as `content` and its author as `user_id` (a user's number, or a subject such as `employee:101`):
clients of the former service look there.

`number` is the entry's place in the stream: what to come back with as `since`. An entry looks the same to everybody who may see
it (only its author is shown their `client_id`, in the `ack`), so that one encoding serves the whole room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from baton.http.messaging.views import entry_dicts
from baton.http.socket_line import frame_of
from baton.models.messaging import Entry, changes, stream
from baton.pipelines.conversation import PUBLIC, STAFF, Viewer

#: Sees every entry, and is the author of none.
EVERYTHING = Viewer("", STAFF, sees_internal=True)
_CHANGES = {changes.EDITED: "entry_edited", changes.DELETED: "entry_deleted"}


@dataclass(frozen=True)
class Told:
    """An entry as it is told: its number, whether only staff are told, and the message."""

    number: int
    internal: bool
    message: dict[str, Any]

    @cached_property
    def frame(self) -> bytes:
        """The message as a WebSocket frame."""
        return frame_of(self.message)


def changes_comments(news: Told) -> bool:
    """Whether what was told of a comment before is out of date with this."""
    message = news.message
    return message["type"] in _CHANGES.values() or _lost_file(message) is not None


def restated(old: Told, news: Told) -> Told:
    """Return an entry that was told before as it is told after a change: nothing that was taken back is told again."""
    comment, lost = old.message.get("comment"), _lost_file(news.message)
    if comment is None:
        return old
    if lost is not None:
        kept = [file for file in comment["attachments"] if file["id"] != lost]
        return old if kept == comment["attachments"] else _with(old, {**comment, "attachments": kept})
    now = news.message["comment"]
    return _with(old, now) if comment["number"] == now["number"] else old


def _with(old: Told, comment: dict[str, Any]) -> Told:
    return Told(old.number, old.internal, {**old.message, "comment": comment})


def _lost_file(message: dict[str, Any]) -> str | None:
    """Return the id of the file that an event says was deleted."""
    event = message["event"]["event"] if message["type"] == "ticket_event" else None
    return str(event["detail"]["attachment"]) if event is not None and event["kind"] == "attachment_deleted" else None


def told_since(ticket_number: str, number: int, viewer: Viewer = EVERYTHING, limit: int = stream.MOST_ENTRIES) -> list[Told]:
    """Return what the viewer is told of a ticket after `number`, oldest first; within a transaction, three queries at most."""
    return told(stream.read_since(ticket_number, number, viewer, limit))


def told(entries: Sequence[Entry]) -> list[Told]:
    """Return how entries of one ticket are told; edited and deleted comments are read as they are now."""
    views = entry_dicts(entries, EVERYTHING)
    changed = _changed(views)
    return [
        Told(view["number"], entry.visibility != PUBLIC, _message(view, changed))
        for entry, view in zip(entries, views, strict=True)
    ]


def _message(view: dict[str, Any], changed: dict[int, dict[str, Any]]) -> dict[str, Any]:
    event = view["event"]
    if event is None:
        return {"type": "comment_message", "number": view["number"], "comment": _as_of_old(view)}
    comment = changed.get(event["detail"].get("number")) if event["kind"] in _CHANGES else None
    if comment is not None:
        return {"type": _CHANGES[event["kind"]], "number": view["number"], "comment": _as_of_old(comment)}
    return {"type": "ticket_event", "number": view["number"], "event": view}


def _as_of_old(comment: dict[str, Any]) -> dict[str, Any]:
    kind, _, named = comment["author"]["id"].partition(":")
    user = int(named) if kind == "user" and named.isascii() and named.isdigit() else comment["author"]["id"]
    return {**comment, "content": comment["body"], "user_id": user}


def _changed(views: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    numbers = {
        view["event"]["detail"].get("number") for view in views if view["event"] is not None and view["event"]["kind"] in _CHANGES
    }
    if not numbers:
        return {}
    query = Entry.select().where(Entry.ticket_number == views[0]["ticket_number"], Entry.number.in_(sorted(numbers)))
    return {view["number"]: view for view in entry_dicts(list(query), EVERYTHING)}
