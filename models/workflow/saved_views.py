"""Saved views: a list with its filters under a name, for oneself or for everybody of a role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee as pw

from baton.models.database import InstantField
from baton.models.transaction import Transaction
from baton.models.workflow.people import Role, WorkflowTable
from baton.models.workflow.rows import dicts, insert_rows


class SavedView(WorkflowTable):
    """
    A page of the console with its query string, as its owner (a subject) named it. `shared_with` is the row of the role whose
    people see it besides, None nobody.
    """

    id = pw.BigAutoField()
    owner = pw.TextField()
    owner_name = pw.TextField(default="")
    name = pw.TextField()
    page = pw.TextField()
    query = pw.TextField(default="")
    shared_with = pw.BigIntegerField(null=True, index=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        indexes = ((("owner", "name"), True),)


def seen_by(owner: str, roles: Iterable[int], page: str | None, most: int) -> list[dict[str, Any]]:
    """Return the views of an owner, and those shared with any of these roles, by name; of one page where it is given."""
    shown = (SavedView.owner == owner) | SavedView.shared_with.in_(sorted(roles) or [0])
    query = _views().where(shown)
    if page is not None:
        query = query.where(SavedView.page == page)
    return dicts(query.order_by(SavedView.name, SavedView.id).limit(most))


def find(view: int) -> dict[str, Any] | None:
    """Return a view, None when there is none of this id."""
    found = dicts(_views().where(SavedView.id == view))
    return found[0] if found else None


def count_of(owner: str) -> int:
    """Return how many views somebody owns."""
    return int(SavedView.select().where(SavedView.owner == owner).count())


def name_taken(owner: str, name: str, but: int = 0) -> bool:
    """Return whether the owner has another view of this name."""
    return bool(SavedView.select().where(SavedView.owner == owner, SavedView.name == name, SavedView.id != but).exists())


def add(tx: Transaction, values: dict[str, Any]) -> int | None:
    """Store a new view; return its id, None when its owner has one of this name."""
    columns = {**values, "created_at": tx.now, "updated_at": tx.now}
    fields = [SavedView._meta.fields[name] for name in columns]
    stored = insert_rows(tx, fields, [list(columns.values())], ignore=True, returning=[SavedView.id])
    return stored[0][0] if stored else None


def change(tx: Transaction, view: int, values: dict[str, Any]) -> None:
    """Store a view as it now is."""
    SavedView.update(**values, updated_at=tx.now).where(SavedView.id == view).execute()


def remove(view: int) -> None:
    """Delete a view."""
    SavedView.delete().where(SavedView.id == view).execute()


def _views() -> Any:
    return SavedView.select(SavedView, Role.role_id.alias("shared_role_id"), Role.name.alias("shared_role")).join(
        Role, pw.JOIN.LEFT_OUTER, on=(Role.id == SavedView.shared_with)
    )
