"""The promises that the workflow side alone can be held to: every ticket somewhere, one item per open task, turns used once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.workflow import (
    AssignmentPick,
    Member,
    Role,
    Task,
    TaskItem,
    TicketSnapshot,
    TriageEntry,
    WaitingEntry,
)
from baton.pipelines.statuses import FINAL_STATUSES
from baton.scripts.checks.finding import Finding, fail, ok, some, warn
from baton.scripts.checks.walk import tuples, walk


def check_workflow(full: bool, older_than: float) -> Iterator[Finding]:
    """Look at tickets, tasks, items, turns and what waits; the newest ones, or all."""
    yield _places(full, older_than)
    yield _items(full, older_than)
    yield _holders()
    yield _waiting_entries()
    yield from _turns(full)
    yield from _queues()


def _places(full: bool, older_than: float) -> Finding:
    lost: list[str] = []
    doubled: list[str] = []
    seen = 0
    columns = [TicketSnapshot.id, TicketSnapshot.ticket_number, TicketSnapshot.status]
    for batch in walk("workflow", TicketSnapshot, columns, TicketSnapshot.received_at, older_than, full):
        seen += len(batch)
        numbers = [row["ticket_number"] for row in batch]
        with db.read_tx("workflow"):
            tasks = _numbers(Task, numbers)
            parked = _numbers(TriageEntry, numbers)
        doubled += sorted(tasks & parked)
        lost += [
            row["ticket_number"]
            for row in batch
            if row["ticket_number"] not in tasks | parked and row["status"] not in FINAL_STATUSES
        ]
    if lost:
        remedy = f"baton trace {lost[0]}; baton dead-letters list; start the worker: baton worker workflow"
        return fail("tickets have a place", f"{len(lost):,} tickets have neither task nor triage entry: {some(lost)}", remedy)
    if doubled:
        return fail("tickets have a place", f"both with a task and in triage: {some(doubled)}", f"baton trace {doubled[0]}")
    return ok("tickets have a place", f"each of {seen:,} (older than the last moments) has one task or one triage entry")


def _numbers(model: Any, numbers: list[str]) -> set[str]:
    return {row[0] for row in tuples(model.select(model.ticket_number).where(model.ticket_number.in_(numbers)))}


def _items(full: bool, older_than: float) -> Finding:
    wrong: list[str] = []
    seen = 0
    columns = [Task.id, Task.ticket_number]
    for batch in walk("workflow", Task, columns, Task.created_at, older_than, full, Task.status == "open"):
        seen += len(batch)
        ids = [row["id"] for row in batch]
        with db.read_tx("workflow"):
            query = TaskItem.select(TaskItem.task, pw.fn.count(TaskItem.id)).where(
                TaskItem.task.in_(ids), TaskItem.closed_at.is_null()
            )
            counts: dict[int, int] = dict(tuples(query.group_by(TaskItem.task)))
            still = {row[0] for row in tuples(Task.select(Task.id).where(Task.id.in_(ids), Task.status == "open"))}
        wrong += [row["ticket_number"] for row in batch if counts.get(row["id"], 0) != 1 and row["id"] in still]
    if wrong:
        return fail(
            "one active item", f"{len(wrong):,} open tasks have none or several: {some(wrong)}", f"baton trace {wrong[0]}"
        )
    return ok("one active item", f"each of {seen:,} open tasks (older than the last moments) has exactly one")


def _holders() -> Finding:
    active = Member.select(pw.SQL("1")).where(Member.role == TaskItem.role, Member.user_id == TaskItem.assignee, Member.is_active)
    held = TaskItem.assignee.is_null(False) & TaskItem.closed_at.is_null() & ~pw.fn.EXISTS(active)
    with db.read_tx("workflow"):
        rows = tuples(TaskItem.select(TaskItem.ticket_number, TaskItem.assignee).where(held).limit(1_000))
    if rows:
        detail = f"{len(rows):,} open items are held by people who left the role: {some(f'{n} ({who})' for n, who in rows)}"
        return warn("assignees are active", detail, "give the role back to them, or the items to a colleague")
    return ok("assignees are active", "no open item is held by somebody who left the role")


def _waiting_entries() -> Finding:
    listed = WaitingEntry.select(pw.SQL("1")).where(WaitingEntry.kind == "item", WaitingEntry.subject_id == TaskItem.id)
    exists = pw.fn.EXISTS(listed)
    unseen = TaskItem.closed_at.is_null() & TaskItem.assignee.is_null() & ~exists
    stale = exists & (TaskItem.assignee.is_null(False) | TaskItem.closed_at.is_null(False))
    with db.read_tx("workflow"):
        hidden = [row[0] for row in tuples(TaskItem.select(TaskItem.ticket_number).where(unseen, _settled()).limit(1_000))]
        double = [row[0] for row in tuples(TaskItem.select(TaskItem.ticket_number).where(stale).limit(1_000))]
    if hidden:
        detail = f"{len(hidden):,} items wait for somebody and are on no list: {some(hidden)}"
        return fail("waiting is visible", detail, f"baton trace {hidden[0]}; start the worker: baton worker workflow")
    if double:
        return fail("waiting is visible", f"on the waiting list although assigned: {some(double)}", f"baton trace {double[0]}")
    return ok("waiting is visible", "every item has an assignee or is on the waiting list")


def _settled() -> Any:
    return TaskItem.created_at < db.now("workflow") - timedelta(seconds=60)


def _turns(full: bool) -> Iterator[Finding]:
    with db.read_tx("workflow"):
        roles = {row.id: row for row in Role.select().where(Role.turn > 0)}
        members = list(Member.select().where(Member.role.in_(list(roles)), Member.is_active))
        picks = AssignmentPick.select(AssignmentPick.role, AssignmentPick.turn).where(AssignmentPick.turn.is_null(False))
        if not full:
            newest = AssignmentPick.select(pw.fn.max(AssignmentPick.id)).scalar() or 0
            picks = picks.where(AssignmentPick.id > newest - 20_000)
        twice = tuples(picks.group_by(AssignmentPick.role, AssignmentPick.turn).having(pw.fn.count(AssignmentPick.id) > 1))
    if twice:
        detail = some(f"{roles[role].name if role in roles else role} turn {turn}" for role, turn in twice)
        yield fail("turns are used once", f"used more than once: {detail}", "report it: two workers gave the same turn away")
    else:
        yield ok("turns are used once", f"in {len(roles)} roles")
    yield _starving(roles, members)


def _starving(roles: dict[int, Any], members: list[Any]) -> Finding:
    size: dict[int, int] = {}
    for member in members:
        size[member.role] = size.get(member.role, 0) + 1
    # In a rotation of n, nobody who may be picked stands back for more than n turns; twice that leaves room for exclusions.
    starving = [
        f"{roles[member.role].name} {member.name or member.user_id}"
        for member in members
        if member.capacity is None
        and member.away_from is None
        and member.away_to is None
        and roles[member.role].turn - member.last_turn > 2 * size[member.role] + 2
    ]
    if starving:
        remedy = "see who was considered and why: GET /api/v1/tickets/{number}/explanation of workflow"
        return warn("turns are fair", f"long without a turn though active and present: {some(starving)}", remedy)
    return ok("turns are fair", "everybody who is present had a turn lately")


def _queues() -> Iterator[Finding]:
    with db.read_tx("workflow"):
        triage, waiting = TriageEntry.select().count(), WaitingEntry.select().count()
        oldest = WaitingEntry.select(Role.name, WaitingEntry.since).join(Role, on=(Role.id == WaitingEntry.role))
        first = tuples(oldest.order_by(WaitingEntry.since).limit(1))
    yield ok("triage", f"{triage:,} tickets wait for a coordinator")
    if waiting:
        where = f", the oldest for {first[0][0]} since {first[0][1]:%Y-%m-%d %H:%M}Z" if first else ""
        remedy = "add members to the role, raise capacities, or end absences"
        yield warn("waiting list", f"{waiting:,} steps or ownerships wait for somebody eligible{where}", remedy)
    else:
        yield ok("waiting list", "empty")
