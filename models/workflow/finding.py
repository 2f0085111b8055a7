"""
Tickets found: lists of all tickets, whether they have a task or wait in triage, and what full text finds among them.

Lists run along `received_at`, a search along the snapshots' ids; both are kept in indexes, so a page costs what it shows. A
filter by status, priority, category or department runs along an index of its own. The others, and what limits a viewer, are where
the list starts if they fit few tickets; if they fit many, the list is walked, and the page is soon full.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import peewee as pw

from baton.models.full_text import Wanted, search
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.names import name_of
from baton.models.workflow.people import Member, Role
from baton.models.workflow.reading import Viewer, items_of
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.work import Task, TaskItem, TicketSnapshot, TicketWords

#: A filter that fits no more tickets than this is where a list starts. Counted along an index, up to this many.
FEW = 2_000
#: Filters that are columns of the ticket.
COLUMNS = ("status", "priority", "category", "department")


def tickets(viewer: Viewer | None) -> Any:
    """Return the query for the tickets that the viewer sees, with their task's columns (null without a task), as dicts."""
    s = TicketSnapshot
    query = (
        s.select(
            s.id,
            s.ticket_number,
            s.subject,
            s.category,
            s.department,
            s.priority,
            s.status,
            s.received_at,
            Task.id.alias("task"),
            Task.owner_user_id,
            name_of(Task.owner_user_id).alias("owner_name"),
            Workflow.id.alias("workflow_id"),
            Workflow.name.alias("workflow"),
        )
        .join(Task, pw.JOIN.LEFT_OUTER, on=(Task.ticket_number == s.ticket_number))
        .join(WorkflowVersion, pw.JOIN.LEFT_OUTER, on=(WorkflowVersion.id == Task.workflow_version))
        .join(Workflow, pw.JOIN.LEFT_OUTER, on=(Workflow.id == WorkflowVersion.workflow))
    )
    return (query if viewer is None else _seen_by(query, viewer)).dicts()


def _seen_by(query: Any, viewer: Viewer) -> Any:
    own = [
        Task.select(Task.ticket_number).where(Task.owner_user_id == viewer.user_id),
        TaskItem.select(TaskItem.ticket_number).where(TaskItem.assignee == viewer.user_id),
        *(TaskItem.select(TaskItem.ticket_number).where(TaskItem.role == role) for role in viewer.roles),
    ]
    if not _are_few(own):
        # The offset keeps PostgreSQL from collecting all items of the viewer's roles for a page of fifty.
        theirs = TaskItem.select(TaskItem.task).where(items_of(viewer), TaskItem.task == Task.id).limit(1).offset(0)
        return query.where((Task.owner_user_id == viewer.user_id) | pw.fn.EXISTS(theirs))
    return query.where(_among(own))


