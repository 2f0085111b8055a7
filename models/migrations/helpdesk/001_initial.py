"""Schema of helpdesk: initial."""

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
    class Employee(pw.Model):
        id = pw.TextField(primary_key=True)
        email = pw.TextField(default='')
        full_name = pw.TextField(default='')
        department = pw.TextField(default='')
        is_active = pw.BooleanField(default=True)
        version = pw.BigIntegerField(null=True)
        synced_at = pw.DateTimeField()

        class Meta:
            table_name = "employee"

    @migrator.create_model
    class HdtsUser(pw.Model):
        id = pw.TextField(primary_key=True)
        email = pw.TextField(default='')
        full_name = pw.TextField(default='')
        role = pw.TextField(null=True)
        roles = pw.TextField(default='[]')
        is_active = pw.BooleanField(default=True)
        version = pw.BigIntegerField(null=True)
        synced_at = pw.DateTimeField()

        class Meta:
            table_name = "hdts_user"

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
    class Ticket(pw.Model):
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
        extras = pw.TextField(default='{}')
        source = pw.TextField(null=True)
        source_id = pw.TextField(null=True)
        filed_by = pw.TextField()
        submitted_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket"
            indexes = [(('source', 'source_id'), True), (('submitted_at', 'id'), False), (('employee_id', 'submitted_at', 'id'), False), (('status', 'submitted_at', 'id'), False), (('category', 'submitted_at', 'id'), False), (('department', 'submitted_at', 'id'), False)]

    @migrator.create_model
    class TicketHistory(pw.Model):
        id = pw.BigAutoField()
        ticket = pw.ForeignKeyField(column_name='ticket_id', field='id', model=migrator.orm['ticket'], on_delete='CASCADE')
        at = pw.DateTimeField()
        event = pw.TextField()
        from_status = pw.TextField()
        to_status = pw.TextField()
        actor = pw.TextField()
        reason = pw.TextField(default='')
        version = pw.BigIntegerField(null=True)

        class Meta:
            table_name = "ticket_history"

    @migrator.create_model
    class TicketRating(pw.Model):
        ticket = pw.ForeignKeyField(column_name='ticket_id', field='id', model=migrator.orm['ticket'], on_delete='CASCADE', primary_key=True)
        stars = pw.IntegerField()
        comment = pw.TextField(default='')
        rated_by = pw.TextField()
        rated_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_rating"

    @migrator.create_model
    class TicketWords(pw.Model):
        id = pw.BigIntegerField(primary_key=True)
        words = pw.TextField()

        class Meta:
            table_name = "ticket_words"
