"""Schema of messaging: initial."""

from contextlib import suppress

import peewee as pw
from peewee_migrate import Migrator


with suppress(ImportError):
    import playhouse.postgres_ext as pw_pext


def migrate(migrator: Migrator, database: pw.Database, *, fake=False):
    """Write your migrations here."""
    
    @migrator.create_model
    class Attachment(pw.Model):
        id = pw.TextField(primary_key=True)
        ticket_number = pw.TextField()
        author = pw.TextField()
        entry_number = pw.BigIntegerField(null=True)
        filename = pw.TextField()
        media_type = pw.TextField()
        size = pw.BigIntegerField()
        sha256 = pw.TextField()
        stored_as = pw.TextField(unique=True)
        scan = pw.TextField(default='none')
        scan_attempts = pw.IntegerField(default=0)
        scan_due_at = pw.DateTimeField(index=True, null=True)
        created_at = pw.DateTimeField()
        sweep_at = pw.DateTimeField(index=True, null=True)
        removed_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "attachment"
            indexes = [(('ticket_number', 'entry_number'), False), (('author', 'entry_number'), False)]

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
    class Entry(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField()
        number = pw.BigIntegerField()
        kind = pw.TextField()
        visibility = pw.TextField()
        author = pw.TextField()
        author_name = pw.TextField(default='')
        side = pw.TextField()
        event_kind = pw.TextField(null=True)
        detail = pw.TextField(null=True)
        body = pw.TextField(default='')
        body_html = pw.TextField(default='')
        words = pw.TextField(default='')
        rendering = pw.IntegerField(default=0)
        original_html = pw.TextField(null=True)
        client_id = pw.TextField(null=True)
        reply_to = pw.BigIntegerField(null=True)
        mentions = pw.TextField(default='[]')
        attachment_count = pw.IntegerField(default=0)
        imported = pw.BooleanField(default=False)
        version = pw.IntegerField(default=1)
        created_at = pw.DateTimeField()
        edited_at = pw.DateTimeField(null=True)
        deleted_at = pw.DateTimeField(null=True)
        deleted_by = pw.TextField(null=True)

        class Meta:
            table_name = "entry"
            indexes = [(('ticket_number', 'number'), True), (('ticket_number', 'author', 'client_id'), True)]

    @migrator.create_model
    class EntryRevision(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField()
        number = pw.BigIntegerField()
        version = pw.IntegerField()
        what = pw.TextField()
        body = pw.TextField()
        changed_by = pw.TextField()
        changed_at = pw.DateTimeField()

        class Meta:
            table_name = "entry_revision"
            indexes = [(('ticket_number', 'number', 'version'), True)]

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
    class Room(pw.Model):
        ticket_number = pw.TextField(primary_key=True)
        version = pw.BigIntegerField()
        subject = pw.TextField(default='')
        status = pw.TextField()
        requester_employee_id = pw.TextField(null=True)
        requester_user_id = pw.TextField(null=True)
        requester_email = pw.TextField(null=True)
        requester_name = pw.TextField(null=True)
        owner = pw.TextField(null=True)
        participants = pw.TextField(default='[]')
        assignees = pw.TextField(default='[]')
        roles = pw.TextField(default='[]')
        last_number = pw.BigIntegerField(default=0)
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "room"
