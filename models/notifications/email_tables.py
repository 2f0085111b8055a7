"""The tables of what is mailed. A row is written in the transaction of the notifications that it is about."""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField
from baton.models.notifications.tables import NotificationsTable

PENDING, SENDING, SENT, FAILED, SKIPPED, UNCERTAIN = "pending", "sending", "sent", "failed", "skipped", "uncertain"


class EmailDelivery(NotificationsTable):
    """
    A mail to one recipient about the notifications whose `email` is its id; due from `send_after` while it is pending.

    Mails of one `digest_key` gather notifications until they are sent; whoever claims one locks its row. `message_id` is that of
    the mail, without its domain, and never changes. `ticket_number` and `type` are those of the notification; null in a digest.

    `subject` and `message` are those of a mail that is about no notification. `claim` names who is sending it, until
    `claimed_until`; `handed_over_at` is when the whole of it was with the server, whose answer is awaited: a sender that dies
    then leaves it `uncertain`. `retries` are those used up, `attempts` all that were begun. `reference` is the provider's name
    for it.
    """

    id = pw.BigAutoField()
    recipient = pw.TextField()
    digest_key = pw.TextField(null=True)
    ticket_number = pw.TextField(null=True)
    type = pw.TextField(null=True)
    task_item_id = pw.BigIntegerField(null=True)
    message_id = pw.TextField(unique=True)
    state = pw.TextField(default=PENDING)
    send_after = InstantField()
    attempts = pw.IntegerField(default=0)
    last_tried_at = InstantField(null=True)
    error = pw.TextField(default="")
    created_at = InstantField()
    sent_at = InstantField(null=True)
    subject = pw.TextField(null=True)
    message = pw.TextField(null=True)
    retries = pw.IntegerField(default=0)
    claim = pw.TextField(null=True)
    claimed_until = InstantField(null=True)
    handed_over_at = InstantField(null=True)
    reference = pw.TextField(default="")

    class Meta:
        indexes = (
            (("state", "send_after", "id"), False),
            (("recipient", "state", "digest_key"), False),
            (("state", "claimed_until"), False),
        )


class FailedNotification(NotificationsTable):
    """
    A mail that could not be delivered so far: one row for each, kept when it was delivered at last (`resolved`).

    `given_up`: nothing more happens by itself. `retry_count` are the retries used up, `last_retry` when the last one was made.
    `bounced`: the mail was taken and came back.
    """

    id = pw.BigAutoField()
    delivery = pw.BigIntegerField(unique=True)
    recipient = pw.TextField()
    type = pw.TextField()
    ticket_number = pw.TextField(null=True)
    task_item_id = pw.BigIntegerField(null=True)
    error = pw.TextField()
    retry_count = pw.IntegerField(default=0)
    last_retry = InstantField(null=True)
    next_retry = InstantField(null=True)
    given_up = pw.BooleanField(default=False)
    bounced = pw.BooleanField(default=False)
    resolved = pw.BooleanField(default=False)
    resolved_at = InstantField(null=True)
    resolved_by = pw.TextField(default="")
    created_at = InstantField()

    class Meta:
        indexes = (
            (("resolved", "id"), False),
            (("resolved", "given_up", "id"), False),
            (("resolved", "resolved_at"), False),
            (("ticket_number", "id"), False),
            (("recipient", "id"), False),
        )


class CircuitBreaker(NotificationsTable):
    """The breaker around the calls to one outside service (`auth`, `smtp`, `sendgrid`), shared by every process."""

    name = pw.TextField(primary_key=True)
    failures = pw.IntegerField(default=0)
    opened_at = InstantField(null=True)
    trial_at = InstantField(null=True)
    error = pw.TextField(default="")
    changed_at = InstantField()


EMAIL_TABLES: list[type[pw.Model]] = [EmailDelivery, FailedNotification, CircuitBreaker]
