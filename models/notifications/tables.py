"""
The tables of the notifications service: what people were told, and how they want to be told.

A recipient is a subject: `user:7` (staff) or `employee:3` (a requester). A recipient's notifications are numbered in the order
in which they were committed, so that a list or stream that has seen one number never misses a lower one.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField, service_database


class NotificationsTable(pw.Model):
    """Root of the notifications service's tables."""

    class Meta:
        database = service_database("notifications")
        legacy_table_names = False


class Mailbox(NotificationsTable):
    """A recipient's newest number and how many shown notifications are unread. Its row is the lock of whatever changes these."""

    recipient = pw.TextField(primary_key=True)
    newest = pw.BigIntegerField(default=0)
    unread = pw.BigIntegerField(default=0)


class Notification(NotificationsTable):
    """
    Something that somebody was told, once per event. `in_app` false: it is not shown, only mailed or kept from repeating.

    `reason` is a key of the table of reasons; `detail` the JSON of the message's metadata; `roles` the JSON list of the
    `system:Role` pairs of which a member of staff must hold one to be told still (empty: any). `email` is the mail it goes with.
    """

    id = pw.BigAutoField()
    recipient = pw.TextField()
    number = pw.BigIntegerField()
    event_key = pw.TextField()
    type = pw.TextField()
    reason = pw.TextField()
    subject = pw.TextField()
    message = pw.TextField()
    ticket_number = pw.TextField(null=True)
    task_item_id = pw.BigIntegerField(null=True)
    detail = pw.TextField(default="{}")
    roles = pw.TextField(default="[]")
    in_app = pw.BooleanField()
    unread = pw.BooleanField()
    read_at = InstantField(null=True)
    email = pw.BigIntegerField(null=True, index=True)
    created_at = InstantField(index=True)

    class Meta:
        indexes = (
            (("event_key", "recipient"), True),
            (("recipient", "number"), True),
            (("recipient", "in_app", "number"), False),
            (("recipient", "in_app", "unread", "number"), False),
            (("recipient", "in_app", "type", "number"), False),
            (("recipient", "in_app", "ticket_number", "number"), False),
            (("ticket_number", "id"), False),
        )


class Preference(NotificationsTable):
    """What a recipient chose for a type and channel; where there is no row the table of audiences says it."""

    recipient = pw.TextField()
    type = pw.TextField()
    channel = pw.TextField()
    enabled = pw.BooleanField()

    class Meta:
        primary_key = pw.CompositeKey("recipient", "type", "channel")


class TicketMute(NotificationsTable):
    """A recipient does not want to hear of a ticket, but of what gives them work."""

    recipient = pw.TextField()
    ticket_number = pw.TextField()
    muted_at = InstantField()

    class Meta:
        primary_key = pw.CompositeKey("recipient", "ticket_number")


class UserSettings(NotificationsTable):
    """
    How a recipient wants to be told; without a row the defaults hold. Minutes are of the day, by the clock of `time_zone`.

    `quiet_days` are digits, 0 for Monday.
    """

    recipient = pw.TextField(primary_key=True)
    time_zone = pw.TextField()
    language = pw.TextField()
    digest = pw.TextField()
    digest_minute = pw.IntegerField()
    quiet_start = pw.IntegerField()
    quiet_end = pw.IntegerField()
    quiet_days = pw.TextField(default="")
    breaches_through = pw.BooleanField(default=False)
    updated_at = InstantField()


class Retraction(NotificationsTable):
    """An event that was undone: notifications of it that come later are kept out."""

    event_key = pw.TextField(primary_key=True)
    retracted_at = InstantField(index=True)


TABLES: list[type[pw.Model]] = [Mailbox, Notification, Preference, TicketMute, UserSettings, Retraction]
