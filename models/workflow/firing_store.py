"""
Storing of what clocks fire: which are due, the events, what fires next, and the clocks that could not be fired.

A look for what is due is one search of an index, however many clocks there are. Clocks are locked oldest first, and nothing else
is locked after them; those that somebody else holds are left out. An event is unique: whoever comes second finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import peewee as pw
from peewee import fn

from baton.models import database as db
from baton.models.clock import asked_now
from baton.models.database import InstantField
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step
from baton.models.workflow.people import Member, Role, WorkflowTable
from baton.models.workflow.rows import among, dicts, insert_rows, select_rows, tuples, update_rows
from baton.models.workflow.sla_tables import SlaCalendarVersion, SlaClock, SlaEvent, SlaPause, SlaPolicyVersion, TicketChange
from baton.models.workflow.work import TaskItem

#: What an event is unique by: clock, round, kind and level.
EventKey = tuple[int, int, str, int]


class SlaSetback(WorkflowTable):
    """
    A clock that is due and could not be fired: how often it was tried, why it failed, when it is tried next.

    The row goes when the clock fires, or no longer is due.
    """

    clock = pw.BigIntegerField(primary_key=True)
    ticket_number = pw.TextField()
    attempts = pw.IntegerField()
    error = pw.TextField()
    since = InstantField()
    next_try_at = InstantField(index=True)


_EVENT: list[pw.Field] = [
    SlaEvent.clock,
    SlaEvent.ticket_number,
    SlaEvent.round,
    SlaEvent.kind,
    SlaEvent.level,
    SlaEvent.due_at,
    SlaEvent.fired_at,
    SlaEvent.late,
    SlaEvent.on_attach,
    SlaEvent.verdict,
    SlaEvent.detail,
]
_NEXT: list[pw.Field] = [SlaClock.next_fire_at, SlaClock.next_fire_kind, SlaClock.next_level]
_SITUATION = """select s.ticket_number, t.owner_user_id as owner, w.name as workflow, i.id as item, i.assignee, i.state,
  i.created_at, st.name as step, st.sla_share as share, st.version, st.position, st.escalation_role as manager_role
