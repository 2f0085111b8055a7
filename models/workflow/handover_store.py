"""Storing of substitutes, and finding the open work of a person."""

from __future__ import annotations

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.people import Substitute
from baton.models.workflow.rows import tuples
from baton.models.workflow.work import Task, TaskItem

_SUBSTITUTES_LOCK = 0x6261746F


def hold_substitutes(tx: Transaction) -> None:
    """Let nobody else set a substitute until the commit: two settings at once could close a circle that neither sees."""
    if not db.is_sqlite(tx.database):
        tx.database.execute_sql("select pg_advisory_xact_lock(%s, 2)", (_SUBSTITUTES_LOCK,))


def store_substitute(tx: Transaction, user_id: str, substitute: str | None, set_by: str) -> None:
    """Write who stands in for the person; None: nobody."""
    Substitute.delete().where(Substitute.user_id == user_id).execute()
    if substitute is not None:
        Substitute.insert(user_id=user_id, substitute=substitute, set_by=set_by, set_at=tx.now).execute()


def open_work_of(user_id: str, limit: int) -> list[tuple[str, str | None]]:
    """Return, for each of the person's open items, its ticket number and the owner of its task; oldest first."""
    query = TaskItem.select(TaskItem.ticket_number, Task.owner_user_id).join(Task, on=(Task.id == TaskItem.task))
    theirs = (TaskItem.assignee == user_id) & TaskItem.state.not_in(("completed", "returned", "cancelled"))
    return [(row[0], row[1]) for row in tuples(query.where(theirs).order_by(TaskItem.id).limit(limit))]


def open_items_of(user_id: str, limit: int) -> list[int]:
    """Return the person's open items, oldest first."""
    query = TaskItem.select(TaskItem.id).where(
        TaskItem.assignee == user_id, TaskItem.state.not_in(("completed", "returned", "cancelled"))
    )
    return [row[0] for row in tuples(query.order_by(TaskItem.id).limit(limit))]
