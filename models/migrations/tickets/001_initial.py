"""Schema of tickets: initial."""

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

    @migrator.create_model
    class Receipt(pw.Model):
        id = pw.BigAutoField()
        sender = pw.TextField()
        source_service = pw.TextField()
        subject = pw.TextField()
        description = pw.TextField()
        category = pw.TextField()
        subcategory = pw.TextField()
        department = pw.TextField()
        priority = pw.TextField()
        employee_id = pw.TextField()
        employee_name = pw.TextField()
        employee_email = pw.TextField()
        extras = pw.TextField(default='{}')
        status = pw.TextField()
        status_version = pw.BigIntegerField(default=0)
        submitted_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "receipt"
            indexes = [(('sender', 'id'), False), (('sender', 'status', 'id'), False)]
