"""Schema of issues: initial."""

from contextlib import suppress

import peewee as pw
from peewee_migrate import Migrator


with suppress(ImportError):
    import playhouse.postgres_ext as pw_pext


def migrate(migrator: Migrator, database: pw.Database, *, fake=False):
    """Write your migrations here."""
    
    @migrator.create_model
    class DeferredMessage(pw.Model):
        id = pw.BigAutoField()
        message_id = pw.TextField(unique=True)
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        attempt = pw.IntegerField()
        reason = pw.TextField()
        due_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "deferred_message"

    @migrator.create_model
    class DeliveryAttempt(pw.Model):
        message_id = pw.TextField(primary_key=True)
        attempts = pw.IntegerField()
        last_started_at = pw.DateTimeField()

        class Meta:
            table_name = "delivery_attempt"

    @migrator.create_model
    class Heartbeat(pw.Model):
        kind = pw.TextField()
        instance = pw.TextField()
        detail = pw.TextField(default='')
        seen_at = pw.DateTimeField()

        class Meta:
            table_name = "heartbeat"
            primary_key = pw.CompositeKey('kind', 'instance')

    @migrator.create_model
    class IdempotencyKey(pw.Model):
        principal = pw.TextField()
        key = pw.TextField()
        fingerprint = pw.TextField()
        status = pw.IntegerField()
        headers = pw.TextField()
        body = pw.TextField()
        created_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "idempotency_key"
            primary_key = pw.CompositeKey('principal', 'key')

    @migrator.create_model
    class Inbox(pw.Model):
        receiver = pw.TextField()
        message_id = pw.TextField()
        handled_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "inbox"
            primary_key = pw.CompositeKey('receiver', 'message_id')

    @migrator.create_model
    class Issue(pw.Model):
        id = pw.BigAutoField()
        fold_key = pw.TextField(null=True, unique=True)
        fingerprint = pw.TextField(index=True)
        title = pw.TextField()
        description = pw.TextField()
        type = pw.TextField()
        priority = pw.TextField()
        status = pw.TextField()
        status_at = pw.DateTimeField()
        tags = pw.TextField(default='[]')
        component = pw.TextField()
        reporter = pw.TextField()
        ticket_number = pw.TextField(null=True)
        message_id = pw.TextField(null=True)
        count = pw.BigIntegerField(default=0)
        first_seen = pw.DateTimeField()
        last_seen = pw.DateTimeField()
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "issue"
            indexes = [(('status', 'id'), False), (('type', 'id'), False), (('priority', 'id'), False), (('component', 'id'), False), (('last_seen', 'id'), False)]

    @migrator.create_model
    class IssueComment(pw.Model):
        id = pw.BigAutoField()
        issue = pw.ForeignKeyField(column_name='issue_id', field='id', model=migrator.orm['issue'], index=False)
        key = pw.TextField(unique=True)
        kind = pw.TextField()
        author = pw.TextField()
        content = pw.TextField()
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "issue_comment"
            indexes = [(('issue', 'created_at', 'id'), False)]

    @migrator.create_model
    class IssueReport(pw.Model):
        temporary_id = pw.TextField(primary_key=True)
        issue = pw.ForeignKeyField(column_name='issue_id', field='id', model=migrator.orm['issue'], null=True)
        content = pw.TextField(default='')
        ticket_number = pw.TextField(null=True)
        message_id = pw.TextField(null=True)
        count = pw.BigIntegerField(default=1)
        occurred_at = pw.DateTimeField()

        class Meta:
            table_name = "issue_report"
            indexes = [(('ticket_number', 'occurred_at'), False)]

    @migrator.create_model
    class IssueTag(pw.Model):
        tag = pw.TextField()
        issue = pw.ForeignKeyField(column_name='issue_id', field='id', model=migrator.orm['issue'])

        class Meta:
            table_name = "issue_tag"
            primary_key = pw.CompositeKey('tag', 'issue')

    @migrator.create_model
    class JobRun(pw.Model):
        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        started_at = pw.DateTimeField()
        ended_at = pw.DateTimeField()
        rows = pw.IntegerField(default=0)
        error = pw.TextField(default='')
        next_run_at = pw.DateTimeField(null=True)
        about = pw.TextField(default='')
        every_seconds = pw.FloatField(default=0)

        class Meta:
            table_name = "job_run"

    @migrator.create_model
    class Lease(pw.Model):
        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        place = pw.TextField(default='')
        token = pw.BigIntegerField()
        expires_at = pw.DateTimeField()

        class Meta:
            table_name = "lease"

    @migrator.create_model
    class Outbox(pw.Model):
        id = pw.BigAutoField()
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "outbox"
