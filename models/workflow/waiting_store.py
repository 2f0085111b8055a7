"""Storing of what waits: steps and ownerships for which nobody was eligible, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.people import Role
from baton.models.workflow.rows import among, insert_rows, select_rows, tuples
from baton.models.workflow.work import TaskItem, WaitingEntry


class WaitingRow(NamedTuple):
    """Something that waits, with what decides whom it may go to."""

    kind: str
    subject_id: int
    ticket_number: str
    role: int
    requester_user_id: str | None
    requester_email: str | None


def store_waiting(tx: Transaction, waiting: Sequence[tuple[Any, str]]) -> None:
    """Put each (need, reason) on the waiting list; what stands there keeps its place."""
    if not waiting:
        return
    rows = [
        (
            need.kind,
            need.subject_id,
            need.role,
            need.ticket_number,
            need.requester_user_id,
            need.requester_email,
            "".join(f"|{user}|" for user in sorted(need.excluded)),
            reason,
            tx.now,
        )
        for need, reason in waiting
    ]
    fields: list[pw.Field] = [
        WaitingEntry.kind,
        WaitingEntry.subject_id,
        WaitingEntry.role,
        WaitingEntry.ticket_number,
        WaitingEntry.requester_user_id,
        WaitingEntry.requester_email,
        WaitingEntry.excluded,
        WaitingEntry.reason,
        WaitingEntry.since,
    ]
    insert_rows(tx, fields, rows, ignore=True)
    items = sorted(need.subject_id for need, _ in waiting if need.kind == "item")
    if items:
        TaskItem.update(waiting_since=tx.now, version=TaskItem.version + 1).where(
            TaskItem.id.in_(items), TaskItem.waiting_since.is_null()
        ).execute()


def leave_waiting(tx: Transaction, kind: str, subjects: Iterable[int]) -> None:
    """Take these items (`kind` item) or tasks (`kind` owner) off the waiting list."""
    wanted = sorted(subjects)
    if wanted:
        WaitingEntry.delete().where(WaitingEntry.kind == kind, WaitingEntry.subject_id.in_(wanted)).execute()


def servable(role: int, kind: str, people: Sequence[Any], *, all_known: bool = True) -> pw.Expression:
    """
    Return the condition for entries of a role that one of these eligible members can be given.

    `all_known` False: more are eligible than are named here, so that nothing is certain not to be servable.
    """
    condition = (WaitingEntry.role == role) & (WaitingEntry.kind == kind)
    if not all_known:
        return condition
    anybody = reduce(or_, [_may_have(person) for person in people])
    # An entry excludes its requester at most, unless it says more.
    return condition & (anybody if len(people) == 1 else (WaitingEntry.excluded == "") | anybody)


def _may_have(person: Any) -> pw.Expression:
    may = WaitingEntry.requester_user_id.is_null() | (WaitingEntry.requester_user_id != person.user_id)
    if person.email:
        may &= WaitingEntry.requester_email.is_null() | (WaitingEntry.requester_email != person.email)
    return may & ((WaitingEntry.excluded == "") | ~WaitingEntry.excluded.contains(f"|{person.user_id}|"))


def queues_ahead(tx: Transaction, conditions: Mapping[tuple[int, str], pw.Expression]) -> set[tuple[int, str]]:
    """Return those of these lists, (role, kind), in which something waits that its condition allows: one probe per list."""
    if not conditions:
        return set()
    probes = [pw.fn.EXISTS(WaitingEntry.select(WaitingEntry.id).where(each)) for each in conditions.values()]
    (found,) = tuples(pw.Select(columns=probes).bind(tx.database))
    return {key for key, is_there in zip(conditions, found, strict=True) if is_there}


def read_waiting(tx: Transaction, condition: pw.Expression, limit: int) -> list[WaitingRow]:
    """Return the longest waiting entries that the condition allows, oldest first."""
    columns = [getattr(WaitingEntry, name) for name in WaitingRow._fields]
    query = WaitingEntry.select(*columns).where(condition).order_by(WaitingEntry.since, WaitingEntry.id).limit(limit)
    return [WaitingRow(*row) for row in tuples(query)]


def role_ids_that_wait(tx: Transaction, roles: Iterable[int]) -> dict[int, str]:
    """Return auth's ids of those of these roles for which anything waits, by role: one probe per role."""
    wanted = sorted(set(roles))
    if not wanted:
        return {}
    sql = f"""select id, role_id from role
where id {among(db.is_sqlite(tx.database), "bigint")} and exists (select 1 from waiting_entry w where w.role = role.id)"""
    return {row["id"]: row["role_id"] for row in select_rows(tx, sql, wanted)}


def roles_that_wait(tx: Transaction, roles: Iterable[int] | None = None) -> list[int]:
    """Return those of these roles (of all, if None) for which anything waits: one probe per role."""
    some = WaitingEntry.select(WaitingEntry.id).where(WaitingEntry.role == Role.id)
    query = Role.select(Role.id).where(pw.fn.EXISTS(some)).order_by(Role.id)
    if roles is not None:
        wanted = sorted(set(roles))
        if not wanted:
            return []
        query = query.where(Role.id.in_(wanted))
    return [row[0] for row in tuples(query)]
