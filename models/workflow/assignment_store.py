"""
Storing of assignment: the rotation under its lock, who got what, and why.

Order of locks everywhere: tickets by number, then roles by id. A role's lock is held from `lock_roles` to the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models.statements import Statement
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import insert_rows, tuples, update_rows
from baton.models.workflow.work import AssignmentPick, Task, TaskItem, TaskItemHistory


class RoleRow(NamedTuple):
    """A locked role."""

    id: int
    role_id: str
    name: str
    is_active: bool
    turn: int
    system: str


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


_i = TaskItem
_UNASSIGNED_COLUMNS = (_i.id, _i.task, _i.ticket_number, _i.role, _i.former_assignee, _i.state, Step.approvals_needed)
_ROLES = Statement(
    lambda among: (
        Role.select(Role.id, Role.role_id, Role.name, Role.is_active, Role.turn, Role.system)
        .where(among(Role.id))
        .order_by(Role.id)
    )
)
_MEMBERS = Statement(
    lambda among: (
        Member.select(*_MEMBER_COLUMNS)
        .join(Role, on=(Role.id == Member.role))
        .where(among(Member.role), Member.is_active, Role.is_active)
    )
)


def _open_items(waiting: bool) -> Statement:
    ended = ("completed", "returned", "cancelled")
    return Statement(
        lambda among: (
            _i.select(*_UNASSIGNED_COLUMNS)
            .join(Step, on=(Step.id == _i.step))
            .where(among(_i.id), _i.assignee.is_null(), _i.waiting_since.is_null(not waiting), _i.state.not_in(ended))
        )
    )


_WAITING, _UNASSIGNED = _open_items(True), _open_items(False)


def lock_roles(tx: Transaction, roles: Iterable[int]) -> dict[int, RoleRow]:
    """Return these roles, each locked until the commit."""
    return read_roles(tx, roles, lock=True)


def read_roles(tx: Transaction, roles: Iterable[int], *, lock: bool = False) -> dict[int, RoleRow]:
    """Return these roles as they are now."""
    wanted = sorted(set(roles))
    if not wanted:
        return {}
    return {row[0]: RoleRow(*row) for row in _ROLES.tuples(wanted, lock=lock)}


def read_members(tx: Transaction, roles: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the active members of each of these roles, as the fields of a `Candidate`."""
    members: dict[int, list[dict[str, Any]]] = {}
    wanted = sorted(set(roles))
    if wanted:
        for row in _MEMBERS.dicts(wanted):
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
    rows = [(item, user_id, tx.now, None, 1) for item, user_id in sorted(assignees.items())]
    fields = [TaskItem.assignee, TaskItem.assigned_at, TaskItem.waiting_since]
    update_rows(tx, TaskItem.id, fields, rows, add=[TaskItem.version])


def store_owners(tx: Transaction, owners: Mapping[int, str]) -> None:
    """Make each task (by id) its owner's."""
    update_rows(tx, Task.id, [Task.owner_user_id], [(*each, 1) for each in sorted(owners.items())], add=[Task.version])


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


#: (item, ticket number, actor, event, from state, to state, to user, reason)
HistoryRow = tuple[int, str, str, str, str | None, str | None, str | None, str]


def store_history(tx: Transaction, rows: Sequence[HistoryRow], traces: Mapping[str, str] | None = None) -> None:
    """Add rows to the items' history, with the trace of each ticket where there is one."""
    traces = traces or {}
    fields: list[pw.Field] = [
        TaskItemHistory.item,
        TaskItemHistory.ticket_number,
        TaskItemHistory.actor,
        TaskItemHistory.event,
        TaskItemHistory.from_state,
        TaskItemHistory.to_state,
        TaskItemHistory.to_user,
        TaskItemHistory.reason,
        TaskItemHistory.request,
        TaskItemHistory.at,
    ]
    insert_rows(tx, fields, [(*row, traces.get(row[1]), tx.now) for row in rows])


class Unassigned(NamedTuple):
    """An open item that nobody has. `approvals` is how many its step needs."""

    item: int
    task: int
    ticket_number: str
    role: int
    former: str | None
    state: str
    approvals: int


def read_unassigned(tx: Transaction, items: Iterable[int], *, waiting: bool) -> dict[int, Unassigned]:
    """Return those of these items that are open, nobody's, and wait or do not."""
    rows = (_WAITING if waiting else _UNASSIGNED).tuples(sorted(items))
    return {row[0]: Unassigned(*row) for row in rows}


def read_ownerless(tx: Transaction, tasks: Iterable[int]) -> dict[int, str]:
    """Return the ticket numbers of those of these tasks that are open and have no owner."""
    query = Task.select(Task.id, Task.ticket_number).where(
        Task.id.in_(sorted(tasks)), Task.owner_user_id.is_null(), Task.status == "open"
    )
    return {row[0]: row[1] for row in tuples(query)}


class ItemNames(NamedTuple):
    """What an item is called, the `system:Role` pair it belongs to, and how many approvals its step asks for."""

    workflow: str
    step: str
    role: str
    approvals: int


def read_names(tx: Transaction, items: Iterable[int]) -> dict[int, ItemNames]:
    """Return the names of the workflow, the step and the role of each of these items."""
    query = (
        TaskItem.select(TaskItem.id, Workflow.name, Step.name, Role.system, Role.name, Step.approvals_needed)
        .join(Step, on=(Step.id == TaskItem.step))
        .join(Role, on=(Role.id == TaskItem.role))
        .join(WorkflowVersion, on=(WorkflowVersion.id == Step.version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(TaskItem.id.in_(sorted(items)))
    )
    return {
        item: ItemNames(workflow, step, f"{system}:{role}", approvals)
        for item, workflow, step, system, role, approvals in tuples(query)
    }


def find_role(tx: Transaction, role_id: str) -> int | None:
    """Return the row id of the role that bears this id, or None."""
    row = Role.select(Role.id).where(Role.role_id == role_id).tuples().first()
    return row[0] if row else None
