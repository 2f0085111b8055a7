"""Schema of notifications: initial."""

from contextlib import suppress

import peewee as pw
from peewee_migrate import Migrator


with suppress(ImportError):
    import playhouse.postgres_ext as pw_pext


def migrate(migrator: Migrator, database: pw.Database, *, fake=False):
    """Write your migrations here."""
    
    @migrator.create_model
    class CircuitBreaker(pw.Model):
        name = pw.TextField(primary_key=True)
        failures = pw.IntegerField(default=0)
        opened_at = pw.DateTimeField(null=True)
        trial_at = pw.DateTimeField(null=True)
        error = pw.TextField(default='')
        changed_at = pw.DateTimeField()

        class Meta:
            table_name = "circuit_breaker"

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
    class EmailDelivery(pw.Model):
        id = pw.BigAutoField()
        recipient = pw.TextField()
        digest_key = pw.TextField(null=True)
        ticket_number = pw.TextField(null=True)
        type = pw.TextField(null=True)
        task_item_id = pw.BigIntegerField(null=True)
        message_id = pw.TextField(unique=True)
        state = pw.TextField(default='pending')
        send_after = pw.DateTimeField()
        attempts = pw.IntegerField(default=0)
        last_tried_at = pw.DateTimeField(null=True)
        error = pw.TextField(default='')
        created_at = pw.DateTimeField()
        sent_at = pw.DateTimeField(null=True)
        subject = pw.TextField(null=True)
        message = pw.TextField(null=True)
        retries = pw.IntegerField(default=0)
        claim = pw.TextField(null=True)
        claimed_until = pw.DateTimeField(null=True)
        handed_over_at = pw.DateTimeField(null=True)
        reference = pw.TextField(default='')

        class Meta:
            table_name = "email_delivery"
            indexes = [(('state', 'send_after', 'id'), False), (('recipient', 'state', 'digest_key'), False), (('state', 'claimed_until'), False)]

    @migrator.create_model
    class FailedNotification(pw.Model):
        id = pw.BigAutoField()
        delivery = pw.BigIntegerField(unique=True)
        recipient = pw.TextField()
        type = pw.TextField()
        ticket_number = pw.TextField(null=True)
        task_item_id = pw.BigIntegerField(null=True)
        error = pw.TextField()
        retry_count = pw.IntegerField(default=0)
        last_retry = pw.DateTimeField(null=True)
        next_retry = pw.DateTimeField(null=True)
        given_up = pw.BooleanField(default=False)
        bounced = pw.BooleanField(default=False)
        resolved = pw.BooleanField(default=False)
        resolved_at = pw.DateTimeField(null=True)
        resolved_by = pw.TextField(default='')
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "failed_notification"
            indexes = [(('resolved', 'id'), False), (('resolved', 'given_up', 'id'), False), (('resolved', 'resolved_at'), False), (('ticket_number', 'id'), False), (('recipient', 'id'), False)]

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
    class Mailbox(pw.Model):
        recipient = pw.TextField(primary_key=True)
        newest = pw.BigIntegerField(default=0)
        unread = pw.BigIntegerField(default=0)

        class Meta:
            table_name = "mailbox"

    @migrator.create_model
    class Notification(pw.Model):
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
        detail = pw.TextField(default='{}')
        roles = pw.TextField(default='[]')
        in_app = pw.BooleanField()
        unread = pw.BooleanField()
        read_at = pw.DateTimeField(null=True)
        email = pw.BigIntegerField(index=True, null=True)
        created_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "notification"
            indexes = [(('event_key', 'recipient'), True), (('recipient', 'number'), True), (('recipient', 'in_app', 'number'), False), (('recipient', 'in_app', 'unread', 'number'), False), (('recipient', 'in_app', 'type', 'number'), False), (('recipient', 'in_app', 'ticket_number', 'number'), False), (('ticket_number', 'id'), False)]

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
    class Preference(pw.Model):
        recipient = pw.TextField()
        type = pw.TextField()
        channel = pw.TextField()
        enabled = pw.BooleanField()

        class Meta:
            table_name = "preference"
            primary_key = pw.CompositeKey('recipient', 'type', 'channel')

    @migrator.create_model
    class Retraction(pw.Model):
        event_key = pw.TextField(primary_key=True)
        retracted_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "retraction"

    @migrator.create_model
    class TicketMute(pw.Model):
        recipient = pw.TextField()
        ticket_number = pw.TextField()
        muted_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_mute"
            primary_key = pw.CompositeKey('recipient', 'ticket_number')

    @migrator.create_model
    class UserSettings(pw.Model):
        recipient = pw.TextField(primary_key=True)
        time_zone = pw.TextField()
        language = pw.TextField()
        digest = pw.TextField()
        digest_minute = pw.IntegerField()
        quiet_start = pw.IntegerField()
        quiet_end = pw.IntegerField()
        quiet_days = pw.TextField(default='')
        breaches_through = pw.BooleanField(default=False)
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "user_settings"
