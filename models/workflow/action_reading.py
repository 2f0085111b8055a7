"""What actions answer with: a ticket's status, what an item or task is now, and what happened to it last. They change nothing."""

from __future__ import annotations

import functools
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow import reading
from baton.models.workflow.definitions import Workflow, WorkflowVersion
from baton.models.workflow.names import name_of, name_of_subject
from baton.models.workflow.people import Substitute
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.work import Task, TaskItem, TaskItemHistory, TicketSnapshot

#: Stands for the item in the statement that is built once; no item has this id.
_THE_ITEM = -1


def status_of(ticket_number: str) -> str:
    """Return a stored ticket's status."""
    query = TicketSnapshot.select(TicketSnapshot.status).where(TicketSnapshot.ticket_number == ticket_number)
    return str(tuples(query)[0][0])


def item_after(tx: Transaction, item: int) -> dict[str, Any]:
    """Return an item as `reading.items` shows it, with its ticket's status as `ticket_status`."""
    sql, given, fields = _item_query(db.is_sqlite(tx.database))
    row = tx.database.execute_sql(sql, [item if value == _THE_ITEM else value for value in given]).fetchone()
    return {name: read(value) for (name, read), value in zip(fields, row, strict=True)}


@functools.cache
def _item_query(sqlite: bool) -> tuple[str, list[Any], list[tuple[str, Any]]]:
    """
    Return the statement, its values and its columns, with what reads them.

    Built once: every action answers with it, and peewee would take longer over it than the database.
    """
    status = TicketSnapshot.status.alias("ticket_status")
    query = reading.items(None).join(TicketSnapshot, on=(TicketSnapshot.ticket_number == TaskItem.ticket_number))
    query = query.select_extend(status).where(TaskItem.id == _THE_ITEM)
    fields = []
    for column in query._returning:
        inner = column if isinstance(column, pw.Field) else getattr(column, "node", None)
        read = inner.python_value if isinstance(inner, pw.Field) else _as_it_is
        fields.append((getattr(column, "_alias", None) or column.name, read))
    sql, given = query.sql()
    return sql, given, fields


def _as_it_is(value: Any) -> Any:
    return value


def item_now(item: int) -> dict[str, Any] | None:
    """Return an item's state, version and assignee, with the assignee's name."""
    i = TaskItem
    query = i.select(i.state, i.version, i.assignee, name_of(i.assignee).alias("assignee_name")).where(i.id == item)
    return next(iter(dicts(query)), None)


def task_now(ticket_number: str) -> dict[str, Any] | None:
    """Return a ticket's status, with its task's status, version and owner."""
    owner = Task.owner_user_id, name_of(Task.owner_user_id).alias("owner_name")
    columns = TicketSnapshot.status, Task.status.alias("task_status"), Task.version, *owner
    query = TicketSnapshot.select(*columns).left_outer_join(Task, on=(Task.ticket_number == TicketSnapshot.ticket_number))
    return next(iter(dicts(query.where(TicketSnapshot.ticket_number == ticket_number))), None)


def last_change(item: int, ticket_number: str | None = None) -> dict[str, Any] | None:
    """Return the newest row of an item's history: who, when, what, why."""
    number = TaskItem.select(TaskItem.ticket_number).where(TaskItem.id == item)
    found = _changes().where(TaskItemHistory.ticket_number == (ticket_number or number), TaskItemHistory.item == item)
    return _shown(found)


def last_change_of_ticket(ticket_number: str) -> dict[str, Any] | None:
    """Return the newest row of the history of a ticket's items."""
    return _shown(_changes().where(TaskItemHistory.ticket_number == ticket_number))


def workflow_of(ticket_number: str) -> tuple[int | None, str | None, int | None]:
    """Return the workflow that has a ticket: its id, name and version."""
    query = (
        Task.select(Workflow.id, Workflow.name, WorkflowVersion.number)
        .join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(Task.ticket_number == ticket_number)
    )
    found: Any = next(iter(tuples(query)), (None, None, None))
    return found[0], found[1], found[2]


def substitute_of(user_id: str) -> str | None:
    """Return who stands in for a person."""
    query = Substitute.select(Substitute.substitute).where(Substitute.user_id == user_id)
    return next((row[0] for row in tuples(query)), None)


def _changes() -> Any:
    h = TaskItemHistory
    names = name_of_subject(h.actor).alias("actor_name"), name_of(h.to_user).alias("to_user_name")
    return h.select(h.at, h.actor, h.event, h.from_state, h.to_state, h.from_user, h.to_user, h.reason, *names)


def _shown(query: Any) -> dict[str, Any] | None:
    row = next(iter(dicts(query.order_by(TaskItemHistory.id.desc()).limit(1))), None)
    return None if row is None else {**row, "at": row["at"].isoformat()}
