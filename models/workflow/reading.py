"""
What the read API shows: queries over tasks, items, queues, workflows and people. They change nothing.

A `Viewer` limits what staff see to their own items, what they own, and the work of their roles; None sees everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import peewee as pw

from baton.models.workflow.definitions import Step, Transition, Workflow, WorkflowVersion
from baton.models.workflow.names import name_of, name_of_subject
from baton.models.workflow.oversight import substitute_name_of, substitute_of
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.work import (
    Allocation,
    AssignmentPick,
    Task,
    TaskItem,
    TaskItemHistory,
    TicketSnapshot,
    TriageEntry,
    WaitingEntry,
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A member of staff: their user id, and the rows of the roles they hold."""

    user_id: str
    roles: tuple[int, ...]


def roles_named(system: str, names: Iterable[str]) -> tuple[int, ...]:
    """Return the rows of the roles of these names."""
    wanted = sorted(names)
    query = Role.select(Role.id).where(Role.system == system, Role.name.in_(wanted))
    return tuple(row[0] for row in tuples(query)) if wanted else ()


def tasks(viewer: Viewer | None) -> Any:
    """Return the query for tasks with their ticket's and workflow's columns, as dicts."""
    query = (
        Task.select(
            Task.id,
            Task.ticket_number,
            Task.owner_user_id,
            name_of(Task.owner_user_id).alias("owner_name"),
            Task.status.alias("task_status"),
            Task.created_at,
            Task.closed_at,
            Task.version,
            TicketSnapshot.status,
            TicketSnapshot.status_version,
            TicketSnapshot.subject,
            TicketSnapshot.category,
            TicketSnapshot.department,
            TicketSnapshot.priority,
            WorkflowVersion.workflow.alias("workflow_id"),
            WorkflowVersion.number.alias("workflow_version"),
            Workflow.name.alias("workflow"),
        )
        .join(TicketSnapshot, on=(TicketSnapshot.ticket_number == Task.ticket_number))
        .join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
    )
    if viewer is not None:
        theirs = TaskItem.select(TaskItem.task).where(items_of(viewer), TaskItem.task == Task.id)
        query = query.where((Task.owner_user_id == viewer.user_id) | pw.fn.EXISTS(theirs))
    return query.dicts()


def items_of(viewer: Viewer) -> Any:
    """Return the condition for items that are the viewer's own, or their roles'."""
    own = TaskItem.assignee == viewer.user_id
    return own | TaskItem.role.in_(viewer.roles) if viewer.roles else own


def items(viewer: Viewer | None) -> Any:
    """Return the query for items with their step's and role's names, as dicts."""
    query = (
        TaskItem.select(
            TaskItem.id,
            TaskItem.ticket_number,
            TaskItem.task,
            TaskItem.visit,
            TaskItem.assignee,
            name_of(TaskItem.assignee).alias("assignee_name"),
            TaskItem.state,
            TaskItem.waiting_since,
            TaskItem.created_at,
            TaskItem.assigned_at,
            TaskItem.closed_at,
            TaskItem.version,
            Step.id.alias("step_id"),
            Step.name.alias("step"),
            Step.position.alias("position"),
            Role.role_id,
            Role.name.alias("role"),
        )
        .join(Step, on=(Step.id == TaskItem.step))
        .join(Role, on=(Role.id == TaskItem.role))
    )
    if viewer is not None:
        query = query.where(items_of(viewer))
    return query.dicts()


def items_of_task(task: int) -> list[dict[str, Any]]:
    """Return a task's items, oldest first."""
    return list(items(None).where(TaskItem.task == task).order_by(TaskItem.id))


def snapshot(ticket_number: str) -> TicketSnapshot | None:
    """Return the ticket as it was taken in."""
    return TicketSnapshot.get_or_none(TicketSnapshot.ticket_number == ticket_number)


def history(ticket_number: str) -> Any:
    """Return the query for the history of a ticket's items, with the steps' names, as dicts."""
    h = TaskItemHistory
    names = {"actor_name": name_of_subject(h.actor), "from_user_name": name_of(h.from_user), "to_user_name": name_of(h.to_user)}
    return (
        h.select(h, Step.name.alias("step"), *(query.alias(name) for name, query in names.items()))
        .join(TaskItem, on=(TaskItem.id == TaskItemHistory.item))
        .join(Step, on=(Step.id == TaskItem.step))
        .where(TaskItemHistory.ticket_number == ticket_number)
        .dicts()
    )


def allocations(ticket_number: str) -> list[dict[str, Any]]:
    """Return why the ticket got its workflow, or none, oldest decision first."""
    query = (
        Allocation.select(
            Allocation.reason,
            Allocation.considered,
            Allocation.decided_by,
            Allocation.decided_at,
            Workflow.name.alias("workflow"),
            WorkflowVersion.number.alias("workflow_version"),
        )
        .left_outer_join(WorkflowVersion, on=(WorkflowVersion.id == Allocation.workflow_version))
        .left_outer_join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(Allocation.ticket_number == ticket_number)
        .order_by(Allocation.id)
    )
    return dicts(query)


