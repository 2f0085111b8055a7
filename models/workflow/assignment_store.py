"""
Storing of assignment: the rotation under its lock, who got what, and why.

Order of locks everywhere: tickets by number, then roles by id. A role's lock is held from `lock_roles` to the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import dicts, insert_rows, tuples, update_rows
from baton.models.workflow.work import AssignmentPick, Task, TaskItem, TaskItemHistory


class RoleRow(NamedTuple):
    """A locked role."""

    id: int
    role_id: str
    name: str
    is_active: bool
    turn: int


_MEMBER_COLUMNS = (
    Member.id,
    Member.role,
    Member.user_id,
    Member.name,
    Member.email,
    Member.is_active,
    Member.away_from,
    Member.away_to,
    Member.capacity,
    Member.open_items,
    Member.last_turn,
)


def lock_roles(tx: Transaction, roles: Iterable[int]) -> dict[int, RoleRow]:
    """Return these roles, each locked until the commit."""
    return read_roles(tx, roles, lock=True)


def read_roles(tx: Transaction, roles: Iterable[int], *, lock: bool = False) -> dict[int, RoleRow]:
    """Return these roles as they are now."""
    wanted = sorted(set(roles))
    if not wanted:
        return {}
    query = Role.select(Role.id, Role.role_id, Role.name, Role.is_active, Role.turn).where(Role.id.in_(wanted))
    query = query.order_by(Role.id)
    if lock and not db.is_sqlite(tx.database):
        query = query.for_update()
    return {row[0]: RoleRow(*row) for row in tuples(query)}


def read_members(tx: Transaction, roles: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the active members of each of these roles, as the fields of a `Candidate`."""
    members: dict[int, list[dict[str, Any]]] = {}
    wanted = sorted(set(roles))
    if wanted:
        query = Member.select(*_MEMBER_COLUMNS).join(Role, on=(Role.id == Member.role))
        for row in dicts(query.where(Member.role.in_(wanted), Member.is_active, Role.is_active)):
            members.setdefault(row.pop("role"), []).append(row)
    return members


def store_turns(tx: Transaction, turns: Mapping[int, int]) -> None:
    """Write the last turn of each role."""
    update_rows(tx, Role.id, [Role.turn], sorted(turns.items()))


def store_stamps(tx: Transaction, stamps: Mapping[int, Any]) -> None:
    """Write each member's last turn, and count the turns they took and the items they got."""
    rows = [(member, s.last_turn, s.turns_taken, s.items_opened) for member, s in sorted(stamps.items())]
    update_rows(tx, Member.id, [Member.last_turn], rows, add=[Member.turns, Member.open_items])


def store_assignees(tx: Transaction, assignees: Mapping[int, str]) -> None:
    """Give each item (by id) to its person."""
    rows = [(item, user_id, tx.now, None) for item, user_id in sorted(assignees.items())]
    update_rows(tx, TaskItem.id, [TaskItem.assignee, TaskItem.assigned_at, TaskItem.waiting_since], rows)


def store_owners(tx: Transaction, owners: Mapping[int, str]) -> None:
    """Make each task (by id) its owner's."""
    update_rows(tx, Task.id, [Task.owner_user_id], sorted(owners.items()))


def store_picks(tx: Transaction, picks: Iterable[Any]) -> None:
    """Keep why each piece of work went to whom, or waits (`Pick`s)."""
    rows = [
        (
            pick.need.ticket_number,
            pick.need.kind,
            pick.need.subject_id,
            pick.need.role,
            None if pick.chosen is None else pick.chosen.user_id,
            pick.turn,
            pick.reason,
            json.dumps(pick.considered, ensure_ascii=False),
            tx.now,
        )
        for pick in picks
    ]
    fields: list[pw.Field] = [
        AssignmentPick.ticket_number,
        AssignmentPick.kind,
        AssignmentPick.subject_id,
        AssignmentPick.role,
        AssignmentPick.chosen,
        AssignmentPick.turn,
        AssignmentPick.reason,
        AssignmentPick.considered,
        AssignmentPick.decided_at,
    ]
    insert_rows(tx, fields, rows)


def store_history(tx: Transaction, rows: Sequence[tuple[int, str, str, str, str | None, str | None, str | None, str]]) -> None:
    """Add (item, ticket number, actor, event, from state, to state, to user, reason) to the items' history."""
    fields: list[pw.Field] = [
        TaskItemHistory.item,
        TaskItemHistory.ticket_number,
        TaskItemHistory.actor,
        TaskItemHistory.event,
        TaskItemHistory.from_state,
        TaskItemHistory.to_state,
        TaskItemHistory.to_user,
        TaskItemHistory.reason,
        TaskItemHistory.at,
    ]
    insert_rows(tx, fields, [(*row, tx.now) for row in rows])


def read_unassigned(
    tx: Transaction, items: Iterable[int], *, waiting: bool
) -> dict[int, tuple[int, str, int, str | None]]:
    """Return (task, ticket number, role, former assignee) of those of these items that are open, nobody's, and wait or do not."""
    query = TaskItem.select(
        TaskItem.id, TaskItem.task, TaskItem.ticket_number, TaskItem.role, TaskItem.former_assignee
    ).where(
        TaskItem.id.in_(sorted(items)),
        TaskItem.assignee.is_null(),
        TaskItem.waiting_since.is_null(not waiting),
        TaskItem.state.not_in(("completed", "returned", "cancelled")),
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in tuples(query)}


def read_ownerless(tx: Transaction, tasks: Iterable[int]) -> dict[int, str]:
    """Return the ticket numbers of those of these tasks that are open and have no owner."""
    query = Task.select(Task.id, Task.ticket_number).where(
        Task.id.in_(sorted(tasks)), Task.owner_user_id.is_null(), Task.status == "open"
    )
    return {row[0]: row[1] for row in tuples(query)}


def find_role(tx: Transaction, role_id: str) -> int | None:
    """Return the row id of the role that bears this id, or None."""
    row = Role.select(Role.id).where(Role.role_id == role_id).tuples().first()
    return row[0] if row else None
