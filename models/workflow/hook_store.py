"""Storing of the calls at the end of tasks: what ended, which calls were made of it, every attempt."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import peewee as pw
from peewee import fn

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Workflow, WorkflowVersion
from baton.models.workflow.hooks import Hook, HookAttempt
from baton.models.workflow.rows import insert_rows, tuples
from baton.models.workflow.work import Task, TaskItem, TicketSnapshot

#: How long a call that could not be made waits for the next look.
NEXT_TRY = timedelta(seconds=60)
#: Namespace of the calls' ids: a call's id follows from the completion that it is about.
_CALLS = uuid.UUID("6b1c86f4-4f0e-5d0c-9a35-3f6d0f5e6a11")
_FIELDS: list[pw.Field] = [
    Hook.task,
    Hook.completion,
    Hook.hook,
    Hook.ticket_number,
    Hook.message_id,
    Hook.state,
    Hook.detail,
    Hook.queue,
    Hook.name,
    Hook.kwargs,
    Hook.corrections,
    Hook.attempts,
    Hook.created_at,
    Hook.sent_at,
    Hook.next_try_at,
]


class EndedRow(NamedTuple):
    """A completed item with its task, ticket and workflow; `data` is the ticket's JSON text."""

    completion: int
    completed_at: datetime
    task: int
    task_status: str
    ticket_number: str
    owner_user_id: str | None
    requester_user_id: str | None
    end_logic: str
    workflow: str
    subject: str
    category: str | None
    data: str


def tasks_of(tx: Transaction, ticket_numbers: Iterable[str]) -> set[str]:
    """Return which of these tickets have a task."""
    return {row[0] for row in tuples(Task.select(Task.ticket_number).where(Task.ticket_number.in_(sorted(ticket_numbers))))}


def ended_by(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, EndedRow]:
    """Return, by ticket number, the item that was completed last of each of these tickets' tasks, with all that goes with it."""
    newest = (
        TaskItem.select(fn.MAX(TaskItem.id))
        .join(Task, on=(Task.id == TaskItem.task))
        .where(Task.ticket_number.in_(sorted(ticket_numbers)), TaskItem.state == "completed")
        .group_by(TaskItem.task)
    )
    return {row.ticket_number: row for row in _ended(TaskItem.id.in_(newest))}


def ended_at(completion: int) -> EndedRow | None:
    """Return one completed item with all that goes with it."""
    return next(iter(_ended(TaskItem.id == completion)), None)


def facts_of(row: EndedRow) -> dict[str, Any]:
    """Return what the decision needs to know of a completed item, by the names that it has there."""
    names = ("ticket_number", "subject", "category", "workflow", "completion", "completed_at")
    people = ("owner_user_id", "requester_user_id")
    return {**{name: getattr(row, name) for name in (*names, *people)}, "data": json.loads(row.data)}


def _ended(which: Any) -> list[EndedRow]:
    query = (
        TaskItem.select(
            TaskItem.id,
            TaskItem.closed_at,
            Task.id,
            Task.status,
            Task.ticket_number,
            Task.owner_user_id,
            TicketSnapshot.requester_user_id,
            WorkflowVersion.end_logic,
            Workflow.name,
            TicketSnapshot.subject,
            TicketSnapshot.category,
            TicketSnapshot.ticket_data,
        )
        .join(Task, on=(Task.id == TaskItem.task))
        .join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .join(TicketSnapshot, on=(TicketSnapshot.ticket_number == Task.ticket_number))
        .where(which)
    )
    return [EndedRow(*row) for row in tuples(query)]


def store_calls(tx: Transaction, calls: Sequence[tuple[EndedRow, str, Any]], traces: Mapping[str, str]) -> list[str]:
    """
    Note each call (what ended, which hook, its verdict) that is not noted yet, and send what its verdict says.

    Returns the ticket numbers of those that were new; the others were made before and are left alone.
    """
    rows, by_key = [], {}
    for ended, hook, verdict in calls:
        key = call_id(ended, hook)
        by_key[key] = (ended, verdict)
        rows.append(
            (ended.task, ended.completion, hook, ended.ticket_number, key, *_outcome(tx, verdict), "{}", 1, tx.now,
             *_times(tx, verdict))
        )  # fmt: skip
    made = insert_rows(tx, _FIELDS, rows, ignore=True, returning=[Hook.id, Hook.message_id])
    _note_attempts(tx, [(hook, "system", by_key[key][1]) for hook, key in made])
    for _, key in made:
        ended, verdict = by_key[key]
        _send(tx, key, ended.ticket_number, verdict, traces.get(ended.ticket_number))
    return [by_key[key][0].ticket_number for _, key in made]


