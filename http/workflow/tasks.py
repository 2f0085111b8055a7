"""Reading tasks, items, their history, and why each decision about them was made."""

from __future__ import annotations

import json
from typing import Any

from baton.http.api import Call, NotFound, Page, PageQuery, page
from baton.http.workflow.views import (
    AllocationView,
    ExplanationView,
    HistoryView,
    ItemQuery,
    ItemView,
    PickView,
    SnapshotView,
    TaskQuery,
    TaskSummary,
    TaskView,
)
from baton.models.workflow import Role, Task, TaskItem, TaskItemHistory, TicketSnapshot, WorkflowVersion, finding, reading
from baton.models.workflow.reading import Viewer

#: Who sees all work: coordinators, admins, and other services.
COORDINATORS = ("tts:Admin", "tts:Ticket Coordinator")


def viewer(call: Call) -> Viewer | None:
    """Return whose eyes limit what is shown, or None for those who see everything."""
    principal = call.principal
    if principal.kind == "service" or principal.has_role(*COORDINATORS):
        return None
    names = [name for system, _, name in (role.partition(":") for role in principal.roles) if system == "tts"]
    return Viewer(principal.id, reading.roles_named("tts", names))


def list_tasks(call: Call, query: TaskQuery) -> Page[TaskSummary]:
    """Tasks, newest first."""
    found = reading.tasks(viewer(call))
    if query.status:
        found = finding.with_status(found, query.status)
    if query.task_status:
        found = found.where(Task.status == query.task_status)
    if query.owner:
        found = found.where(Task.owner_user_id == query.owner)
    if query.workflow_id:
        found = found.where(WorkflowVersion.workflow == query.workflow_id)
    return page(found, key=Task.id, cursor=query.cursor, limit=query.limit, descending=True, view=lambda row: TaskSummary(**row))


def read_task(call: Call) -> TaskView:
    """The task of a ticket, its items and the ticket itself."""
    return view_task(*_visible(call))


def view_task(snapshot: TicketSnapshot, task: dict[str, Any] | None) -> TaskView:
    """Return a ticket and its task, as `find_visible` gives them, with its items."""
    items = reading.items_of_task(task["id"]) if task else []
    return TaskView(
        ticket_number=snapshot.ticket_number,
        status=snapshot.status,
        task=TaskSummary(**task) if task else None,
        items=[ItemView(**row) for row in items],
        snapshot=SnapshotView(
            **{name: getattr(snapshot, name) for name in SnapshotView.model_fields if name != "ticket_data"},
            ticket_data=json.loads(snapshot.ticket_data),
        ),
    )


def read_history(call: Call, query: PageQuery) -> Page[HistoryView]:
    """What happened to the items of a ticket, oldest first."""
    snapshot, _ = _visible(call)
    return page(
        reading.history(snapshot.ticket_number),
        key=TaskItemHistory.id,
        cursor=query.cursor,
        limit=query.limit,
        view=lambda row: HistoryView(**row),
    )


def explain(call: Call) -> ExplanationView:
    """Why the ticket got its workflow, and its steps their people."""
    snapshot, _ = _visible(call)
    number = snapshot.ticket_number
    return ExplanationView(
        ticket_number=number,
        allocations=[AllocationView(**_considered(row)) for row in reading.allocations(number)],
        assignments=[PickView(**_considered(row)) for row in reading.picks(number)],
    )


def list_items(call: Call, query: ItemQuery) -> Page[ItemView]:
    """Items, newest first."""
    found = reading.items(viewer(call))
    if query.assignee:
        found = found.where(TaskItem.assignee == query.assignee)
    if query.state:
        found = found.where(TaskItem.state == query.state)
    if query.role:
        found = found.where(Role.role_id == query.role)
    return page(found, key=TaskItem.id, cursor=query.cursor, limit=query.limit, descending=True, view=lambda row: ItemView(**row))


def _visible(call: Call) -> tuple[TicketSnapshot, dict[str, Any] | None]:
    return find_visible(call, call.params["ticket_number"])


def find_visible(call: Call, number: str) -> tuple[TicketSnapshot, dict[str, Any] | None]:
    """Return the ticket and its task; to who may not see it, it does not exist."""
    snapshot = reading.snapshot(number)
    eyes = viewer(call)
    task = reading.tasks(eyes).where(Task.ticket_number == number).first()
    if snapshot is None or (task is None and eyes is not None):
        raise NotFound(f"there is no ticket {number}")
    return snapshot, task


def _considered(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "considered": json.loads(row["considered"])}
