"""The tables of the conversation service."""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField, service_database


class MessagingTable(pw.Model):
    """Root of the conversation service's tables."""

    class Meta:
        database = service_database("messaging")
        legacy_table_names = False


class Room(MessagingTable):
    """
    A ticket as workflow told of it last (`version`): who its requester is, who works on it, which roles see it.

    `participants`, `assignees` and `roles` are JSON lists. The requester's columns may each be null. `last_number` is the number
    of the newest entry of its stream; whoever adds one holds this row's lock.
    """

    ticket_number = pw.TextField(primary_key=True)
    version = pw.BigIntegerField()
    subject = pw.TextField(default="")
    status = pw.TextField()
    requester_employee_id = pw.TextField(null=True)
    requester_user_id = pw.TextField(null=True)
    requester_email = pw.TextField(null=True)
    requester_name = pw.TextField(null=True)
    owner = pw.TextField(null=True)
    participants = pw.TextField(default="[]")
    assignees = pw.TextField(default="[]")
    roles = pw.TextField(default="[]")
    last_number = pw.BigIntegerField(default=0)
    updated_at = InstantField()


class Entry(MessagingTable):
    """
    One entry of a ticket's stream: a comment (public, or internal: a note) or an event, numbered from 1 within the ticket.

    `author` is a principal's subject, `imported:SOURCE:NAME` for what another system's people wrote, or `system:workflow`.
    `body` is Markdown as written (an event's text as it is shown), `body_html` what `rendering` (the renderer's version) made of
    it, `words` those by which a comment is found. `original_html` is kept for the record and never shown. `mentions` is a JSON
    list of subjects, `detail` an event's JSON. `client_id` is the author's own name for it: the same again is the same entry. A
    deleted comment keeps its row, without text.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField()
    number = pw.BigIntegerField()
    kind = pw.TextField()
    visibility = pw.TextField()
    author = pw.TextField()
    author_name = pw.TextField(default="")
    side = pw.TextField()
    event_kind = pw.TextField(null=True)
    detail = pw.TextField(null=True)
    body = pw.TextField(default="")
    body_html = pw.TextField(default="")
    words = pw.TextField(default="")
    rendering = pw.IntegerField(default=0)
    original_html = pw.TextField(null=True)
    client_id = pw.TextField(null=True)
    reply_to = pw.BigIntegerField(null=True)
    mentions = pw.TextField(default="[]")
    attachment_count = pw.IntegerField(default=0)
    imported = pw.BooleanField(default=False)
    version = pw.IntegerField(default=1)
    created_at = InstantField()
    edited_at = InstantField(null=True)
    deleted_at = InstantField(null=True)
    deleted_by = pw.TextField(null=True)

    class Meta:
        indexes = ((("ticket_number", "number"), True), (("ticket_number", "author", "client_id"), True))


class EntryRevision(MessagingTable):
    """What a comment said before it was changed or deleted (`what`): the text of that version, and who changed it when."""

    id = pw.BigAutoField()
    ticket_number = pw.TextField()
    number = pw.BigIntegerField()
    version = pw.IntegerField()
    what = pw.TextField()
    body = pw.TextField()
    changed_by = pw.TextField()
    changed_at = InstantField()

    class Meta:
        indexes = ((("ticket_number", "number", "version"), True),)


class Attachment(MessagingTable):
    """
    A file of a ticket's conversation; its bytes lie outside any web root under `stored_as`, a random name.

    It belongs to whoever sent it (`author`) until a comment of theirs claims it (`entry_number`), and is then seen by whoever
    sees that comment. `scan` is `none` (no scanner is set), `waiting`, `clean` or `infected`; `scan_due_at` is when a waiting one
    is to be scanned (again). `removed_at`: nobody gets it any more, its file may go.
    """

    id = pw.TextField(primary_key=True)
    ticket_number = pw.TextField()
    author = pw.TextField()
    entry_number = pw.BigIntegerField(null=True)
    filename = pw.TextField()
    media_type = pw.TextField()
    size = pw.BigIntegerField()
    sha256 = pw.TextField()
    stored_as = pw.TextField(unique=True)
    scan = pw.TextField(default="none")
    scan_attempts = pw.IntegerField(default=0)
    scan_due_at = InstantField(null=True, index=True)
    created_at = InstantField()
    sweep_at = InstantField(null=True, index=True)
    removed_at = InstantField(null=True)

    class Meta:
        indexes = ((("ticket_number", "entry_number"), False), (("author", "entry_number"), False))


TABLES: list[type[pw.Model]] = [Room, Entry, EntryRevision, Attachment]