def picks(ticket_number: str) -> list[dict[str, Any]]:
    """Return why each of the ticket's steps, and the task, went to whom, oldest decision first."""
    query = (
        AssignmentPick.select(
            AssignmentPick.kind,
            AssignmentPick.subject_id,
            AssignmentPick.chosen,
            name_of(AssignmentPick.chosen).alias("chosen_name"),
            AssignmentPick.turn,
            AssignmentPick.reason,
            AssignmentPick.considered,
            AssignmentPick.decided_at,
            Role.name.alias("role"),
            Role.role_id,
        )
        .join(Role, on=(Role.id == AssignmentPick.role))
        .where(AssignmentPick.ticket_number == ticket_number)
        .order_by(AssignmentPick.id)
    )
    return dicts(query)


def triage() -> Any:
    """Return the query for the triage queue, with the tickets' columns, as dicts."""
    # Outer, so that SQLite walks the queue and looks the tickets up, not the other way round.
    return (
        TriageEntry.select(
            TriageEntry.id,
            TriageEntry.ticket_number,
            TriageEntry.reason,
            TriageEntry.since,
            TriageEntry.chosen_workflow,
            TriageEntry.chosen_by,
            TicketSnapshot.subject,
            TicketSnapshot.category,
            TicketSnapshot.department,
            TicketSnapshot.priority,
        )
        .join(TicketSnapshot, pw.JOIN.LEFT_OUTER, on=(TicketSnapshot.ticket_number == TriageEntry.ticket_number))
        .dicts()
    )


def waiting(viewer: Viewer | None) -> Any:
    """Return the query for what waits for an eligible member, as dicts."""
    query = WaitingEntry.select(
        WaitingEntry.id,
        WaitingEntry.kind,
        WaitingEntry.subject_id,
        WaitingEntry.ticket_number,
        WaitingEntry.reason,
        WaitingEntry.since,
        TicketSnapshot.subject,
        TicketSnapshot.priority,
        Role.role_id,
        Role.name.alias("role"),
    )
    query = query.join(Role, on=(Role.id == WaitingEntry.role))
    query = query.join(TicketSnapshot, on=(TicketSnapshot.ticket_number == WaitingEntry.ticket_number))
    if viewer is not None:
        query = query.where(WaitingEntry.role.in_(viewer.roles or (0,)))
    return query.dicts()


def workflows() -> Any:
    """Return the query for workflows, as models, with the `deployed_number` of the version that new tickets get."""
    return (
        Workflow.select(Workflow, WorkflowVersion.number.alias("deployed_number"))
        .join(WorkflowVersion, pw.JOIN.LEFT_OUTER, on=(WorkflowVersion.id == Workflow.deployed_version))
        .objects()
    )


def versions(workflow: int) -> list[dict[str, Any]]:
    """Return a workflow's versions, oldest first."""
    query = WorkflowVersion.select().where(WorkflowVersion.workflow == workflow).order_by(WorkflowVersion.number)
    return dicts(query)


def steps(workflow: int) -> list[dict[str, Any]]:
    """Return the steps of all versions of a workflow, in their order, with their roles' names."""
    escalation = Role.alias()
    query = (
        Step.select(Step, Role.name.alias("role_name"), escalation.name.alias("escalation_role_name"))
        .join(WorkflowVersion, on=(WorkflowVersion.id == Step.version))
        .join(Role, on=(Role.id == Step.role))
        .join(escalation, pw.JOIN.LEFT_OUTER, on=(escalation.id == Step.escalation_role))
        .where(WorkflowVersion.workflow == workflow)
        .order_by(Step.version, Step.position)
    )
    return dicts(query)


def transitions(workflow: int) -> list[dict[str, Any]]:
    """Return the transitions of all versions of a workflow."""
    query = (
        Transition.select()
        .join(WorkflowVersion, on=(WorkflowVersion.id == Transition.version))
        .where(WorkflowVersion.workflow == workflow)
        .order_by(Transition.id)
    )
    return dicts(query)


def roles() -> Any:
    """Return the query for roles, as models."""
    return Role.select()


def members() -> Any:
    """Return the query for members with their roles' ids and names, and who stands in for them, as dicts."""
    names = Role.name.alias("role_name"), Role.is_active.alias("role_is_active")
    stand_in = substitute_of(Member.user_id).alias("substitute"), substitute_name_of(Member.user_id).alias("substitute_name")
    return Member.select(Member, Role.role_id, *names, *stand_in).join(Role, on=(Role.id == Member.role)).dicts()
