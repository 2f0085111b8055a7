"""Who follows a ticket: what its followers should know, and what they were told last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import peewee as pw

from baton.models.database import InstantField
from baton.models.statements import Statement
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step
from baton.models.workflow.people import Member, Role, WorkflowTable
from baton.models.workflow.rows import insert_rows, tuples, update_rows
from baton.models.workflow.work import Task, TaskItem, TaskItemHistory, TicketSnapshot


class TicketFollowing(WorkflowTable):
    """What a ticket's followers were told last: `content` is its JSON, `version` orders it."""

    ticket_number = pw.TextField(primary_key=True)
    version = pw.BigIntegerField()
    content = pw.TextField()
    told_at = InstantField()


class Followed(NamedTuple):
    """What was told last of a ticket."""

    version: int
    content: dict[str, Any]


def read_following(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return, by ticket number, the fields of `FollowTicket` as they are now. Hold the tickets' locks."""
    numbers = sorted(set(ticket_numbers))
    rows = _TICKETS.tuples(numbers)
    work = _read_work([row[6] for row in rows if row[6] is not None])
    former = _read_former(numbers)
    return {row[0]: _following(row, work.get(row[6], []), former.get(row[0], set())) for row in rows}


def read_told(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, Followed]:
    """Return what was told last of each of these tickets, where anything was."""
    told = _TOLD.tuples(sorted(set(ticket_numbers)))
    return {number: Followed(version, json.loads(content)) for number, version, content in told}


def read_last_changes(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return, of each of these tickets that has items, the item that changed last and who changed it, as a subject."""
    h = TaskItemHistory
    numbers = sorted(set(ticket_numbers))
    if not numbers:
        return {}
    newest = h.select(pw.fn.MAX(h.id)).where(h.ticket_number.in_(numbers)).group_by(h.ticket_number)
    rows = tuples(h.select(h.ticket_number, h.item, h.actor).where(h.id.in_(newest)))
    return {number: (item, actor) for number, item, actor in rows}


def store_told(tx: Transaction, told: Mapping[str, Followed]) -> None:
    """Keep what is told now: of a ticket for the first time (version 1), or in the place of what was told before."""
    f = TicketFollowing
    fields: list[pw.Field] = [f.version, f.content, f.told_at]
    rows = [(number, each.version, _text(each.content), tx.now) for number, each in sorted(told.items())]
    insert_rows(tx, [f.ticket_number, *fields], [row for row in rows if row[1] == 1])
    update_rows(tx, f.ticket_number, fields, [row for row in rows if row[1] > 1])


def _read_work(tasks: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    """Return the items of these tasks by task: assignee, their name, state, step, and the role's `system:Role`."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for task, *rest in _WORK.tuples(tasks) if tasks else ():
        found.setdefault(task, []).append(tuple(rest))
    return found


def _read_former(ticket_numbers: list[str]) -> dict[str, set[str]]:
    """Return, by ticket, whoever an item was given to or taken from: an item itself names only who has it now."""
    found: dict[str, set[str]] = {}
    for number, *users in _FORMER.tuples(ticket_numbers):
        found.setdefault(number, set()).update(user for user in users if user is not None)
    return found


def _following(row: tuple[Any, ...], items: list[tuple[Any, ...]], former: set[str]) -> dict[str, Any]:
    number, subject, status, data, user_id, email, _, owner = row
    employee = json.loads(data).get("employee")
    said = employee if isinstance(employee, dict) else {}
    had = former | {each[0] for each in items if each[0] is not None} | ({owner} if owner is not None else set())
    closed = ("completed", "returned", "cancelled")
    open_items = [each for each in items if each[2] not in closed and each[0] is not None]
    return {
        "ticket_number": number,
        "subject": subject,
        "status": status,
        "requester": {
            "employee_id": _plain(said.get("id")),
            "user_id": user_id,
            "email": email,
            "name": _plain(said.get("name")),
        },
        "owner": owner,
        "participants": sorted(had),
        "assignees": [{"user_id": user, "name": name or "", "step": step} for user, name, _, step, _, _ in open_items],
        "roles": sorted({f"{system}:{role}" for *_, system, role in items}),
    }


def _plain(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


_t, _i, _h, _f = TicketSnapshot, TaskItem, TaskItemHistory, TicketFollowing
_TICKET = (_t.ticket_number, _t.subject, _t.status, _t.ticket_data, _t.requester_user_id, _t.requester_email, Task.id)
_TICKETS = Statement(
    lambda among: (
        _t.select(*_TICKET, Task.owner_user_id)
        .left_outer_join(Task, on=(Task.ticket_number == _t.ticket_number))
        .where(among(_t.ticket_number))
    )
)
_WORK = Statement(
    lambda among: (
        _i.select(_i.task, _i.assignee, Member.name, _i.state, Step.name, Role.system, Role.name)
        .join(Step, on=(Step.id == _i.step))
        .join(Role, on=(Role.id == _i.role))
        .left_outer_join(Member, on=((Member.role == _i.role) & (Member.user_id == _i.assignee)))
        .where(among(_i.task))
        .order_by(_i.id)
    )
)
_FORMER = Statement(lambda among: _h.select(_h.ticket_number, _h.from_user, _h.to_user).distinct().where(among(_h.ticket_number)))
_TOLD = Statement(lambda among: _f.select(_f.ticket_number, _f.version, _f.content).where(among(_f.ticket_number)))
