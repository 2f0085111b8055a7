"""Writing a comment: the same act over HTTP and over a live connection."""

from __future__ import annotations

from dataclasses import dataclass

from baton.http.api import NotFound
from baton.http.messaging.seeing import Seen, lock_seen
from baton.models.messaging import Entry, files, stream
from baton.models.messaging.stream import NewEntry
from baton.models.transaction import Transaction
from baton.pipelines.comment_notices import Written, about_comment
from baton.pipelines.conversation import (
    COMMENT,
    INTERNAL,
    PUBLIC,
    CommentRefusedError,
    Viewer,
    decide_comment,
    may_see_entry,
)
from baton.pipelines.markdown import RENDERING, render
from baton.pipelines.permissions import Principal
from baton.pipelines.searching import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A comment as somebody wants to write it; the fields are those of `NewComment`."""

    body: str
    visibility: str = PUBLIC
    client_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that is in the stream now; `was_new` is false when its writer's `client_id` was there before."""

    entry: Entry
    viewer: Viewer
    was_new: bool


def write_comment(tx: Transaction, principal: Principal, ticket_number: str, draft: Draft, *, notices: bool) -> Comment:
    """
    Store a comment and announce it; the same `client_id` of the same writer is the same comment and announces nothing.

    Raises:
        NotFound: there is no such ticket, or none for this writer.
        CommentRefusedError: it may not be written so; nothing was stored.
    """
    seen = lock_seen(tx, principal, ticket_number)
    known = _known(seen, draft)
    if known is not None:
        return Comment(known, seen.viewer, was_new=False)
    attached = tuple(dict.fromkeys(draft.attachments))
    mentions = decide_comment(
        seen.viewer, seen.facts, body=draft.body, visibility=draft.visibility, mentions=draft.mentions, attachments=len(attached)
    )
    _check_reply(seen, draft)
    new = NewEntry(
        kind=COMMENT,
        visibility=draft.visibility,
        author=principal.subject,
        author_name=principal.name,
        side=seen.viewer.side,
        body=draft.body,
        body_html=render(draft.body),
        words=words_of(draft.body),
        rendering=RENDERING,
        client_id=draft.client_id,
        reply_to=draft.reply_to,
        mentions=mentions,
        attachment_count=len(attached),
    )
    entry, was_new = stream.add_comment(tx, seen.room, new)
    if files.claim(entry, attached) != len(attached):
        raise CommentRefusedError("attachments", "must be files that you sent to this ticket and that no comment has yet")
    announce_comment(tx, seen, entry, mentions, notices=notices)
    return Comment(entry, seen.viewer, was_new)


def _known(seen: Seen, draft: Draft) -> Entry | None:
    if draft.client_id is None:
        return None
    found = stream.find_by_client_id(seen.room.ticket_number, seen.viewer.subject, draft.client_id)
    if found is not None and not may_see_entry(seen.viewer, found.visibility):
        # Written when they still saw internal notes of this ticket.
        raise NotFound("there is no such comment")
    return found


def _check_reply(seen: Seen, draft: Draft) -> None:
    if draft.reply_to is None:
        return
    answered = stream.find_entry(seen.room.ticket_number, draft.reply_to, seen.viewer)
    if answered is None or answered.kind != COMMENT:
        raise CommentRefusedError("reply_to", "is no comment of this ticket")
    if answered.visibility == INTERNAL and draft.visibility == PUBLIC:
        raise CommentRefusedError("reply_to", "is an internal note: answer it with one")


def announce_comment(tx: Transaction, seen: Seen, entry: Entry, mentions: tuple[str, ...], *, notices: bool) -> None:
    """Tell the other services of a comment that has just been stored."""
    written = Written(
        number=entry.number,
        author=entry.author,
        author_name=entry.author_name,
        side=entry.side,
        visibility=entry.visibility,
        body=entry.body,
        mentions=mentions,
        written_at=entry.created_at,
    )
    for message in about_comment(seen.facts, written, notices=notices):
        tx.announce(message, ticket_number=entry.ticket_number)
