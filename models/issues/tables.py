"""
The tables of the issue tracker: issues, every report that was folded into one, and what was said and done about it.

`fold_key` is what a further report must bear to be the same issue; it is empty once the issue can take no more (a report by
hand that was closed). A report's `temporary_id` names its issue for ever; `content` is the report as it came (JSON) until
it is written.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField, service_database


class _Table(pw.Model):
    class Meta:
        database = service_database("issues")
        legacy_table_names = False


class Issue(_Table):
    """Something that is wrong. `tags` is a JSON list; `ticket_number` and `message_id` are those of the newest report."""

    id = pw.BigAutoField()
    fold_key = pw.TextField(null=True, unique=True)
    fingerprint = pw.TextField(index=True)
    title = pw.TextField()
    description = pw.TextField()
    type = pw.TextField()
    priority = pw.TextField()
    status = pw.TextField()
    status_at = InstantField()
    tags = pw.TextField(default="[]")
    component = pw.TextField()
    reporter = pw.TextField()
    ticket_number = pw.TextField(null=True)
    message_id = pw.TextField(null=True)
    count = pw.BigIntegerField(default=0)
    first_seen = InstantField()
    last_seen = InstantField()
    created_at = InstantField()

    class Meta:
        indexes = (
            (("status", "id"), False),
            (("type", "id"), False),
            (("priority", "id"), False),
            (("component", "id"), False),
            (("last_seen", "id"), False),
        )


class IssueTag(_Table):
    """A tag of an issue, for finding issues by tag."""

    tag = pw.TextField()
    issue = pw.ForeignKeyField(Issue, backref="+")

    class Meta:
        primary_key = pw.CompositeKey("tag", "issue")


class IssueReport(_Table):
    """A report: waiting to be written while `issue` is empty, else part of that issue. `count` is for how many occurrences."""

    temporary_id = pw.TextField(primary_key=True)
    issue = pw.ForeignKeyField(Issue, null=True, backref="+")
    content = pw.TextField(default="")
    ticket_number = pw.TextField(null=True)
    message_id = pw.TextField(null=True)
    count = pw.BigIntegerField(default=1)
    occurred_at = InstantField()

    class Meta:
        indexes = ((("ticket_number", "occurred_at"), False),)


class IssueComment(_Table):
    """What was said (`kind` comment) or done (`kind` status) about an issue. `key` is the sender's: the same one twice is one."""

    id = pw.BigAutoField()
    issue = pw.ForeignKeyField(Issue, backref="+", index=False)
    key = pw.TextField(unique=True)
    kind = pw.TextField()
    author = pw.TextField()
    content = pw.TextField()
    created_at = InstantField()

    class Meta:
        indexes = ((("issue", "created_at", "id"), False),)


TABLES: list[type[pw.Model]] = [Issue, IssueTag, IssueReport, IssueComment]
