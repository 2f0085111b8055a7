"""Storing of moves: running tasks go to another version of their workflow, each by its own guarded change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models.transaction import Transaction
from baton.models.workflow.assignment_store import store_history
from baton.models.workflow.definitions import Step, WorkflowVersion
from baton.models.workflow.request_store import ItemRow, close_items, free_assignees, open_items
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.work import Allocation, Approval, ItemHold, Task, TaskItem, WaitingEntry


class TaskRow(NamedTuple):
    """A task that might move, with the version it is on."""

    id: int
    ticket_number: str
    status: str
    version_id: int
    version_number: int


_COLUMNS = (Task.id, Task.ticket_number, Task.status, Task.workflow_version, WorkflowVersion.number)


def find_tasks(
    workflow: int, target: int, *, from_version: int | None, step: str | None, after: int, limit: int
) -> list[TaskRow]:
    """Return, by id, open tasks of a workflow's other versions; of one version or at one step, if these are given."""
    query = (
        Task.select(*_COLUMNS)
        .join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .where(WorkflowVersion.workflow == workflow, Task.status == "open", Task.workflow_version != target, Task.id > after)
    )
    if from_version is not None:
        query = query.where(WorkflowVersion.number == from_version)
    if step is not None:
        at_step = (
            TaskItem.select(pw.SQL("1"))
            .join(Step, on=(Step.id == TaskItem.step))
            .where(TaskItem.task == Task.id, TaskItem.closed_at.is_null(), Step.name == step)
        )
        query = query.where(pw.fn.EXISTS(at_step))
    return [TaskRow(*row) for row in tuples(query.order_by(Task.id).limit(limit))]


def read_tasks(workflow: int, ticket_numbers: Iterable[str]) -> dict[str, TaskRow]:
    """Return the tasks of these tickets that run on a version of the workflow, by ticket number."""
    query = (
        Task.select(*_COLUMNS)
        .join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .where(WorkflowVersion.workflow == workflow, Task.ticket_number.in_(sorted(set(ticket_numbers))))
    )
    return {row[1]: TaskRow(*row) for row in tuples(query)}


def read_items(tx: Any, ticket_numbers: Iterable[str]) -> dict[int, ItemRow]:
    """Return the open item of each of these tickets' tasks, by task."""
    return {item.task: item for item in open_items(tx, ticket_numbers)}


def read_steps(steps: Iterable[int]) -> list[dict[str, Any]]:
    """Return (id, name, role, escalation_role) of these steps."""
    query = Step.select(Step.id, Step.name, Step.role, Step.escalation_role).where(Step.id.in_(sorted(set(steps))))
    return dicts(query)


def steps_of(version: int) -> list[dict[str, Any]]:
    """Return (id, name, role, escalation_role) of a version's steps, in their order."""
    query = Step.select(Step.id, Step.name, Step.role, Step.escalation_role).where(Step.version == version)
    return dicts(query.order_by(Step.position))


def count_decisions(items: Iterable[int]) -> dict[int, int]:
    """Return how many approvals and refusals were given on each of these items that has any."""
    query = Approval.select(Approval.item, pw.fn.COUNT(Approval.id)).where(Approval.item.in_(sorted(items)))
    return dict(tuples(query.group_by(Approval.item)))


def store_move(
    tx: Transaction, task: TaskRow, item: ItemRow, plan: Any, target: int, actor: str, reasons: Sequence[str]
) -> int | None:
    """
    Put a task on the version `target`, its open item closed and another in its place; return that item's id.

    None, and nothing is changed, if the task left its version or was closed in between. Hold the ticket's lock, and, if the role
    changes, those of the roles. `reasons` are what the history says of the old item and of the new one.
    """
    guarded = Task.update(workflow_version=target, version=Task.version + 1).where(
        Task.id == task.id, Task.workflow_version == task.version_id, Task.status == "open"
    )
    if not guarded.execute():
        return None
    opened = _open_counterpart(tx, item, plan)
    if plan.keeps_place:
        same = (WaitingEntry.kind == "item") & (WaitingEntry.subject_id == item.item)
        WaitingEntry.update(subject_id=opened).where(same).execute()
        ItemHold.update(item=opened).where(ItemHold.item == item.item).execute()
    else:
        free_assignees(tx, [item])
    close_items(tx, [item.item], "cancelled")
    store_history(
        tx,
        [
            (item.item, item.ticket_number, actor, "moved", item.state, "cancelled", None, reasons[0]),
            (opened, item.ticket_number, actor, "moved", item.state, plan.state, plan.assignee, reasons[1]),
        ],
    )
    Allocation.create(
        ticket_number=task.ticket_number,
        workflow_version=target,
        reason=reasons[0],
        considered="[]",
        decided_by=actor,
        decided_at=tx.now,
    )
    return opened


def _open_counterpart(tx: Transaction, item: ItemRow, plan: Any) -> int:
    """Open a copy of the item at the plan's step, with its assignee and state as the plan says."""
    values = dicts(TaskItem.select().where(TaskItem.id == item.item))[0]
    visits = TaskItem.select(pw.fn.MAX(TaskItem.visit)).where(TaskItem.task == item.task, TaskItem.step == plan.to_step.id)
    values |= {"step": plan.to_step.id, "visit": (visits.scalar() or 0) + 1, "role": plan.role, "state": plan.state}
    values |= {"assignee": plan.assignee, "version": 2, "created_at": tx.now}
    if not plan.keeps_place:
        values |= {"former_assignee": None, "assigned_at": None, "waiting_since": None}
    del values["id"]
    return int(TaskItem.insert(values).execute())
