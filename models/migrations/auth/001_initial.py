"""Schema of auth: initial."""

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
        id = pw.AutoField()
        email = pw.TextField()
        email_key = pw.TextField(unique=True)
        full_name = pw.TextField()
        department = pw.TextField(default='')
        job_title = pw.TextField(default='')
        password_hash = pw.TextField(null=True)
        is_active = pw.BooleanField(default=True)
        version = pw.IntegerField(default=1)
        words = pw.TextField(default='')
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "employee"

    @migrator.create_model
    class System(pw.Model):
        id = pw.AutoField()
        slug = pw.TextField(unique=True)
        name = pw.TextField()
        is_active = pw.BooleanField(default=True)
        version = pw.IntegerField(default=1)
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "system"

    @migrator.create_model
    class User(pw.Model):
        id = pw.AutoField()
        email = pw.TextField()
        email_key = pw.TextField(unique=True)
        full_name = pw.TextField()
        password_hash = pw.TextField(null=True)
        is_active = pw.BooleanField(default=True)
        home_system = pw.ForeignKeyField(column_name='home_system_id', field='id', model=migrator.orm['system'], on_delete='RESTRICT')
        version = pw.IntegerField(default=1)
        hdts_version = pw.IntegerField(default=0)
        words = pw.TextField(default='')
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "user_account"

    @migrator.create_model
    class Role(pw.Model):
        id = pw.AutoField()
        system = pw.ForeignKeyField(column_name='system_id', field='id', model=migrator.orm['system'], on_delete='RESTRICT')
        name = pw.TextField()
        name_key = pw.TextField()
        description = pw.TextField(default='')
        is_active = pw.BooleanField(default=True)
        version = pw.IntegerField(default=1)
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "role"
            indexes = [(('system', 'name_key'), True)]

    @migrator.create_model
    class Grant(pw.Model):
        id = pw.AutoField()
        user = pw.ForeignKeyField(column_name='user_id', field='id', model=migrator.orm['user_account'], on_delete='RESTRICT')
        role = pw.ForeignKeyField(column_name='role_id', field='id', model=migrator.orm['role'], on_delete='RESTRICT')
        is_active = pw.BooleanField(default=True)
        granted_by = pw.TextField()
        version = pw.IntegerField(default=1)
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "user_system_role"
            indexes = [(('user', 'role'), True)]

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
    class RefreshFamily(pw.Model):
        id = pw.AutoField()
        subject_kind = pw.TextField()
        subject_id = pw.IntegerField()
        created_at = pw.DateTimeField()
        expires_at = pw.DateTimeField(index=True)
        revoked_at = pw.DateTimeField(null=True)
        revoked_why = pw.TextField(default='')

        class Meta:
            table_name = "refresh_family"
            indexes = [(('subject_kind', 'subject_id'), False)]

    @migrator.create_model
    class RefreshToken(pw.Model):
        id = pw.AutoField()
        family = pw.ForeignKeyField(column_name='family_id', field='id', model=migrator.orm['refresh_family'], on_delete='CASCADE')
        token_hash = pw.TextField(unique=True)
        issued_at = pw.DateTimeField()
        expires_at = pw.DateTimeField()
        used_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "refresh_token"

    @migrator.create_model
    class SignInAttempt(pw.Model):
        scope = pw.TextField()
        key = pw.TextField()
        failures = pw.DoubleField()
        last_failed_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "sign_in_attempt"
            primary_key = pw.CompositeKey('scope', 'key')

    @migrator.create_model
    class SigningKey(pw.Model):
        id = pw.AutoField()
        kid = pw.TextField(unique=True)
        algorithm = pw.TextField()
        private_pem = pw.TextField()
        public_pem = pw.TextField()
        state = pw.TextField()
        slot = pw.TextField(null=True, unique=True)
        created_at = pw.DateTimeField()
        expires_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "signing_key"