def call_id(ended: EndedRow, hook: str) -> str:
    """Return the id that every repeat of a call bears; no other call has it, in this installation or another."""
    return str(uuid.uuid5(_CALLS, f"{ended.ticket_number}/{ended.completion}/{hook}/{ended.completed_at.isoformat()}"))


def lock_hook(tx: Transaction, hook_id: int) -> Hook | None:
    """Return a call, locked until the commit, or None."""
    query = Hook.select().where(Hook.id == hook_id)
    return (query if db.is_sqlite(tx.database) else query.for_update()).first()


def due_hooks(tx: Transaction, limit: int) -> list[Hook]:
    """Return calls whose next try is due, oldest first, locked; those that somebody else holds are left out."""
    query: Any = Hook.select().where(Hook.next_try_at <= tx.now).order_by(Hook.next_try_at, Hook.id).limit(limit)
    return list(query if db.is_sqlite(tx.database) else query.for_update("FOR UPDATE SKIP LOCKED"))


def anything_due() -> bool:
    """Whether a call's next try is due. Reads one row of an index."""
    with db.read_tx("workflow"):
        return bool(Hook.select().where(Hook.next_try_at <= db.now("workflow")).exists())


def try_again(
    tx: Transaction, hook: Hook, verdict: Any, actor: str = "system", corrections: Mapping[str, Any] | None = None
) -> None:
    """Note another attempt at a call, by `actor`, and send what its verdict says, under the call's own id."""
    hook.state, hook.detail, queue, name, kwargs = _outcome(tx, verdict)
    if verdict.message is not None:
        hook.queue, hook.name, hook.kwargs = queue, name, kwargs
    if corrections is not None:
        hook.corrections = json.dumps(dict(corrections), ensure_ascii=False)
    sent_at, hook.next_try_at = _times(tx, verdict)
    hook.sent_at = sent_at or hook.sent_at
    hook.attempts += 1
    hook.save()
    _note_attempts(tx, [(hook.id, actor, verdict)])
    _send(tx, hook.message_id, hook.ticket_number, verdict, None)


def attempts_of(hook_id: int) -> list[HookAttempt]:
    """Return the attempts at a call, oldest first."""
    return list(HookAttempt.select().where(HookAttempt.hook == hook_id).order_by(HookAttempt.id))


def _outcome(tx: Transaction, verdict: Any) -> tuple[str, str, str | None, str | None, str | None]:
    message = verdict.message
    if message is None:
        return verdict.state, verdict.detail, None, None, None
    kwargs = json.dumps(message.to_kwargs(), ensure_ascii=False, separators=(",", ":"))
    return verdict.state, verdict.detail, message.queue, message.name, kwargs


def _times(tx: Transaction, verdict: Any) -> tuple[datetime | None, datetime | None]:
    return (tx.now if verdict.message is not None else None, tx.now + NEXT_TRY if verdict.state == "pending" else None)


def _note_attempts(tx: Transaction, attempts: Iterable[tuple[int, str, Any]]) -> None:
    fields: list[pw.Field] = [HookAttempt.hook, HookAttempt.at, HookAttempt.actor, HookAttempt.outcome, HookAttempt.detail]
    insert_rows(tx, fields, [(hook, tx.now, actor, verdict.state, verdict.detail) for hook, actor, verdict in attempts])


def _send(tx: Transaction, message_id: str, ticket_number: str, verdict: Any, trace_id: str | None) -> None:
    if verdict.message is not None:
        tx.announce(verdict.message, ticket_number=ticket_number, trace_id=trace_id, message_id=message_id)
