"""What somebody has to do now: their open items with the tickets and the clocks that run for them, in two statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import peewee as pw

from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.people import Role
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_tables import SlaClock
from baton.models.workflow.work import TaskItem, TicketSnapshot


class Due(NamedTuple):
    """A clock of an item or its ticket: what it measures, when it is due (None: it stands still) and its state."""

    metric: str
    due_at: datetime | None
    state: str


def open_items(assignee: str, most: int) -> list[dict[str, Any]]:
    """Return up to `most` open items of a person, oldest first, each with what a list shows of its ticket."""
    i, t = TaskItem, TicketSnapshot
    query = (
        i.select(
            i.id,
            i.ticket_number,
            i.state,
            i.version,
            i.visit,
            i.created_at,
            i.assigned_at,
            Step.name.alias("step"),
            Role.name.alias("role"),
            Workflow.name.alias("workflow"),
            t.subject,
            t.category,
            t.department,
            t.priority,
            t.status,
            t.received_at,
        )
        .join(Step, on=(Step.id == i.step))
        .join(Role, on=(Role.id == i.role))
        .join(WorkflowVersion, on=(WorkflowVersion.id == Step.version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .join(t, on=(t.ticket_number == i.ticket_number))
        .where(i.assignee == assignee, i.closed_at.is_null())
        .order_by(i.id)
        .limit(most)
    )
    return dicts(query)


def clocks_of(ticket_numbers: list[str]) -> dict[str, list[tuple[int, Due]]]:
    """Return the open clocks of these tickets: by ticket, (item or 0 for the ticket's own, clock)."""
    c = SlaClock
    found: dict[str, list[tuple[int, Due]]] = {}
    if not ticket_numbers:
        return found
    query = c.select(c.ticket_number, c.item, c.metric, c.due_at, c.state).where(
        c.ticket_number.in_(ticket_numbers), c.stopped_at.is_null()
    )
    for number, item, metric, due_at, state in tuples(query):
        found.setdefault(number, []).append((item, Due(metric, due_at, state)))
    return found


def count_open(assignee: str) -> int:
    """Return how many open items a person has."""
    found = TaskItem.select(pw.fn.COUNT(TaskItem.id)).where(TaskItem.assignee == assignee, TaskItem.closed_at.is_null())
    return int(tuples(found)[0][0])
