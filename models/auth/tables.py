"""
The tables of auth: who exists, in which system they hold which role, and what proves that they are who they say.

Nothing here is ever deleted but throttling counters and spent sessions: what is switched off keeps its id and its version, so
that news about it stays in order for everybody who keeps a copy.
"""

from __future__ import annotations

from typing import Any

import peewee as pw

from baton.models.database import InstantField, is_sqlite, service_database


def fold(text: str) -> str:
    """Return the form in which e-mail addresses and names are compared: surrounding blanks and case do not count."""
    return text.strip().casefold()


def for_update(query: Any) -> Any:
    """Return the query so that its rows stay locked until the transaction ends. SQLite's writers are alone anyway."""
    return query if is_sqlite(service_database("auth")) else query.for_update()


class Base(pw.Model):
    """A table in auth's database."""

    class Meta:
        database = service_database("auth")
        legacy_table_names = False


class System(Base):
    """An application that people hold roles in: hdts, tts, ams, bms. `slug` never changes: it is part of every role's name."""

    id = pw.AutoField()
    slug = pw.TextField(unique=True)
    name = pw.TextField()
    is_active = pw.BooleanField(default=True)
    version = pw.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()


class Role(Base):
    """A role of one system. `name_key` is the folded name: two roles of a system never differ by case alone."""

    id = pw.AutoField()
    system = pw.ForeignKeyField(System, backref="roles", on_delete="RESTRICT")
    name = pw.TextField()
    name_key = pw.TextField()
    description = pw.TextField(default="")
    is_active = pw.BooleanField(default=True)
    version = pw.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        indexes = ((("system", "name_key"), True),)


class User(Base):
    """
    A member of staff. `home_system` is the system whose admin created the account and answers for it.

    `version` orders edits (ETag); `hdts_version` orders what helpdesk is told. Without `password_hash` nobody can sign in.
    `words` are those by which the user is found.
    """

    id = pw.AutoField()
    email = pw.TextField()
    email_key = pw.TextField(unique=True)
    full_name = pw.TextField()
    password_hash = pw.TextField(null=True)
    is_active = pw.BooleanField(default=True)
    home_system = pw.ForeignKeyField(System, on_delete="RESTRICT")
    version = pw.IntegerField(default=1)
    hdts_version = pw.IntegerField(default=0)
    words = pw.TextField(default="")
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        # `user` is a reserved word in PostgreSQL: whoever types SQL by hand would have to quote it.
        table_name = "user_account"


class Grant(Base):
    """A user holds a role, while the grant, the user, the role and its system are all active."""

    id = pw.AutoField()
    user = pw.ForeignKeyField(User, backref="grants", on_delete="RESTRICT")
    role = pw.ForeignKeyField(Role, backref="grants", on_delete="RESTRICT")
    is_active = pw.BooleanField(default=True)
    granted_by = pw.TextField()
    version = pw.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "user_system_role"
        indexes = ((("user", "role"), True),)


class Employee(Base):
    """A row of the employee register: who files tickets. Signs in with the same form as staff; is found by `words`."""

    id = pw.AutoField()
    email = pw.TextField()
    email_key = pw.TextField(unique=True)
    full_name = pw.TextField()
    department = pw.TextField(default="")
    job_title = pw.TextField(default="")
    password_hash = pw.TextField(null=True)
    is_active = pw.BooleanField(default=True)
    version = pw.IntegerField(default=1)
    words = pw.TextField(default="")
    created_at = InstantField()
    updated_at = InstantField()


class SigningKey(Base):
    """
    A key pair that tokens are signed with. `state` is `next`, `active` or `retired`.

    `slot` is `ALGORITHM:state` while the key is next or active and null afterwards: its uniqueness is what keeps two processes
    that start together from each making a first key.
    """

    id = pw.AutoField()
    kid = pw.TextField(unique=True)
    algorithm = pw.TextField()
    private_pem = pw.TextField()
    public_pem = pw.TextField()
    state = pw.TextField()
    slot = pw.TextField(null=True, unique=True)
    created_at = InstantField()
    #: Until when a retired key still verifies: as long as a token it signed may live.
    expires_at = InstantField(null=True)


class RefreshFamily(Base):
    """One sign-in on one device, and every refresh token that followed from it. Revoked as a whole."""

    id = pw.AutoField()
    subject_kind = pw.TextField()
    subject_id = pw.IntegerField()
    created_at = InstantField()
    expires_at = InstantField(index=True)
    revoked_at = InstantField(null=True)
    revoked_why = pw.TextField(default="")

    class Meta:
        indexes = ((("subject_kind", "subject_id"), False),)


class RefreshToken(Base):
    """A refresh token, known by its SHA-256 only. Used once; a second use means that it was copied."""

    id = pw.AutoField()
    family = pw.ForeignKeyField(RefreshFamily, backref="tokens", on_delete="CASCADE")
    token_hash = pw.TextField(unique=True)
    issued_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)


class SignInAttempt(Base):
    """
    How often signing in failed lately, for one account or one address: `scope` is `account` or `address`.

    `key` is a SHA-256, because people type passwords into the e-mail field. A row is forgotten when nothing failed for a day.
    """

    scope = pw.TextField()
    key = pw.TextField()
    failures = pw.DoubleField()
    last_failed_at = InstantField(index=True)

    class Meta:
        primary_key = pw.CompositeKey("scope", "key")


TABLES: list[type[pw.Model]] = [
    System,
    Role,
    User,
    Grant,
    Employee,
    SigningKey,
    RefreshFamily,
    RefreshToken,
    SignInAttempt,
]
