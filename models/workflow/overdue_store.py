"""Storing of what was done about overdue tickets: with the event that asked for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from baton.models.transaction import Transaction
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_tables import SlaClock, SlaEvent
from baton.models.workflow.work import Task, TaskItem


def read_events(tx: Transaction, events: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return these events, by id: ticket number, `retracted_at`, the clock's `stopped_at`, and `detail` as it is told."""
    e, c = SlaEvent, SlaClock
    columns = e.id, e.ticket_number, e.retracted_at, c.stopped_at, e.detail
    query = e.select(*columns).join(c, on=(c.id == e.clock)).where(e.id.in_(sorted(set(events))))
    return {row["id"]: {**row, "detail": json.loads(row["detail"])} for row in dicts(query)}


def open_items(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, int]:
    """Return the open item of each of these tickets that has one. Hold the tickets' locks."""
    query = Task.select(Task.ticket_number, TaskItem.id).join(TaskItem, on=(TaskItem.task == Task.id))
    return dict(tuples(query.where(Task.ticket_number.in_(sorted(set(ticket_numbers))), TaskItem.closed_at.is_null())))


def note_done(tx: Transaction, event: dict[str, Any], done: Sequence[dict[str, str]]) -> None:
    """Keep with an event what was done, or why not."""
    detail = json.dumps({**event["detail"], "done": list(done)}, ensure_ascii=False)
    SlaEvent.update(detail=detail).where(SlaEvent.id == event["id"]).execute()
