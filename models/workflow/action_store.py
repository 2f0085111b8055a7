"""
Storing of what actions change: everything that `Outcome`s say, and the messages that they announce.

The number of statements does not depend on how many outcomes there are: each table is written once for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import peewee as pw

from baton.models.transaction import Announceable, Transaction
from baton.models.workflow import waiting_store
from baton.models.workflow.action_task_store import note_decisions, store_tasks, store_tickets, want_owners
from baton.models.workflow.intake_store import write_statuses
from baton.models.workflow.people import Member
from baton.models.workflow.rows import insert_rows, update_in_shapes, update_rows
from baton.models.workflow.work import Approval, ItemHold, TaskItem, TaskItemHistory

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
_OPENED: list[pw.Field] = [
    TaskItem.task,
    TaskItem.step,
    TaskItem.visit,
    TaskItem.ticket_number,
    TaskItem.role,
    TaskItem.former_assignee,
    TaskItem.came_from,
    TaskItem.version,
    TaskItem.created_at,
]
_HOLD: list[pw.Field] = [
    ItemHold.item,
    ItemHold.ticket_number,
    ItemHold.previous_state,
    ItemHold.previous_status,
    ItemHold.reason,
    ItemHold.resume_at,
    ItemHold.since,
]
_APPROVAL: list[pw.Field] = [
    Approval.item,
    Approval.user_id,
    Approval.name,
    Approval.stands_for,
    Approval.stands_for_name,
    Approval.decision,
    Approval.comment,
    Approval.ticket_number,
    Approval.at,
]


def store_outcomes(
    tx: Transaction, outcomes: Sequence[Any], news: Iterable[Announceable], *, request: str | None, notices: bool
) -> list[int | None]:
    """
    Write `Outcome`s and announce their messages; return, for each, the item that it opened.

    Hold the locks of their tickets and, where they free or take, of their roles. An item or a task is changed by one of them at
    most. `news` is announced once for all of them; `request` is the trace that caused them, `notices` whether people are told.
    """
    if not outcomes:
        return []
    _change_items(tx, outcomes)
    _count(tx, outcomes)
    _hold(tx, outcomes)
    _approve(tx, outcomes)
    opened = _open_items(tx, outcomes)
    _note(tx, outcomes, opened, request)
    note_decisions(tx, outcomes)
    store_tasks(tx, outcomes)
    store_tickets(tx, outcomes)
    for message in news:
        tx.announce(message, ticket_number=outcomes[0].ticket_number if len(outcomes) == 1 else None)
    _announce(tx, outcomes, opened, notices=notices)
    return opened


def _change_items(tx: Transaction, outcomes: Sequence[Any]) -> None:
    changes: dict[int, dict[pw.Field, Any]] = {}
    left = []
    for outcome in outcomes:
        for change in outcome.changes:
            values: dict[pw.Field, Any] = {
                TaskItem.state: change.state,
                TaskItem.assignee: change.assignee,
                TaskItem.role: change.role,
            }
            changes[change.item] = values
            if not change.opens:
                values[TaskItem.closed_at] = tx.now
            if change.assignee != change.from_user:
                values[TaskItem.assigned_at] = None if change.assignee is None else tx.now
            if change.assignee is None:
                # Nobody is to get it back without a turn.
                values[TaskItem.former_assignee] = None
            ends_waiting = not change.opens or change.assignee is not None or outcome.assign == change.item
            if change.from_user is None and ends_waiting:
                values[TaskItem.waiting_since] = None
                left.append(change.item)
    waiting_store.leave_waiting(tx, "item", left)
    update_in_shapes(tx, TaskItem.id, changes, add=[TaskItem.version])


def _count(tx: Transaction, outcomes: Sequence[Any]) -> None:
    counts: Counter[tuple[int, str]] = Counter()
    for outcome in outcomes:
        counts.subtract(outcome.freed)
        counts.update(outcome.taken)
    rows = [(role, user_id, count) for (role, user_id), count in sorted(counts.items()) if count]
    update_rows(tx, (Member.role, Member.user_id), [], rows, add=[Member.open_items])


def _hold(tx: Transaction, outcomes: Sequence[Any]) -> None:
    changes = [change for outcome in outcomes for change in outcome.changes]
    ended = [each.item for each in changes if each.from_state == "on hold" and each.state != "on hold"]
    if ended:
        ItemHold.delete().where(ItemHold.item.in_(ended)).execute()
    holds = [(outcome.hold, outcome.ticket_number) for outcome in outcomes if outcome.hold is not None]
    rows = [
        (hold.item, number, hold.previous_state, hold.previous_status, hold.reason, hold.resume_at, tx.now)
        for hold, number in holds
    ]
    insert_rows(tx, _HOLD, rows)


def _approve(tx: Transaction, outcomes: Sequence[Any]) -> None:
    decided = [(outcome.decided, outcome.ticket_number) for outcome in outcomes if outcome.decided is not None]
    rows = [
        (d.item, d.user_id, d.name, d.stands_for, d.stands_for_name, d.decision, d.comment, number, tx.now)
        for d, number in decided
    ]
    insert_rows(tx, _APPROVAL, rows)


def _open_items(tx: Transaction, outcomes: Sequence[Any]) -> list[int | None]:
    openings = [(outcome.opening, outcome.ticket_number) for outcome in outcomes if outcome.opening is not None]
    # The history accounts for every version but the first.
    rows = [
        (o.task, o.step, o.visit, number, o.role, o.former, o.came_from, 2 if o.event else 1, tx.now) for o, number in openings
    ]
    made = insert_rows(tx, _OPENED, rows, returning=[TaskItem.task, TaskItem.id])
    items = dict(made)
    return [None if outcome.opening is None else items[outcome.opening.task] for outcome in outcomes]


def _note(tx: Transaction, outcomes: Sequence[Any], opened: Sequence[int | None], request: str | None) -> None:
    rows: list[tuple[Any, ...]] = []
    for outcome, item in zip(outcomes, opened, strict=True):
        number, actor, start = outcome.ticket_number, outcome.actor, outcome.opening
        rows += [
            (c.item, number, actor, c.event, c.from_state, c.state, c.from_user, c.assignee, c.reason, request, tx.now)
            for c in outcome.changes
        ]
        if item is not None and start.event:
            rows.append((item, number, actor, start.event, start.from_state, "new", None, None, start.reason, request, tx.now))
    insert_rows(tx, _HISTORY, rows)


def _announce(tx: Transaction, outcomes: Sequence[Any], opened: Sequence[int | None], *, notices: bool) -> None:
    by_number = {outcome.ticket_number: outcome for outcome in outcomes if outcome.status is not None}
    for written in write_statuses(tx, {number: outcome.status for number, outcome in by_number.items()}):
        number = written.ticket_number
        tx.announce(by_number[number].status_message(), ticket_number=number, version=written.version)
    waiting = waiting_store.role_ids_that_wait(tx, {role for outcome in outcomes for role, _ in outcome.freed})
    wanting = want_owners(tx, outcomes)
    for outcome, item in zip(outcomes, opened, strict=True):
        # Each role's list is served once, for the first that frees somebody of it.
        served = [waiting.pop(role) for role, _ in outcome.freed if role in waiting]
        if outcome.owner_need is not None and outcome.task is not None:
            served += wanting
        for message in outcome.messages(item, served, notices=notices):
            tx.announce(message, ticket_number=outcome.ticket_number)
