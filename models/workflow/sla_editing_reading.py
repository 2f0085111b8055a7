"""What the editing of policies and calendars needs to know: what is in force, what names there are, which versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Workflow
from baton.models.workflow.design_reading import SYSTEM
from baton.models.workflow.people import Role
from baton.models.workflow.rows import tuples
from baton.models.workflow.sla_tables import SlaCalendar, SlaCalendarVersion, SlaPolicy, SlaPolicyVersion

#: Any constant: it makes the key of the lock that editors of service levels take, beside those of deployments.
_EDITING_LOCK = 7_001


class Kind(NamedTuple):
    """Calendars or policies: the table of names, the table of versions, and the column there that names the owner."""

    table: Any
    versions: Any
    owner: Any


CALENDARS = Kind(SlaCalendar, SlaCalendarVersion, SlaCalendarVersion.calendar)
POLICIES = Kind(SlaPolicy, SlaPolicyVersion, SlaPolicyVersion.policy)


def hold_levels(tx: Transaction) -> None:
    """Keep others from editing service levels until the commit. On SQLite there is one writer at a time, which is the same."""
    if not db.is_sqlite(tx.database):
        tx.database.execute_sql("select pg_advisory_xact_lock(%s, 1)", (_EDITING_LOCK,))


def rows(kind: Kind) -> Any:
    """Return the query for all of a kind with the current version's number and definition (null: retired), as dicts."""
    t, v = kind.table, kind.versions
    columns = (t.id, t.name, t.created_at, t.current_version, v.number, v.definition)
    return t.select(*columns).left_outer_join(v, on=(v.id == t.current_version)).dicts()


def find(kind: Kind, row_id: int) -> dict[str, Any] | None:
    """Return one of a kind as in `rows`, or None."""
    found: dict[str, Any] | None = rows(kind).where(kind.table.id == row_id).first()
    return found


def find_named(kind: Kind, name: str) -> dict[str, Any] | None:
    """Return the one of this name as in `rows`, or None."""
    found: dict[str, Any] | None = rows(kind).where(kind.table.name == name).first()
    return found


def versions(kind: Kind, row_id: int) -> Any:
    """Return the query for the versions of one, as dicts with id, number, created_by, created_at, definition."""
    v = kind.versions
    return v.select(v.id, v.number, v.created_by, v.created_at, v.definition).where(kind.owner == row_id).dicts()


def newest_number(kind: Kind, row_id: int) -> int:
    """Return the number of the newest version."""
    return int(kind.versions.select(pw.fn.MAX(kind.versions.number)).where(kind.owner == row_id).scalar() or 0)


def definitions(kind: Kind) -> dict[str, str]:
    """Return the definitions in force by name."""
    t, v = kind.table, kind.versions
    return dict(tuples(t.select(t.name, v.definition).join(v, on=(v.id == t.current_version)).order_by(t.name)))


def names() -> Mapping[str, frozenset[str]]:
    """Return the names of `workflows` in force, of their `steps`, and of the active `roles` of the workflow system."""
    w = Workflow
    deployed = w.deployed_version.is_null(False)
    steps = Step.select(Step.name).join(w, on=(w.deployed_version == Step.version)).distinct()
    roles = Role.select(Role.name).where(Role.system == SYSTEM, Role.is_active)
    return {
        "workflows": frozenset(row[0] for row in tuples(w.select(w.name).where(deployed))),
        "steps": frozenset(row[0] for row in tuples(steps)),
        "roles": frozenset(row[0] for row in tuples(roles)),
    }
