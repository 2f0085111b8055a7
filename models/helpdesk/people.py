"""The store of people: employees and HDTS staff as auth tells of them. Older news never replace newer ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import peewee as pw

from baton.models.helpdesk.tables import Employee, HdtsUser


def store_employees(rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or renew employees, in one statement; each row has all columns, and no id occurs twice."""
    _store(Employee, rows)


def store_hdts_users(rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or renew HDTS staff, in one statement; each row has all columns, and no id occurs twice."""
    _store(HdtsUser, rows)


def find_employee(employee_id: str) -> Employee | None:
    """Return the employee of this id, None when auth has not told of them (yet)."""
    return Employee.get_or_none(Employee.id == employee_id)


def _store(table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    told = pw.EXCLUDED
    fields = table._meta.fields
    update = {fields[name]: getattr(told, name) for name in fields if name not in ("id", "version")}
    # What comes without a version applies, and the version known stays the bar for what comes later.
    update[table.version] = pw.fn.COALESCE(told.version, table.version)
    newer = table.version.is_null() | pw.SQL("excluded.version is null") | (told.version > table.version)
    table.insert_many([dict(row) for row in rows]).on_conflict(
        conflict_target=[table.id], update=update, where=newer
    ).execute()
