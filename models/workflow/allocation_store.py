"""Storing of allocation: the rules in force, tasks with their first items, the triage queue, and the reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.rows import insert_rows, tuples
from baton.models.workflow.work import Allocation, Task, TaskItem, TriageEntry

#: The advisory lock under which tickets are parked (shared) and workflows deployed (alone). Any constant of this database.
_DEPLOYMENT_LOCK = 0x6261746F


class DeployedRow(NamedTuple):
    """A deployed version with its rules (JSON) and first step."""

    workflow_id: int
    name: str
    version_id: int
    version_number: int
    rules: str
    first_step: int
    first_role: int


class NewItem(NamedTuple):
    """A first item just made."""

    item: int
    task: int
    ticket_number: str
    role: int


def hold_deployments(tx: Transaction, *, alone: bool = False) -> None:
    """
    Keep workflows as they are until the commit; `alone`: keep others from parking tickets too, to deploy one.

    Without it a ticket could be parked by rules read a moment before a deployment whose drain then does not see it.
    SQLite has one writer at a time, which is the same.
    """
    if not db.is_sqlite(tx.database):
        function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        tx.database.execute_sql(f"select {function}(%s, 0)", (_DEPLOYMENT_LOCK,))


def read_deployed(tx: Transaction | None = None) -> list[DeployedRow]:
    """Return every deployed workflow version, oldest workflow first."""
    query = (
        Workflow.select(
            Workflow.id,
            Workflow.name,
            WorkflowVersion.id,
            WorkflowVersion.number,
            WorkflowVersion.rules,
            Step.id,
            Step.role,
        )
        .join(WorkflowVersion, on=(WorkflowVersion.id == Workflow.deployed_version))
        .join(Step, on=((Step.version == WorkflowVersion.id) & (Step.position == 1)))
        .order_by(Workflow.id)
    )
    return [DeployedRow(*row) for row in tuples(query)]


def store_tasks(tx: Transaction, tasks: Iterable[tuple[str, int, int, int]]) -> list[NewItem]:
    """
    Make a task and its first item for each (ticket number, version id, first step, role); return the items.

    A ticket that has a task already keeps it, and gets nothing here.
    """
    wanted = {number: (version, step, role) for number, version, step, role in sorted(tasks)}
    if not wanted:
        return []
    made = insert_rows(
        tx,
        [Task.ticket_number, Task.workflow_version, Task.status, Task.version, Task.created_at],
        [(number, version, "open", 1, tx.now) for number, (version, _, _) in wanted.items()],
        ignore=True,
        returning=[Task.id, Task.ticket_number],
    )
    firsts = [(task, wanted[number][1], 1, number, wanted[number][2], None, None) for task, number in made]
    return store_items(tx, firsts)


def store_items(
    tx: Transaction, items: Sequence[tuple[int, int, int, str, int, str | None, int | None]], *, noted: bool = False
) -> list[NewItem]:
    """
    Open an item for each (task, step, visit, ticket number, role, former assignee, came from); a visit is opened once.

    `noted`: its history begins with its opening, which counts as a version.
    """
    opened = insert_rows(
        tx,
        [
            TaskItem.task,
            TaskItem.step,
            TaskItem.visit,
            TaskItem.ticket_number,
            TaskItem.role,
            TaskItem.former_assignee,
            TaskItem.came_from,
            TaskItem.state,
            TaskItem.version,
            TaskItem.created_at,
        ],
        [(*item, "new", 2 if noted else 1, tx.now) for item in items],
        ignore=True,
        returning=[TaskItem.id, TaskItem.task, TaskItem.ticket_number, TaskItem.role],
    )
    return [NewItem(*row) for row in opened]


def store_parked(tx: Transaction, parked: Iterable[tuple[str, str, str, str]]) -> None:
    """Put (ticket number, category key, department key, reason) into the triage queue; who stands there keeps the place."""
    fields: list[pw.Field] = [
        TriageEntry.ticket_number,
        TriageEntry.category_key,
        TriageEntry.department_key,
        TriageEntry.reason,
        TriageEntry.since,
    ]
    insert_rows(tx, fields, [(*entry, tx.now) for entry in parked], ignore=True)


def store_reasons(tx: Transaction, reasons: Iterable[tuple[str, int | None, str, list[dict[str, Any]], str]]) -> None:
    """Keep why each ticket got its workflow or none: (ticket number, version id, reason, considered, decided by)."""
    rows = [
        (number, version, reason, json.dumps(considered, ensure_ascii=False), decided_by, tx.now)
        for number, version, reason, considered, decided_by in reasons
    ]
    fields: list[pw.Field] = [
        Allocation.ticket_number,
        Allocation.workflow_version,
        Allocation.reason,
        Allocation.considered,
        Allocation.decided_by,
        Allocation.decided_at,
    ]
    insert_rows(tx, fields, rows)


def leave_triage(tx: Transaction, ticket_numbers: Iterable[str]) -> None:
    """Take these tickets off the triage queue."""
    numbers = sorted(ticket_numbers)
    if numbers:
        TriageEntry.delete().where(TriageEntry.ticket_number.in_(numbers)).execute()


def read_parked(tx: Transaction, keys: Iterable[tuple[str | None, str | None]], limit: int) -> list[str]:
    """Return the numbers of the longest parked tickets that one of these (category, department) keys matches."""
    wanted = None
    for category, department in keys:
        matches = None
        if category is not None:
            matches = TriageEntry.category_key == category
        if department is not None:
            same = TriageEntry.department_key == department
            matches = same if matches is None else matches & same
        if matches is not None:
            wanted = matches if wanted is None else wanted | matches
    if wanted is None:
        return []
    query = TriageEntry.select(TriageEntry.ticket_number).where(wanted).order_by(TriageEntry.id).limit(limit)
    return [row[0] for row in tuples(query)]


def read_choices(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, tuple[int | None, str | None]]:
    """Return, for each of these tickets that is in triage, the workflow picked by hand and by whom."""
    query = TriageEntry.select(TriageEntry.ticket_number, TriageEntry.chosen_workflow, TriageEntry.chosen_by).where(
        TriageEntry.ticket_number.in_(sorted(ticket_numbers))
    )
    return {number: (workflow, chosen_by) for number, workflow, chosen_by in tuples(query)}


def with_tasks(tx: Transaction, ticket_numbers: Iterable[str]) -> set[str]:
    """Return which of these tickets have a task."""
    query = Task.select(Task.ticket_number).where(Task.ticket_number.in_(sorted(ticket_numbers)))
    return {row[0] for row in tuples(query)}


