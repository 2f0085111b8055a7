"""What a requester's view of a ticket is made from: the steps of its version, the visits, the clock of its resolution."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.people import Member
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_tables import SlaClock
from baton.models.workflow.work import Task, TaskItem, TicketSnapshot


class Progress(NamedTuple):
    """A ticket's way: `requester` is the `employee` object of the ticket; `visits` are (step, state, assignee's name)."""

    status: str
    requester: dict[str, Any]
    requester_user_id: str | None
    workflow: str | None
    steps: list[str]
    visits: list[tuple[str, str, str | None]]
    due: tuple[datetime | None, str] | None


def read_progress(ticket_number: str) -> Progress | None:
    """Return where a ticket is, in four statements; None when there is no such ticket."""
    t = TicketSnapshot
    query = (
        t.select(t.status, t.ticket_data, t.requester_user_id, Task.id, Task.workflow_version, Workflow.name)
        .left_outer_join(Task, on=(Task.ticket_number == t.ticket_number))
        .left_outer_join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .left_outer_join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(t.ticket_number == ticket_number)
    )
    row = next(iter(tuples(query)), None)
    if row is None:
        return None
    status, data, user_id, task, version, workflow = row
    employee = json.loads(data).get("employee")
    steps = tuples(Step.select(Step.name).where(Step.version == version).order_by(Step.position)) if version else []
    return Progress(
        status=status,
        requester=employee if isinstance(employee, dict) else {},
        requester_user_id=user_id,
        workflow=workflow,
        steps=[name for (name,) in steps],
        visits=_visits(task) if task else [],
        due=_resolution(ticket_number),
    )


def _visits(task: int) -> list[tuple[str, str, str | None]]:
    i = TaskItem
    query = (
        i.select(Step.name, i.state, Member.name)
        .join(Step, on=(Step.id == i.step))
        .left_outer_join(Member, on=((Member.role == i.role) & (Member.user_id == i.assignee)))
        .where(i.task == task)
        .order_by(i.id)
    )
    return [(step, state, name) for step, state, name in tuples(query)]


def _resolution(ticket_number: str) -> tuple[datetime | None, str] | None:
    """Return the due time and state of the newest clock of the ticket's resolution."""
    c = SlaClock
    query = c.select(c.due_at, c.state).where(c.ticket_number == ticket_number, c.metric == "resolution")
    found = dicts(query.order_by(c.cycle.desc()).limit(1))
    return (found[0]["due_at"], found[0]["state"]) if found else None
