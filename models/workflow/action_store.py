"""Storing of what an action changes: everything that an `Outcome` says, and the messages that it announces."""

from __future__ import annotations

import uuid
from typing import Any

import peewee as pw

from baton.models.transaction import Transaction
from baton.models.workflow import allocation_store, request_store, sync_store, waiting_store
from baton.models.workflow.intake_store import write_statuses
from baton.models.workflow.people import Member
from baton.models.workflow.rows import insert_rows
from baton.models.workflow.work import (
    Approval,
    ItemHold,
    Task,
    TaskItem,
    TaskItemHistory,
    TicketSnapshot,
    TriageEntry,
    WaitingEntry,
)

_HISTORY: list[pw.Field] = [
    TaskItemHistory.item,
    TaskItemHistory.ticket_number,
    TaskItemHistory.actor,
    TaskItemHistory.event,
    TaskItemHistory.from_state,
    TaskItemHistory.to_state,
    TaskItemHistory.from_user,
    TaskItemHistory.to_user,
    TaskItemHistory.reason,
    TaskItemHistory.request,
    TaskItemHistory.at,
]


def store_outcome(tx: Transaction, outcome: Any, *, request: str | None, notices: bool) -> int | None:
    """
    Write an `Outcome` and announce its messages; return the item that it opened.

    Hold the locks of its ticket and, where it frees or takes, of its roles. `request` is the trace that caused it; `notices`
    whether people are told.
    """
    for change in outcome.changes:
        _change_item(tx, outcome, change)
    _count(tx, outcome)
    _hold(tx, outcome)
    if outcome.decided is not None:
        _approve(tx, outcome)
    opened = _open_item(tx, outcome.opening, outcome.ticket_number) if outcome.opening is not None else None
    _note(tx, outcome, opened, request)
    _change_task(tx, outcome)
    _change_ticket(tx, outcome)
    roles = waiting_store.roles_that_wait(tx, {role for role, _ in outcome.freed})
    waiting = sync_store.role_ids(tx, roles) if roles else []
    if outcome.owner_need is not None and outcome.task is not None:
        waiting += _want_owner(tx, outcome)
    for message in outcome.messages(opened, waiting, notices=notices):
        tx.announce(message, ticket_number=outcome.ticket_number)
    return opened


def _change_item(tx: Transaction, outcome: Any, change: Any) -> None:
    values: dict[str, Any] = {
        "state": change.state,
        "assignee": change.assignee,
        "role": change.role,
        "version": TaskItem.version + 1,
    }
    if not change.opens:
        values.update(closed_at=tx.now)
    if change.assignee != change.from_user:
        values.update(assigned_at=None if change.assignee is None else tx.now)
    if change.assignee is None:
        # Nobody is to get it back without a turn.
        values.update(former_assignee=None)
    leaves = change.from_user is None and (
        not change.opens or change.assignee is not None or outcome.assign == change.item
    )
    if leaves:
        values.update(waiting_since=None)
        waiting_store.leave_waiting(tx, "item", [change.item])
    TaskItem.update(**values).where(TaskItem.id == change.item).execute()


def _count(tx: Transaction, outcome: Any) -> None:
    for pairs, difference in ((outcome.freed, -1), (outcome.taken, 1)):
        for role, user_id in pairs:
            Member.update(open_items=Member.open_items + difference).where(
                Member.role == role, Member.user_id == user_id
            ).execute()


def _hold(tx: Transaction, outcome: Any) -> None:
    ended = [each.item for each in outcome.changes if each.from_state == "on hold" and each.state != "on hold"]
    if ended:
        ItemHold.delete().where(ItemHold.item.in_(ended)).execute()
    hold = outcome.hold
    if hold is not None:
        ItemHold.insert(
            item=hold.item,
            ticket_number=outcome.ticket_number,
            previous_state=hold.previous_state,
            previous_status=hold.previous_status,
            reason=hold.reason,
            resume_at=hold.resume_at,
            since=tx.now,
        ).execute()