def narrowed(query: Any, filters: Mapping[str, Any]) -> Any:
    """
    Return the query of `tickets` limited by these filters, those that are None left out.

    Beside the columns: `workflow_id`, `owner`, `assignee` and `role` (a role's id) of an open item, `filed_from`, `filed_to`.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    for name in COLUMNS:
        if name in given:
            query = query.where(getattr(TicketSnapshot, name) == given[name])
    if "workflow_id" in given:
        versions = WorkflowVersion.select(WorkflowVersion.id).where(WorkflowVersion.workflow == given["workflow_id"])
        on_it = [Task.select(Task.ticket_number).where(Task.workflow_version.in_(versions))]
        query = query.where(_among(on_it) if _are_few(on_it) else WorkflowVersion.workflow == given["workflow_id"])
    if "owner" in given:
        owned = [Task.select(Task.ticket_number).where(Task.owner_user_id == given["owner"])]
        # An expression, so that nobody collects all tasks of an owner of many.
        query = query.where(_among(owned) if _are_few(owned) else pw.fn.COALESCE(Task.owner_user_id, "") == given["owner"])
    if "assignee" in given:
        query = _with_item(query, [TaskItem.assignee == given["assignee"]])
    if "role" in given:
        query = _with_item(query, _of_role(given["role"]))
    if "filed_from" in given:
        query = query.where(TicketSnapshot.received_at >= given["filed_from"])
    if "filed_to" in given:
        query = query.where(TicketSnapshot.received_at < given["filed_to"])
    return query


def holding(
    query: Any, wanted: Wanted, *, beyond: int | None, limit: int, newest_first: bool = True, but: str = ""
) -> list[dict[str, Any]]:
    """Return up to `limit` tickets of the query that hold what is wanted, after the one with the id `beyond`; `but` left out."""
    query = query.join_from(TicketSnapshot, TicketWords, on=(TicketWords.id == TicketSnapshot.id))
    query, key = search(query, TicketWords, wanted)
    if beyond is not None:
        query = query.where(key < beyond if newest_first else key > beyond)
    if but:
        query = query.where(TicketSnapshot.ticket_number != but)
    return dicts(query.order_by(key.desc() if newest_first else key.asc()).limit(limit))


def texts_of(ids: Iterable[int]) -> dict[int, str]:
    """Return these tickets' data, as JSON texts, by the snapshots' ids."""
    wanted = sorted(ids)
    query = TicketSnapshot.select(TicketSnapshot.id, TicketSnapshot.ticket_data).where(TicketSnapshot.id.in_(wanted or [0]))
    return {row["id"]: row["ticket_data"] for row in dicts(query)}


def holders_of(tasks: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return who has these tasks now: by task, its open items with step, role, assignee and name."""
    wanted = sorted(tasks)
    found: dict[int, list[dict[str, Any]]] = {}
    if not wanted:
        return found
    i = TaskItem
    query = (
        i.select(i.task, i.assignee, name_of(i.assignee).alias("name"), Step.name.alias("step"), Role.name.alias("role"))
        .join(Step, on=(Step.id == i.step))
        .join(Role, on=(Role.id == i.role))
        .where(i.task.in_(wanted), i.closed_at.is_null())
        .order_by(i.id)
    )
    for row in dicts(query):
        found.setdefault(row["task"], []).append(row)
    return found


def with_status(tasks: Any, status: str) -> Any:
    """Return the query of `reading.tasks` limited to tickets of this status."""
    found = [TicketSnapshot.select(TicketSnapshot.ticket_number).where(TicketSnapshot.status == status)]
    if _are_few(found):
        return tasks.where(Task.ticket_number.in_(found[0]))
    return tasks.where(pw.fn.COALESCE(TicketSnapshot.status, "") == status)


def _of_role(role_id: str) -> list[Any]:
    """Return conditions of which each open item of a role fits one: its members' items, and those that nobody has."""
    role = [row[0] for row in tuples(Role.select(Role.id).where(Role.role_id == role_id))]
    members = [row[0] for row in tuples(Member.select(Member.user_id).where(Member.role.in_(role or [0])))]
    return [
        (TaskItem.assignee.in_(members or [""])) & TaskItem.role.in_(role or [0]),
        TaskItem.assignee.is_null() & TaskItem.role.in_(role or [0]),
    ]


def _with_item(query: Any, conditions: list[Any]) -> Any:
    """Return the query limited to tickets with an open item that fits one of the conditions."""
    parts = [TaskItem.select(TaskItem.ticket_number).where(TaskItem.closed_at.is_null(), each) for each in conditions]
    if _are_few(parts):
        return query.where(_among(parts))
    any_of_them = functools.reduce(operator.or_, conditions)
    here = TaskItem.select(TaskItem.task).where(TaskItem.closed_at.is_null(), TaskItem.task == Task.id, any_of_them)
    return query.where(pw.fn.EXISTS(here.limit(1).offset(0)))


def _are_few(parts: list[Any]) -> bool:
    """Whether queries of ticket numbers return FEW rows at most, all together: one statement, which stops counting there."""
    counted: int = functools.reduce(operator.add, parts).limit(FEW + 1).count()
    return counted <= FEW


def _among(parts: list[Any]) -> Any:
    """Return the condition for tickets whose number one of the queries returns."""
    return TicketSnapshot.ticket_number.in_(functools.reduce(operator.or_, parts))


__all__ = ["COLUMNS", "holders_of", "holding", "narrowed", "texts_of", "tickets"]
