"""
What is shown of service levels: a ticket's clocks with all that explains them, and the open clocks that are due soonest.

The number of statements does not depend on how many clocks there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee as pw
from peewee import fn

from baton.models.workflow.definitions import Step
from baton.models.workflow.names import name_of
from baton.models.workflow.reading import Viewer
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_facts import BookRows
from baton.models.workflow.sla_tables import (
    SlaCalendar,
    SlaCalendarVersion,
    SlaClock,
    SlaEvent,
    SlaMatch,
    SlaPause,
    SlaPolicy,
    SlaPolicyVersion,
)
from baton.models.workflow.work import Task, TaskItem, TicketSnapshot

#: The state of clocks that run: one value, so that an index gives them in the order of their due times.
RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a policy or a calendar: what it is of, its number there, its definition as JSON."""

    owner: int
    name: str
    number: int
    definition: str


@dataclass(frozen=True, slots=True)
class ClockRows:
    """Clocks with their pauses and events by clock, their steps' names by item, and the versions that they name."""

    clocks: Sequence[dict[str, Any]]
    pauses: dict[int, list[tuple[datetime, datetime | None, str]]]
    events: dict[int, list[dict[str, Any]]]
    steps: dict[int, str]
    policies: dict[int, Version]
    calendars: dict[int, Version]


def clocks_of(ticket_number: str) -> ClockRows:
    """Return the clocks of a ticket, oldest first, with all that explains them."""
    return _with_terms(dicts(SlaClock.select().where(SlaClock.ticket_number == ticket_number).order_by(SlaClock.id)))


def clock(clock_id: int) -> ClockRows:
    """Return one clock, or none, with all that explains it."""
    return _with_terms(dicts(SlaClock.select().where(SlaClock.id == clock_id)))


def matches_of(ticket_number: str) -> list[dict[str, Any]]:
    """Return which policy held for a ticket from when on, and why, oldest first."""
    return dicts(SlaMatch.select().where(SlaMatch.ticket_number == ticket_number).order_by(SlaMatch.number))


def policy_versions(versions: Iterable[int]) -> dict[int, Version]:
    """Return these versions of policies by id."""
    p, v = SlaPolicy, SlaPolicyVersion
    return _versions(v.select(v.id, p.id, p.name, v.number, v.definition).join(p, on=(p.id == v.policy)), v.id, versions)


def calendar_versions(versions: Iterable[int]) -> dict[int, Version]:
    """Return these versions of calendars by id."""
    c, v = SlaCalendar, SlaCalendarVersion
    return _versions(v.select(v.id, c.id, c.name, v.number, v.definition).join(c, on=(c.id == v.calendar)), v.id, versions)


def current_book() -> BookRows:
    """Return the policies and calendars that a new ticket may get."""
    p, v, c, w = SlaPolicy, SlaPolicyVersion, SlaCalendar, SlaCalendarVersion
    offers = dicts(p.select(p.id.alias("policy"), v.id.alias("version"), v.definition).join(v, on=(v.id == p.current_version)))
    calendars = tuples(c.select(c.name, w.id, w.definition).join(w, on=(w.id == c.current_version)))
    return BookRows(offers, {name: (version, text) for name, version, text in calendars})


def due_clocks(viewer: Viewer | None, since: datetime | None, until: datetime | None) -> Any:
    """
    Return the query for the running clocks that are due from `since` until before `until`, with their ticket's columns, as dicts.

    Sort it by due time and id: that is the order of an index.
    """
    c, t = SlaClock, TicketSnapshot
    columns = (
        c.id, c.ticket_number, c.metric, c.item, c.cycle, c.state, c.due_at, c.target_seconds, c.next_fire_at, c.next_fire_kind,
        c.policy_version, t.subject, t.priority, t.category, t.department, t.status, Task.owner_user_id.alias("owner"),
        name_of(Task.owner_user_id).alias("owner_name"), TaskItem.assignee,
        name_of(TaskItem.assignee).alias("assignee_name"), Step.name.alias("step"),
    )  # fmt: skip
    open_item = (TaskItem.task == Task.id) & TaskItem.closed_at.is_null()
    query = (
        c.select(*columns)
        .join(t, on=(t.ticket_number == c.ticket_number))
        .left_outer_join(Task, on=(Task.ticket_number == c.ticket_number))
        .left_outer_join(TaskItem, on=open_item)
        .left_outer_join(Step, on=(Step.id == TaskItem.step))
        .where(c.state == RUNNING, c.due_at.is_null(False))
    )
    query = query.where(c.due_at >= since) if since is not None else query
    query = query.where(c.due_at < until) if until is not None else query
    if viewer is not None:
        theirs = _work_of(viewer)
        query = query.where((Task.owner_user_id == viewer.user_id) | fn.EXISTS(theirs))
    return query.dicts()


def after(now: datetime, seconds: float) -> datetime:
    """Return the instant so many seconds after another, itself included in what is due until then."""
    return now + timedelta(seconds=seconds, microseconds=1)


def _work_of(viewer: Viewer) -> Any:
    i = TaskItem.alias()
    own = i.assignee == viewer.user_id
    mine = own | i.role.in_(viewer.roles) if viewer.roles else own
    return i.select(pw.SQL("1")).where(mine, i.task == Task.id)


def _with_terms(clocks: Sequence[dict[str, Any]]) -> ClockRows:
    ids = [row["id"] for row in clocks]
    pauses: defaultdict[int, list[tuple[datetime, datetime | None, str]]] = defaultdict(list)
    events: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    steps: dict[int, str] = {}
    if ids:
        for row in dicts(SlaPause.select().where(SlaPause.clock.in_(ids)).order_by(SlaPause.from_at)):
            pauses[row["clock"]].append((row["from_at"], row["to_at"], row["reason"]))
        for row in dicts(SlaEvent.select().where(SlaEvent.clock.in_(ids)).order_by(SlaEvent.id)):
            events[row["clock"]].append(row)
    items = [row["item"] for row in clocks if row["item"]]
    if items:
        named = TaskItem.select(TaskItem.id, Step.name).join(Step, on=(Step.id == TaskItem.step)).where(TaskItem.id.in_(items))
        steps = dict(tuples(named))
    policies = policy_versions(row["policy_version"] for row in clocks)
    calendars = calendar_versions(row["calendar_version"] for row in clocks)
    return ClockRows(clocks, pauses, events, steps, policies, calendars)


def _versions(query: Any, key: pw.Field, wanted: Iterable[int]) -> dict[int, Version]:
    ids = sorted(set(wanted))
    rows = tuples(query.where(key.in_(ids))) if ids else []
    return {row[0]: Version(*row[1:]) for row in rows}
