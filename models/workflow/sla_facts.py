"""Reading of what clocks are worked out from: for any number of tickets, a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee as pw

from baton.models.statements import Statement
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
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
    items = _grouped(_ITEMS, known)
    matches = _grouped(_MATCHES, known)
    return FactRows(
        tickets=tickets,
        changes=_grouped(_CHANGES, known),
        replies=_grouped(_REPLIES, known),
        allocations=_grouped(_ALLOCATIONS, known),
        items=items,
        matches=matches,
        # Clocks come of matches only: a batch of new tickets has none to be looked for.
        clocks=_clocks(tx, sorted(matches)),
        steps=_grouped(_STEPS, {row["version"] for rows in items.values() for row in rows}, "version"),
    )


def read_book(facts: FactRows) -> BookRows:
    """Return the policies and calendars there are, and the versions that these tickets' matches name."""
    offers = _OFFERS.dicts()
    calendars = _CALENDARS.tuples()
    matches = [row for rows in facts.matches.values() for row in rows]
    pinned = {row["policy_version"] for row in matches} - {None} - {offer["version"] for offer in offers}
    timed = {row["calendar_version"] for row in matches} - {None} - {version for _, version, _ in calendars}
    policies = _PINNED.tuples(sorted(pinned)) if pinned else []
    times = _TIMED.tuples(sorted(timed)) if timed else []
    return BookRows(
        offers,
        {name: (version, text) for name, version, text in calendars},
        {version: (policy, text) for version, policy, text in policies},
        dict(times),
    )


def _tickets(tx: Transaction | None, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {row["ticket_number"]: row for row in _TICKETS.dicts(numbers, lock=tx is not None)} if numbers else {}


def _grouped(statement: Statement, wanted: Collection[Any], by: str = "ticket_number") -> dict[Any, list[dict[str, Any]]]:
    found: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    if wanted:
        for row in statement.dicts(wanted):
            found[row[by]].append(row)
    return found


def _clocks(tx: Transaction | None, numbers: Sequence[str]) -> Rows:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if not numbers:
        return found
    rows = {row["id"]: row | {"fired": [], "pauses": []} for row in _CLOCKS.dicts(numbers, lock=tx is not None)}
    for row in rows.values():
        found[row["ticket_number"]].append(row)
    if rows:
        for event in _FIRED.dicts(rows):
            rows[event["clock"]]["fired"].append(event)
        for clock, *pause in _PAUSES.tuples(rows):
            rows[clock]["pauses"].append(tuple(pause))
    return found


def _of_tickets(table: Any, order: pw.Field) -> Statement:
    return Statement(lambda among: table.select().where(among(table.ticket_number)).order_by(order))


_t, _a, _i, _s, _e, _p = TicketSnapshot, Allocation, TaskItem, Step, SlaEvent, SlaPause
_v, _c, _w = SlaPolicyVersion, SlaCalendar, SlaCalendarVersion
_TICKET = (_t.ticket_number, _t.ticket_data, _t.category, _t.department, _t.priority, _t.requester_email, _t.received_at)
_TICKETS = Statement(lambda among: _t.select(*_TICKET).where(among(_t.ticket_number)).order_by(_t.ticket_number))
_CHANGES = _of_tickets(TicketChange, TicketChange.id)
_REPLIES = _of_tickets(TicketReply, TicketReply.at)
_MATCHES = _of_tickets(SlaMatch, SlaMatch.number)
_CLOCKS = _of_tickets(SlaClock, SlaClock.id)
_ALLOCATIONS = Statement(
    lambda among: (
        _a.select(_a.ticket_number, _a.decided_at, Workflow.name)
        .join(WorkflowVersion, on=(WorkflowVersion.id == _a.workflow_version))
        .join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(among(_a.ticket_number))
        .order_by(_a.id)
    )
)
_ITEM = (_i.id, _i.state, _i.created_at, _i.closed_at, _s.version, _s.position, _s.name, _s.sla_share, Task.ticket_number)
_ITEMS = Statement(
    lambda among: (
        _i.select(*_ITEM)
        .join(Task, on=(Task.id == _i.task))
        .join(_s, on=(_s.id == _i.step))
        .where(among(Task.ticket_number))
        .order_by(_i.id)
    )
)
_STEPS = Statement(
    lambda among: _s.select(_s.version, _s.position, _s.name, _s.sla_share).where(among(_s.version)).order_by(_s.position)
)
_FIRED = Statement(
    lambda among: _e.select(_e.id, _e.clock, _e.kind, _e.level, _e.fired_at).where(among(_e.clock), _e.retracted_at.is_null())
)
_PAUSES = Statement(lambda among: _p.select(_p.clock, _p.from_at, _p.to_at, _p.reason).where(among(_p.clock)))
_OFFERS = Statement(
    lambda _among: SlaPolicy.select(SlaPolicy.id.alias("policy"), _v.id.alias("version"), _v.definition).join(
        _v, on=(_v.id == SlaPolicy.current_version)
    )
)
_CALENDARS = Statement(lambda _among: _c.select(_c.name, _w.id, _w.definition).join(_w, on=(_w.id == _c.current_version)))
_PINNED = Statement(lambda among: _v.select(_v.id, _v.policy, _v.definition).where(among(_v.id)))
_TIMED = Statement(lambda among: _w.select(_w.id, _w.definition).where(among(_w.id)))