def _approve(tx: Transaction, outcome: Any) -> None:
    names = ("item", "user_id", "name", "stands_for", "stands_for_name", "decision", "comment")
    values = {name: getattr(outcome.decided, name) for name in names}
    Approval.insert(ticket_number=outcome.ticket_number, at=tx.now, **values).execute()


def _open_item(tx: Transaction, opening: Any, ticket_number: str) -> int:
    row = {
        "task": opening.task,
        "step": opening.step,
        "visit": opening.visit,
        "ticket_number": ticket_number,
        "role": opening.role,
        "former_assignee": opening.former,
        "came_from": opening.came_from,
        # The history accounts for every version but the first.
        "version": 2 if opening.event else 1,
        "created_at": tx.now,
    }
    (made,) = TaskItem.insert(row).returning(TaskItem.id).tuples().execute()
    return int(made[0])


def _note(tx: Transaction, outcome: Any, opened: int | None, request: str | None) -> None:
    number, actor = outcome.ticket_number, outcome.actor
    rows = [
        (c.item, number, actor, c.event, c.from_state, c.state, c.from_user, c.assignee, c.reason, request, tx.now)
        for c in outcome.changes
    ]
    opening = outcome.opening
    if opened is not None and opening.event:
        rows.append(
            (opened, number, actor, opening.event, opening.from_state, "new", None, None, opening.reason, request, tx.now)
        )
    insert_rows(tx, _HISTORY, rows)
    if outcome.task is None:
        noted = (f"{actor}:{uuid.uuid4().hex}", number, outcome.action, outcome.note, "applied")
        request_store.store_requests(tx, [noted])
    if outcome.allocated is not None:
        matched = outcome.allocated
        allocation_store.store_reasons(
            tx, [(number, matched.workflow.version_id, outcome.note, matched.considered, actor)]
        )


def _change_task(tx: Transaction, outcome: Any) -> None:
    if not outcome.touches_task or outcome.task is None:
        return
    values: dict[str, Any] = {"version": Task.version + 1}
    if outcome.task_status is not None:
        values.update(status=outcome.task_status, closed_at=None if outcome.task_status == "open" else tx.now)
    if outcome.owner is not None:
        values.update(owner_user_id=outcome.owner)
    if outcome.workflow_version is not None:
        values.update(workflow_version=outcome.workflow_version)
    Task.update(**values).where(Task.id == outcome.task).execute()
    if outcome.owner is not None or outcome.task_status not in (None, "open"):
        waiting_store.leave_waiting(tx, "owner", [outcome.task])


def _change_ticket(tx: Transaction, outcome: Any) -> None:
    number = outcome.ticket_number
    if outcome.ticket_changes:
        TicketSnapshot.update(**outcome.ticket_changes).where(TicketSnapshot.ticket_number == number).execute()
    if outcome.triage_keys is not None:
        category, department = outcome.triage_keys
        TriageEntry.update(category_key=category, department_key=department).where(
            TriageEntry.ticket_number == number
        ).execute()
    if outcome.task is None and outcome.task_status is not None:
        allocation_store.leave_triage(tx, [number])
    if outcome.status is not None:
        for written in write_statuses(tx, {number: outcome.status}):
            tx.announce(outcome.status_message(), ticket_number=number, version=written.version)


def _want_owner(tx: Transaction, outcome: Any) -> list[str]:
    """Put a task without an owner on the waiting list; return the role whose list is to be served."""
    role = sync_store.find_owner_role(tx)
    user_id, email = outcome.owner_need
    WaitingEntry.insert(
        kind="owner",
        subject_id=outcome.task,
        role=role,
        ticket_number=outcome.ticket_number,
        requester_user_id=user_id,
        requester_email=email,
        reason="reopened without an owner",
        since=tx.now,
    ).on_conflict_ignore().execute()
    return sync_store.role_ids(tx, [role])
