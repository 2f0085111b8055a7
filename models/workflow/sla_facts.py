"""Reading of what clocks are worked out from: for any number of tickets, a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_tables import (
    SlaCalendar,
    SlaCalendarVersion,
    SlaClock,
    SlaEvent,
    SlaMatch,
    SlaPause,
    SlaPolicy,
    SlaPolicyVersion,
    TicketChange,
    TicketReply,
)
from baton.models.workflow.work import Allocation, Task, TaskItem, TicketSnapshot

Rows = Mapping[str, Sequence[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class FactRows:
    """
    The rows of some tickets, by ticket number where they are many; `steps` by workflow version, in their order.

    `clocks` bear what they fired, not taken back, under `fired`, and their pauses under `pauses`.
    """

    tickets: Mapping[str, dict[str, Any]]
    changes: Rows
    replies: Rows
    allocations: Rows
    items: Rows
    matches: Rows
    clocks: Rows
    steps: Mapping[int, Sequence[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class BookRows:
    """
    The policies and calendars: `offered` are the current versions of the policies (policy, version, definition), `calendars`
    the current version of each calendar by name (version, definition), `policies` and `times` pinned versions' definitions.
    """

    offered: Sequence[dict[str, Any]]
    calendars: Mapping[str, tuple[int, str]]
    policies: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    times: Mapping[int, str] = field(default_factory=dict)


def read_facts(tx: Transaction | None, ticket_numbers: Iterable[str]) -> FactRows:
    """Return the rows of these tickets; with a transaction they are locked until its commit, before anything else is read."""
    numbers = sorted(set(ticket_numbers))
    tickets = _tickets(tx, numbers)
    known = sorted(tickets)
    items = _items(known)
    matches = _grouped(SlaMatch, known, SlaMatch.number)
    return FactRows(
        tickets=tickets,
        changes=_grouped(TicketChange, known, TicketChange.id),
        replies=_grouped(TicketReply, known, TicketReply.at),
        allocations=_allocations(known),
        items=items,
        matches=matches,
        # Clocks come of matches only: a batch of new tickets has none to be looked for.
        clocks=_clocks(tx, sorted(matches)),
        steps=_steps({row["version"] for rows in items.values() for row in rows}),
    )


def read_book(facts: FactRows) -> BookRows:
    """Return the policies and calendars there are, and the versions that these tickets' matches name."""
    p, v = SlaPolicy, SlaPolicyVersion
    offers = dicts(p.select(p.id.alias("policy"), v.id.alias("version"), v.definition).join(v, on=(v.id == p.current_version)))
    c, w = SlaCalendar, SlaCalendarVersion
    calendars = tuples(c.select(c.name, w.id, w.definition).join(w, on=(w.id == c.current_version)))
    matches = [row for rows in facts.matches.values() for row in rows]
    pinned = {row["policy_version"] for row in matches} - {None} - {offer["version"] for offer in offers}
    timed = {row["calendar_version"] for row in matches} - {None} - {version for _, version, _ in calendars}
    policies = tuples(v.select(v.id, v.policy, v.definition).where(v.id.in_(sorted(pinned)))) if pinned else []
    times = tuples(w.select(w.id, w.definition).where(w.id.in_(sorted(timed)))) if timed else []
    return BookRows(
        offers,
        {name: (version, text) for name, version, text in calendars},
        {version: (policy, text) for version, policy, text in policies},
        dict(times),
    )


def _tickets(tx: Transaction | None, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    t = TicketSnapshot
    columns = (t.ticket_number, t.ticket_data, t.category, t.department, t.priority, t.requester_email, t.received_at)
    query = t.select(*columns).where(t.ticket_number.in_(numbers)).order_by(t.ticket_number)
    if tx is not None and not db.is_sqlite(tx.database):
        query = query.for_update()
    return {row["ticket_number"]: row for row in dicts(query)} if numbers else {}


def _grouped(table: Any, numbers: Sequence[str], order: pw.Field) -> Rows:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if numbers:
        for row in dicts(table.select().where(table.ticket_number.in_(numbers)).order_by(order)):
            found[row["ticket_number"]].append(row)
    return found


def _allocations(numbers: Sequence[str]) -> Rows:
    a, v, w = Allocation, WorkflowVersion, Workflow
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if numbers:
        query = a.select(a.ticket_number, a.decided_at, w.name).join(v, on=(v.id == a.workflow_version))
        query = query.join(w, on=(w.id == v.workflow)).where(a.ticket_number.in_(numbers)).order_by(a.id)
        for row in dicts(query):
            found[row["ticket_number"]].append(row)
    return found


def _items(numbers: Sequence[str]) -> Rows:
    i, s = TaskItem, Step
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if numbers:
        columns = (i.id, i.state, i.created_at, i.closed_at, s.version, s.position, s.name, s.sla_share, Task.ticket_number)
        query = i.select(*columns).join(Task, on=(Task.id == i.task)).join(s, on=(s.id == i.step))
        for row in dicts(query.where(Task.ticket_number.in_(numbers)).order_by(i.id)):
            found[row["ticket_number"]].append(row)
    return found


def _steps(versions: set[int]) -> dict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    if versions:
        query = Step.select(Step.version, Step.position, Step.name, Step.sla_share).where(Step.version.in_(sorted(versions)))
        for row in dicts(query.order_by(Step.position)):
            found[row["version"]].append(row)
    return found


def _clocks(tx: Transaction | None, numbers: Sequence[str]) -> Rows:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if not numbers:
        return found
    query = SlaClock.select().where(SlaClock.ticket_number.in_(numbers)).order_by(SlaClock.id)
    if tx is not None and not db.is_sqlite(tx.database):
        query = query.for_update()
    rows = {row["id"]: row | {"fired": [], "pauses": []} for row in dicts(query)}
    for row in rows.values():
        found[row["ticket_number"]].append(row)
    if rows:
        e, p = SlaEvent, SlaPause
        fired = e.select(e.id, e.clock, e.kind, e.level, e.fired_at).where(e.clock.in_(list(rows)), e.retracted_at.is_null())
        for event in dicts(fired):
            rows[event["clock"]]["fired"].append(event)
        for pause in dicts(p.select().where(p.clock.in_(list(rows)))):
            rows[pause["clock"]]["pauses"].append((pause["from_at"], pause["to_at"], pause["reason"]))
    return found
