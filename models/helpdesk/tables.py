"""
The help desk's tables: whom it knows (told by auth) and the tickets as their requesters see them.

A ticket's number is its row id, so that filing needs one statement and no counter that everybody waits for. Its status is
the requester's copy of the workflow's: `workflow_status` and `status_version` are the newest news, `pending_request` a wish
(withdraw, reopen) that the workflow side has not answered yet.
"""

from __future__ import annotations

import re

import peewee as pw

from baton.models.database import InstantField, service_database

_NUMBER = re.compile(r"HD-([0-9]{8,18})\Z", re.IGNORECASE)


def number_of(row_id: int) -> str:
    """Return the ticket number of a row: `HD-` and at least eight digits."""
    return f"HD-{row_id:08d}"


def row_id_of(number: str) -> int | None:
    """Return the row id that a ticket number names; None when it is no number of this service."""
    match = _NUMBER.match(number)
    row_id = int(match[1]) if match else 0
    return row_id if row_id and number_of(row_id) == number.upper() else None


class _Table(pw.Model):
    class Meta:
        database = service_database("helpdesk")
        legacy_table_names = False


class Employee(_Table):
    """An employee as auth last told of them. `version` orders what was told; None when the teller keeps no order."""

    id = pw.TextField(primary_key=True)
    email = pw.TextField(default="")
    full_name = pw.TextField(default="")
    department = pw.TextField(default="")
    is_active = pw.BooleanField(default=True)
    version = pw.BigIntegerField(null=True)
    synced_at = InstantField()


class HdtsUser(_Table):
    """A member of staff, as auth last told of them. `role` is the HDTS role that counts, `roles` a JSON list of all."""

    id = pw.TextField(primary_key=True)
    email = pw.TextField(default="")
    full_name = pw.TextField(default="")
    role = pw.TextField(null=True)
    roles = pw.TextField(default="[]")
    is_active = pw.BooleanField(default=True)
    version = pw.BigIntegerField(null=True)
    synced_at = InstantField()


class Ticket(_Table):
    """A ticket as filed. `extras` is a JSON object; `source` and `source_id` name the same thing in another system."""

    id = pw.BigAutoField()
    subject = pw.TextField()
    description = pw.TextField()
    category = pw.TextField()
    subcategory = pw.TextField()
    department = pw.TextField()
    priority = pw.TextField()
    status = pw.TextField()
    workflow_status = pw.TextField(null=True)
    status_version = pw.BigIntegerField(default=0)
    pending_request = pw.TextField(null=True)
    request_id = pw.TextField(null=True)
    request_count = pw.IntegerField(default=0)
    employee_id = pw.TextField()
    employee_name = pw.TextField()
    employee_email = pw.TextField()
    source_service = pw.TextField()
    extras = pw.TextField(default="{}")
    source = pw.TextField(null=True)
    source_id = pw.TextField(null=True)
    filed_by = pw.TextField()
    submitted_at = InstantField()
    updated_at = InstantField()

    class Meta:
        # Each list reads newest first within one of these; other filters narrow what such a walk finds.
        indexes = (
            (("source", "source_id"), True),
            (("submitted_at", "id"), False),
            (("employee_id", "submitted_at", "id"), False),
            (("status", "submitted_at", "id"), False),
            (("category", "submitted_at", "id"), False),
            (("department", "submitted_at", "id"), False),
        )

    @property
    def number(self) -> str:
        """The ticket number, as everybody outside knows it."""
        return number_of(self.id)


class TicketWords(_Table):
    """The words by which a ticket is found, tagged with whose it is; `id` is the ticket's. Written once."""

    id = pw.BigIntegerField(primary_key=True)
    words = pw.TextField()


class TicketHistory(_Table):
    """
    A change of a ticket after it was filed; the filing itself is told by the ticket's own row.

    `event` is `status`, `withdraw` or `reopen`; `actor` is who did it: a principal's subject, `workflow` or `operator`.
    """

    id = pw.BigAutoField()
    ticket = pw.ForeignKeyField(Ticket, on_delete="CASCADE")
    at = InstantField()
    event = pw.TextField()
    from_status = pw.TextField()
    to_status = pw.TextField()
    actor = pw.TextField()
    reason = pw.TextField(default="")
    version = pw.BigIntegerField(null=True)


class TicketRating(_Table):
    """What the requester thinks of how a finished ticket was handled: one to five stars, and a sentence. The newest counts."""

    ticket = pw.ForeignKeyField(Ticket, primary_key=True, on_delete="CASCADE")
    stars = pw.IntegerField()
    comment = pw.TextField(default="")
    rated_by = pw.TextField()
    rated_at = InstantField()


TABLES: list[type[pw.Model]] = [Employee, HdtsUser, Ticket, TicketWords, TicketHistory, TicketRating]
