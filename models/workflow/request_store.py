"""Storing of withdrawals and reopenings, and of items that are closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee as pw
from peewee import fn

from baton.models.transaction import Transaction
from baton.models.workflow.people import Member
from baton.models.workflow.rows import insert_rows, tuples, update_rows
from baton.models.workflow.work import ItemHold, Task, TaskItem, TicketRequest, WaitingEntry


class ItemRow(NamedTuple):
    """An item, with what its closing or its return needs."""

    item: int
    task: int
    step: int
    visit: int
    ticket_number: str
    role: int
    assignee: str | None
    state: str
    came_from: int | None


_ITEM_COLUMNS = (
    TaskItem.id,
    TaskItem.task,
    TaskItem.step,
    TaskItem.visit,
    TaskItem.ticket_number,
    TaskItem.role,
    TaskItem.assignee,
    TaskItem.state,
    TaskItem.came_from,
)


def seen_requests(tx: Transaction, request_ids: Iterable[str]) -> set[str]:
    """Return which of these requests were handled before."""
    query = TicketRequest.select(TicketRequest.request_id).where(TicketRequest.request_id.in_(sorted(request_ids)))
    return {row[0] for row in tuples(query)}


def store_requests(tx: Transaction, rows: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Note (request id, ticket number, kind, reason, outcome) as handled."""
    fields: list[pw.Field] = [
        TicketRequest.request_id,
        TicketRequest.ticket_number,
        TicketRequest.kind,
        TicketRequest.reason,
        TicketRequest.outcome,
        TicketRequest.handled_at,
    ]
    insert_rows(tx, fields, [(*row, tx.now) for row in rows], ignore=True)


def open_items(tx: Transaction, ticket_numbers: Iterable[str]) -> list[ItemRow]:
    """Return the items of these tickets that are not finished."""
    query = TaskItem.select(*_ITEM_COLUMNS).where(
        TaskItem.task.in_(_tasks_of(ticket_numbers)), TaskItem.state.not_in(("completed", "returned", "cancelled"))
    )
    return [ItemRow(*row) for row in tuples(query)]


def _tasks_of(ticket_numbers: Iterable[str]) -> Any:
    return Task.select(Task.id).where(Task.ticket_number.in_(sorted(ticket_numbers)))


def last_items(tx: Transaction, ticket_numbers: Iterable[str]) -> list[ItemRow]:
    """Return the newest item of each of these tickets' tasks."""
    newest = (
        TaskItem.select(fn.MAX(TaskItem.id))
        .where(TaskItem.task.in_(_tasks_of(ticket_numbers)))
        .group_by(TaskItem.task)
    )
    return [ItemRow(*row) for row in tuples(TaskItem.select(*_ITEM_COLUMNS).where(TaskItem.id.in_(newest)))]


def close_items(tx: Transaction, items: Iterable[int], state: str) -> None:
    """Finish these items in the given final state; they wait no more."""
    wanted = sorted(items)
    if wanted:
        closed = TaskItem.update(state=state, closed_at=tx.now, waiting_since=None, version=TaskItem.version + 1)
        closed.where(TaskItem.id.in_(wanted)).execute()
        ItemHold.delete().where(ItemHold.item.in_(wanted)).execute()
        WaitingEntry.delete().where(WaitingEntry.kind == "item", WaitingEntry.subject_id.in_(wanted)).execute()


def free_assignees(tx: Transaction, items: Iterable[ItemRow]) -> None:
    """Count these items out of their assignees' open work. Hold the locks of their roles."""
    freed = Counter((item.role, item.assignee) for item in items if item.assignee is not None)
    if not freed:
        return
    query = Member.select(Member.id, Member.role, Member.user_id).where(
        Member.role.in_(sorted({role for role, _ in freed})), Member.user_id.in_(sorted({user for _, user in freed if user}))
    )
    counts = [(member, -freed[role, user]) for member, role, user in tuples(query) if (role, user) in freed]
    update_rows(tx, Member.id, [], sorted(counts), add=[Member.open_items])


def close_tasks(tx: Transaction, ticket_numbers: Iterable[str], status: str) -> None:
    """Close the tasks of these tickets; none of them waits for an owner any more."""
    numbers = sorted(ticket_numbers)
    if numbers:
        Task.update(status=status, closed_at=tx.now, version=Task.version + 1).where(Task.ticket_number.in_(numbers)).execute()
        WaitingEntry.delete().where(WaitingEntry.ticket_number.in_(numbers), WaitingEntry.kind == "owner").execute()


def reopen_tasks(tx: Transaction, ticket_numbers: Iterable[str]) -> list[tuple[int, str, str | None]]:
    """Open the tasks of these tickets again; return their (id, ticket number, owner)."""
    numbers = sorted(ticket_numbers)
    if not numbers:
        return []
    update = Task.update(status="open", closed_at=None, version=Task.version + 1).where(Task.ticket_number.in_(numbers))
    return tuples(update.returning(Task.id, Task.ticket_number, Task.owner_user_id))
