"""
Storing of calendars and policies: each change is a new version, and versions never change.

Whoever stores has read the document: `pipelines.sla.calendars` and `pipelines.sla_policy_texts` refuse what cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.rows import tuples
from baton.models.workflow.sla_tables import SlaCalendar, SlaCalendarVersion, SlaPolicy, SlaPolicyVersion


def store_calendar(tx: Transaction, name: str, document: Mapping[str, Any], created_by: str) -> SlaCalendarVersion:
    """Store a calendar's next version; new matches use it. Clocks that run keep theirs until policies are applied to them."""
    row = _locked(tx, SlaCalendar, name)
    return _next(tx, SlaCalendarVersion, SlaCalendarVersion.calendar, row, document, created_by)


def store_policy(tx: Transaction, name: str, document: Mapping[str, Any], created_by: str) -> SlaPolicyVersion:
    """Store a policy's next version; new matches use it, also of one that was retired. Its calendar must be there."""
    row = _locked(tx, SlaPolicy, name)
    return _next(tx, SlaPolicyVersion, SlaPolicyVersion.policy, row, document, created_by)


def retire_policy(tx: Transaction, name: str) -> bool:
    """Offer a policy to no new match; tickets that have it keep it. Returns whether it was offered."""
    retired = SlaPolicy.update(current_version=None).where(SlaPolicy.name == name, SlaPolicy.current_version.is_null(False))
    return bool(retired.execute())


def retire_calendar(tx: Transaction, name: str) -> bool:
    """Offer a calendar to no new match; clocks that run by it go on. Returns whether it was offered."""
    retired = SlaCalendar.update(current_version=None).where(SlaCalendar.name == name, SlaCalendar.current_version.is_null(False))
    return bool(retired.execute())


def known_names(tx: Transaction | None, table: type[SlaCalendar] | type[SlaPolicy]) -> set[str]:
    """Return the names of the calendars, or of the policies, that there are."""
    return {row[0] for row in tuples(table.select(table.name))}


def _locked(tx: Transaction, table: Any, name: str) -> Any:
    """Return the row of this name, made if need be and locked until the commit: its versions are numbered one after another."""
    table.insert(name=name, current_version=None, created_at=tx.now).on_conflict_ignore().execute()
    query = table.select().where(table.name == name)
    return (query if db.is_sqlite(tx.database) else query.for_update()).get()


def _next(tx: Transaction, table: Any, owner: pw.Field, row: Any, document: Mapping[str, Any], created_by: str) -> Any:
    newest = table.select(pw.fn.MAX(table.number)).where(owner == row.id).scalar() or 0
    values = {
        owner.name: row.id,
        "number": newest + 1,
        "definition": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        "created_by": created_by,
        "created_at": tx.now,
    }
    version = table.create(**values)
    type(row).update(current_version=version.id).where(type(row).id == row.id).execute()
    return version