from ticket_snapshot s left join task t on t.ticket_number = s.ticket_number
left join workflow_version wv on wv.id = t.workflow_version left join workflow w on w.id = wv.workflow
left join task_item i on i.task = t.id and i.closed_at is null left join step st on st.id = i.step
where s.ticket_number {named}"""


def next_due(service: str) -> datetime | None:
    """Return when the next clock fires that can be tried: one search of an index, without a lock."""
    with db.read_tx(service):
        now = asked_now(service)
        first = _due(SlaClock.select(SlaClock.next_fire_at), now).order_by(SlaClock.next_fire_at).limit(1).scalar()
        if first is not None and first <= now:
            return now
        retry = SlaSetback.select(fn.MIN(SlaSetback.next_try_at)).where(SlaSetback.next_try_at > now).scalar()
        instants = [each for each in (first, retry and SlaSetback.next_try_at.python_value(retry)) if each is not None]
        return min(instants, default=None)


def is_due(service: str) -> bool:
    """Return whether a clock is due that can be tried: one search of an index, without a lock."""
    with db.read_tx(service):
        now = asked_now(service)
        return bool(_due(SlaClock.select(SlaClock.id), now).where(SlaClock.next_fire_at <= now).exists())


def changed_since(service: str, limit: int) -> list[str]:
    """Return the tickets of the oldest due clocks whose journal says something newer than the clocks."""
    with db.read_tx(service) as database:
        due = SlaClock.select(SlaClock.ticket_number, SlaClock.updated_at).where(SlaClock.next_fire_at <= asked_now(service))
        oldest = due.order_by(SlaClock.next_fire_at, SlaClock.id).limit(limit).alias("oldest")
        newer = (TicketChange.ticket_number == oldest.c.ticket_number) & (TicketChange.at > oldest.c.updated_at)
        query = pw.Select([oldest], [oldest.c.ticket_number]).distinct()
        query = query.where(fn.EXISTS(TicketChange.select(pw.SQL("1")).where(newer)))
        return sorted(row[0] for row in query.tuples().execute(database))


def claim_due(tx: Transaction, limit: int, only: int | None = None) -> tuple[datetime, list[dict[str, Any]]]:
    """
    Return the present instant by the database's clock, and the clocks that are due by then, oldest first, locked.

    `only` one of them: that one, if it is still due.
    """
    now = asked_now(tx.service)
    query = _due(SlaClock.select(), now) if only is None else SlaClock.select().where(SlaClock.id == only)
    query = query.where(SlaClock.next_fire_at <= now).order_by(SlaClock.next_fire_at, SlaClock.id).limit(limit)
    locked: Any = query if db.is_sqlite(tx.database) else query.for_update(cast(Any, "FOR UPDATE SKIP LOCKED"))
    return now, dicts(locked)


def _due(query: Any, now: datetime) -> Any:
    """Leave out what failed and is not to be tried again yet."""
    waits = SlaSetback.select(pw.SQL("1")).where(SlaSetback.clock == SlaClock.id, SlaSetback.next_try_at > now)
    return query.where(SlaClock.next_fire_at.is_null(False), ~fn.EXISTS(waits))


def read_terms(tx: Transaction, clocks: Sequence[Mapping[str, Any]]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the definitions of the policy versions and of the calendar versions that these clocks run by."""
    found = []
    for model, name in ((SlaPolicyVersion, "policy_version"), (SlaCalendarVersion, "calendar_version")):
        query = model.select(model.id, model.definition).where(model.id.in_(sorted({clock[name] for clock in clocks})))
        found.append(dict(tuples(query)))
    return found[0], found[1]


def read_pauses(tx: Transaction, clocks: Iterable[int]) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """Return from when to when each of these clocks stood still."""
    p = SlaPause
    found: dict[int, list[tuple[datetime, datetime | None]]] = {clock: [] for clock in clocks}
    for clock, start, end in tuples(p.select(p.clock, p.from_at, p.to_at).where(p.clock.in_(sorted(found)))):
        found[clock].append((start, end))
    return found


def read_fired(tx: Transaction, clocks: Iterable[int]) -> dict[int, set[tuple[str, int]]]:
    """Return what each of these clocks fired that was not taken back, as (kind, level)."""
    e = SlaEvent
    found: dict[int, set[tuple[str, int]]] = {clock: set() for clock in clocks}
    for clock, kind, level in tuples(
        e.select(e.clock, e.kind, e.level).where(e.clock.in_(sorted(found)), e.retracted_at.is_null())
    ):
        found[clock].add((kind, level))
    return found


