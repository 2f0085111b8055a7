"""Storing of what actions change in tasks and tickets, for any number of `Outcome`s at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import peewee as pw

from baton.models.transaction import Transaction
from baton.models.workflow import allocation_store, request_store, sync_store, waiting_store
from baton.models.workflow.rows import insert_rows, update_in_shapes
from baton.models.workflow.sla_journal import note_names
from baton.models.workflow.work import Task, TicketSnapshot, TriageEntry, WaitingEntry

_WANTING: list[pw.Field] = [
    WaitingEntry.kind,
    WaitingEntry.subject_id,
    WaitingEntry.role,
    WaitingEntry.ticket_number,
    WaitingEntry.requester_user_id,
    WaitingEntry.requester_email,
    WaitingEntry.reason,
    WaitingEntry.since,
]


def note_decisions(tx: Transaction, outcomes: Sequence[Any]) -> None:
    """Keep what was done to tickets without a task, which have no history, and why a task changed its workflow."""
    noted = [
        (f"{each.actor}:{uuid.uuid4().hex}", each.ticket_number, each.action, each.note, "applied")
        for each in outcomes
        if each.task is None
    ]
    request_store.store_requests(tx, noted)
    reasons = [
        (each.ticket_number, each.allocated.workflow.version_id, each.note, each.allocated.considered, each.actor)
        for each in outcomes
        if each.allocated is not None
    ]
    if reasons:
        allocation_store.store_reasons(tx, reasons)


def store_tasks(tx: Transaction, outcomes: Sequence[Any]) -> None:
    """Write what became of the tasks."""
    changes: dict[int, dict[pw.Field, Any]] = {}
    settled = []
    for each in outcomes:
        if not each.touches_task or each.task is None:
            continue
        values: dict[pw.Field, Any] = {}
        changes[each.task] = values
        if each.task_status is not None:
            values[Task.status] = each.task_status
            values[Task.closed_at] = None if each.task_status == "open" else tx.now
        if each.owner is not None:
            values[Task.owner_user_id] = each.owner
        if each.workflow_version is not None:
            values[Task.workflow_version] = each.workflow_version
        if each.owner is not None or each.task_status not in (None, "open"):
            settled.append(each.task)
    update_in_shapes(tx, Task.id, changes, add=[Task.version])
    waiting_store.leave_waiting(tx, "owner", settled)


def store_tickets(tx: Transaction, outcomes: Sequence[Any]) -> None:
    """Write what became of the tickets, but for their status."""
    changed = {
        each.ticket_number: {getattr(TicketSnapshot, name): value for name, value in each.ticket_changes.items()}
        for each in outcomes
        if each.ticket_changes
    }
    note_names(tx, {each.ticket_number: each.ticket_changes for each in outcomes if each.ticket_changes})
    update_in_shapes(tx, TicketSnapshot.ticket_number, changed)
    keys: dict[str, dict[pw.Field, Any]] = {
        each.ticket_number: {TriageEntry.category_key: each.triage_keys[0], TriageEntry.department_key: each.triage_keys[1]}
        for each in outcomes
        if each.triage_keys is not None
    }
    update_in_shapes(tx, TriageEntry.ticket_number, keys)
    left = [each.ticket_number for each in outcomes if each.task is None and each.task_status is not None]
    if left:
        allocation_store.leave_triage(tx, left)


def want_owners(tx: Transaction, outcomes: Sequence[Any]) -> list[str]:
    """Put tasks without an owner on the waiting list; return the role whose list is to be served then."""
    wanting = [each for each in outcomes if each.owner_need is not None and each.task is not None]
    if not wanting:
        return []
    role = sync_store.find_owner_role(tx)
    rows = [
        ("owner", each.task, role, each.ticket_number, *each.owner_need, "reopened without an owner", tx.now) for each in wanting
    ]
    insert_rows(tx, _WANTING, rows, ignore=True)
    return sync_store.role_ids(tx, [role])
