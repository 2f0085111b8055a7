"""Changing and deleting comments: what they said is kept for staff, and the stream tells that they changed."""

from __future__ import annotations

import json

from baton.http.api import Call, Forbidden, Reply
from baton.http.messaging.seeing import Seen, lock_seen, refused, seen_entry
from baton.http.messaging.views import CommentChange, entry_view
from baton.models.messaging import Entry, changes
from baton.models.messaging.stream import NewEntry
from baton.pipelines.comment_notices import Written, about_new_mentions, comment_event
from baton.pipelines.conversation import (
    EVENT,
    CommentRefusedError,
    check_body,
    check_mentions,
    decide_deletion,
    decide_edit,
)
from baton.pipelines.markdown import RENDERING, render
from baton.pipelines.notification_messages import RetractNotifications
from baton.pipelines.searching import words_of


def edit_comment(call: Call, body: CommentChange) -> Reply:
    """The comment says something else from now on; If-Match keeps two changes from meeting unseen."""
    seen = lock_seen(call.tx, call.principal, call.params["ticket_number"])
    entry = seen_entry(call, seen)
    age = (call.now - entry.created_at).total_seconds()
    try:
        decide_edit(
            seen.viewer, author=entry.author, kind=entry.kind, deleted=entry.deleted_at is not None, imported=entry.imported,
            age_seconds=age, within=call.settings.comment_edit_seconds,
        )  # fmt: skip
    except CommentRefusedError as error:
        raise Forbidden(error.reason) from None
    call.require_match(entry.version)
    try:
        check_body(body.body, entry.attachment_count)
        wanted = json.loads(entry.mentions) if body.mentions is None else body.mentions
        mentions = wanted if body.mentions is None else check_mentions(seen.facts, entry.visibility, wanted)
    except CommentRefusedError as error:
        raise refused(error) from None
    mentioned_before = json.loads(entry.mentions)
    if (body.body, list(mentions)) != (entry.body, mentioned_before):
        if call.settings.notifications:
            _tell_new(call, seen, entry, body.body, tuple(each for each in mentions if each not in mentioned_before))
        changes.edit_entry(
            call.tx, seen.room, entry, body=body.body, body_html=render(body.body), words=words_of(body.body),
            rendering=RENDERING, mentions=mentions, by=_told(call, seen, entry, changes.EDITED),
        )  # fmt: skip
    return Reply(entry_view(entry, seen.viewer), etag=entry.version)


def delete_comment(call: Call) -> Reply:
    """The comment stays in its place without text and files; deleting it again changes nothing."""
    seen = lock_seen(call.tx, call.principal, call.params["ticket_number"])
    entry = seen_entry(call, seen)
    try:
        decide_deletion(seen.viewer, author=entry.author, kind=entry.kind)
    except CommentRefusedError as error:
        raise Forbidden(error.reason) from None
    if entry.deleted_at is None:
        call.require_match(entry.version)
        changes.delete_entry(call.tx, seen.room, entry, by=_told(call, seen, entry, changes.DELETED))
        if call.settings.notifications:
            # What people were told of it shows a piece of its text.
            number = seen.room.ticket_number
            call.tx.announce(RetractNotifications(event=comment_event(number, entry.number)), ticket_number=number)
    return Reply(entry_view(entry, seen.viewer), etag=entry.version)


def _tell_new(call: Call, seen: Seen, entry: Entry, body: str, mentions: tuple[str, ...]) -> None:
    written = Written(
        number=entry.number, author=entry.author, author_name=entry.author_name, side=entry.side, visibility=entry.visibility,
        body=body, mentions=mentions, written_at=entry.created_at,
    )  # fmt: skip
    for message in about_new_mentions(seen.facts, written):
        call.tx.announce(message, ticket_number=entry.ticket_number)


def _told(call: Call, seen: Seen, entry: Entry, what: str) -> NewEntry:
    """Return the event that tells of a change to those who see the comment, and to nobody else. It carries no text of it."""
    return NewEntry(
        kind=EVENT,
        visibility=entry.visibility,
        author=call.principal.subject,
        author_name=call.principal.name,
        side=seen.viewer.side,
        event_kind=what,
        # The version makes it a change of its own: the same comment may be changed many times.
        detail={"number": entry.number, "version": entry.version + 1},
    )
