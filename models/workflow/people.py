"""
Roles and the people who take turns in them, as the workflow service was told by auth.

A role's row is the lock of its rotation: whatever changes who may be picked (a turn, a grant, an absence, a capacity, an item
closed) holds it, so that an item never starts to wait for somebody who has just become free.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField, service_database


class WorkflowTable(pw.Model):
    """
    Root of the workflow service's tables.

    Rows name each other by plain ids. Foreign keys would make every insert on the hot path lock its parent rows, and a role's
    row is exactly what several workers contend for.
    """

    class Meta:
        database = service_database("workflow")
        legacy_table_names = False


class Role(WorkflowTable):
    """
    A role of a system. `role_id` is auth's id; a role seeded here before auth told of it bears a provisional one.

    `turn` is the rotation's sequence: the number of the last turn taken in this role. `version` orders what auth says.
    """

    id = pw.BigAutoField()
    role_id = pw.TextField(unique=True)
    system = pw.TextField()
    name = pw.TextField()
    is_active = pw.BooleanField(default=True)
    is_provisional = pw.BooleanField(default=False)
    turn = pw.BigIntegerField(default=0)
    version = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("system", "name"), False),)


class Member(WorkflowTable):
    """
    A person in a role. `last_turn` is the role's sequence when they were last picked, 0 before their first turn.

    Away from `away_from` until `away_to` (either may be open). `capacity` limits `open_items`; None is no limit. `turns` counts
    the turns taken. The row outlives the grant, so that whoever comes back keeps their place. `words`: those they are found by.
    """

    id = pw.BigAutoField()
    role = pw.BigIntegerField()
    user_id = pw.TextField(index=True)
    name = pw.TextField(default="")
    email = pw.TextField(null=True)
    is_active = pw.BooleanField(default=True)
    away_from = InstantField(null=True)
    away_to = InstantField(null=True)
    capacity = pw.IntegerField(null=True)
    last_turn = pw.BigIntegerField(default=0)
    turns = pw.BigIntegerField(default=0)
    open_items = pw.IntegerField(default=0)
    version = pw.BigIntegerField(null=True)
    words = pw.TextField(default="")

    class Meta:
        indexes = ((("role", "user_id"), True),)


class PendingGrant(WorkflowTable):
    """A grant that arrived before its role; applied when the role arrives."""

    id = pw.BigAutoField()
    role_id = pw.TextField()
    user_id = pw.TextField()
    name = pw.TextField(default="")
    email = pw.TextField(null=True)
    is_active = pw.BooleanField(default=True)
    version = pw.BigIntegerField(null=True)
    received_at = InstantField()

    class Meta:
        indexes = ((("role_id", "user_id"), True),)


class Substitute(WorkflowTable):
    """Who takes a person's open work over while they are away. Chains end: no one is their own substitute through others."""

    user_id = pw.TextField(primary_key=True)
    substitute = pw.TextField(index=True)
    set_by = pw.TextField()
    set_at = InstantField()
