"""Changes of service levels: stored, brought forward batch by batch, and the tickets that they may concern."""

from __future__ import annotations

import json
from collections.abc import Mapping

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.rows import tuples
from baton.models.workflow.sla_editing_reading import CALENDARS, POLICIES
from baton.models.workflow.sla_tables import SlaChange, SlaClock
from baton.models.workflow.work import Task, TriageEntry

#: By kind (`policies`, `calendars`): id -> the version in force, None for none.
Versions = Mapping[str, Mapping[int, int | None]]
_KINDS = {"policies": POLICIES, "calendars": CALENDARS}


def open_tickets(after: str, limit: int) -> list[str]:
    """
    Return the next tickets after a number, in its order, that are worked on, wait in triage, or have open clocks.

    Three searches of indexes, each of `limit` rows at most, however many tickets are finished.
    """
    found: set[str] = set()
    for table, ended in ((SlaClock, SlaClock.stopped_at), (Task, Task.closed_at), (TriageEntry, None)):
        order = [table.ticket_number] if ended is None else [ended, table.ticket_number]
        query = table.select(*order[::-1]).distinct().where(table.ticket_number > after)
        # Sorted by what is null everywhere, too: PostgreSQL takes the order of the index for no other.
        query = query if ended is None else query.where(ended.is_null())
        found |= {row[0] for row in tuples(query.order_by(*order).limit(limit))}
    return sorted(found)[:limit]


def count_open() -> int:
    """Return how many tickets are worked on or wait in triage: the cost is theirs, not that of the finished ones."""
    return int(Task.select().where(Task.closed_at.is_null()).count() + TriageEntry.select().count())


def current_versions(ids: Mapping[str, list[int]]) -> dict[str, dict[int, int | None]]:
    """Return the versions in force of these policies and calendars, by kind and id."""
    found: dict[str, dict[int, int | None]] = {}
    for name, kind in _KINDS.items():
        query = kind.table.select(kind.table.id, kind.table.current_version).where(kind.table.id.in_(ids[name] or [0]))
        found[name] = dict(tuples(query))
    return found


def put_versions(tx: Transaction, versions: Versions) -> None:
    """Bring these versions into force; None retires."""
    for name, kind in _KINDS.items():
        for row_id, version in sorted(versions[name].items()):
            kind.table.update(current_version=version).where(kind.table.id == row_id).execute()


def running() -> SlaChange | None:
    """Return the change that is being brought to tickets now."""
    found: SlaChange | None = SlaChange.select().where(SlaChange.state == "running").order_by(SlaChange.id).first()
    return found


def store_change(
    tx: Transaction, kind: str, before: Versions, after: Versions, by: str, reason: str, undoes: int | None = None
) -> SlaChange:
    """Store a change that begins now."""
    return SlaChange.create(
        kind=kind,
        before=json.dumps(before),
        after=json.dumps(after),
        created_by=by,
        created_at=tx.now,
        reason=reason,
        undoes=undoes,
        tickets=count_open(),
    )


def lock_change(tx: Transaction, change: int) -> SlaChange | None:
    """Return a change, locked until the commit."""
    query = SlaChange.select().where(SlaChange.id == change)
    found: SlaChange | None = (query if db.is_sqlite(tx.database) else query.for_update()).first()
    return found


def advance(tx: Transaction, change: SlaChange, cursor: str, counts: Mapping[str, int]) -> None:
    """Note how far a change has come; `counts` are added to its columns of these names."""
    fields: dict[str, pw.Field] = {name: getattr(SlaChange, name) for name in counts}
    values = {field: field + counts[name] for name, field in fields.items()}
    SlaChange.update({**values, SlaChange.cursor: cursor}).where(SlaChange.id == change.id).execute()


def finish(tx: Transaction, change: SlaChange, state: str) -> None:
    """Note that every ticket was seen to; what the change takes back is undone now."""
    SlaChange.update(state=state, finished_at=tx.now).where(SlaChange.id == change.id).execute()
    if change.undoes is not None:
        SlaChange.update(state="undone").where(SlaChange.id == change.undoes).execute()