def read_situations(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """
    Return, by ticket number, where a ticket is now: `owner`, `workflow`, and of the open item `item` (None: there is none),
    `assignee`, `state`, `created_at`, `step`, `share`, `manager_role`, and `ahead`, the (name, share) of the steps that follow.
    """
    sql = _SITUATION.format(named=among(db.is_sqlite(tx.database), "text"))
    found = {row["ticket_number"]: row for row in select_rows(tx, sql, sorted(set(ticket_numbers)))}
    query = Step.select(Step.version, Step.position, Step.name, Step.sla_share).order_by(Step.version, Step.position)
    steps: dict[int, list[tuple[int, str, float | None]]] = {}
    for version, *step in tuples(query.where(Step.version.in_({row["version"] for row in found.values()} - {None}))):
        steps.setdefault(version, []).append((step[0], step[1], step[2]))
    for row in found.values():
        row["created_at"] = TaskItem.created_at.python_value(row["created_at"])
        row["ahead"] = tuple((n, share) for position, n, share in steps.get(row["version"], ()) if position > row["position"])
    return found


def read_holders(
    tx: Transaction, roles: Iterable[int], names: Iterable[str]
) -> tuple[dict[int, list[str]], dict[str, list[str]]]:
    """Return the user ids of the active members of these roles, by id, and of the workflow system's roles of these names."""
    wanted, named = sorted(set(roles)), sorted(set(names))
    by_id: dict[int, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    if wanted or named:
        query = Member.select(Role.id, Role.name, Role.system, Member.user_id).join(Role, on=(Role.id == Member.role))
        query = query.where(Member.is_active, Role.is_active, Role.id.in_(wanted) | Role.name.in_(named)).order_by(Member.id)
        for role, name, system, user_id in tuples(query):
            by_id.setdefault(role, []).append(user_id)
            if system == "tts":
                by_name.setdefault(name, []).append(user_id)
    return by_id, by_name


def store_events(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> dict[EventKey, int]:
    """
    Keep events, in their order, each once; return the ids of those that were not there, by (clock, round, kind, level).

    A row is the event's clock, ticket number, round, kind, level, due_at, fired_at, late, on_attach, verdict and detail.
    """
    key: list[pw.Field] = [SlaEvent.clock, SlaEvent.round, SlaEvent.kind, SlaEvent.level, SlaEvent.id]
    return {(made[0], made[1], made[2], made[3]): made[4] for made in insert_rows(tx, _EVENT, rows, ignore=True, returning=key)}


def store_next(tx: Transaction, rows: Iterable[tuple[int, datetime | None, str | None, int | None]]) -> None:
    """Write what each clock (by id) fires next, and forget that it could not be fired."""
    given = [(*row, tx.now, 1) for row in rows]
    update_rows(tx, SlaClock.id, [*_NEXT, SlaClock.updated_at], given, add=[SlaClock.version])
    SlaSetback.delete().where(SlaSetback.clock.in_([row[0] for row in given])).execute()


def note_setback(tx: Transaction, clock: int, ticket_number: str, error: str, next_tries: Any) -> int:
    """
    Keep that a clock could not be fired; `next_tries(attempts)` says how long to wait. Returns how often it was tried.
    """
    known = SlaSetback.get_or_none(SlaSetback.clock == clock)
    attempts = 1 if known is None else known.attempts + 1
    values = {"attempts": attempts, "error": error, "next_try_at": tx.now + next_tries(attempts)}
    if known is None:
        SlaSetback.insert(clock=clock, ticket_number=ticket_number, since=tx.now, **values).execute()
    else:
        SlaSetback.update(**values).where(SlaSetback.clock == clock).execute()
    return attempts


def forget_settled(tx: Transaction) -> int:
    """Forget the setbacks of clocks that no longer are due; return how many."""
    due = SlaClock.select(pw.SQL("1")).where(SlaClock.id == SlaSetback.clock, SlaClock.next_fire_at.is_null(False))
    return int(SlaSetback.delete().where(~fn.EXISTS(due)).execute())


def overdue(service: str, most: int) -> dict[str, Any]:
    """
    Return how the firing stands, within an open transaction.

    `overdue` clocks (counted up to `most`) are due and were not tried; `oldest_seconds` ago the first of them was. `failing` ones
    were tried and could not be fired.
    """
    now = asked_now(service)
    tried = SlaSetback.select(pw.SQL("1")).where(SlaSetback.clock == SlaClock.id)
    due = SlaClock.select(SlaClock.next_fire_at).where(SlaClock.next_fire_at <= now, ~fn.EXISTS(tried))
    first = due.order_by(SlaClock.next_fire_at, SlaClock.id).limit(1).scalar()
    return {
        "overdue": due.limit(most).count() if first is not None else 0,
        "oldest_seconds": round((now - first).total_seconds(), 1) if first is not None else 0.0,
        "failing": SlaSetback.select().limit(most).count(),
    }
