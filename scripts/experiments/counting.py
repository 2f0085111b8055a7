"""
Counting what became of a load: every promise that can be checked on the tables, with its figures.

Reads the databases of a stack directly, as only an experiment may. `take_stock` returns figures and violations; an empty list of
violations is success.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, Settings
from baton.pipelines.messages import CATALOGUE
from baton.scripts.experiments.load import Filed

#: How many examples of one violation are printed.
EXAMPLES = 5


@dataclass
class Stock:
    """Figures by name, in the order they were taken, and violations as lines."""

    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def expect_none(self, what: str, wrong: Iterable[Any]) -> None:
        """Note a figure that must be 0, with examples if it is not."""
        found = list(wrong)
        self.figures[what] = len(found)
        if found:
            self.violations.append(f"{what}: {len(found)}, e.g. {', '.join(map(str, found[:EXAMPLES]))}")

    def expect_equal(self, what: str, value: int, wanted: int) -> None:
        """Note a figure that must have a certain value."""
        self.figures[what] = value
        if value != wanted:
            self.violations.append(f"{what}: {value} instead of {wanted}")


def waiting(settings: Settings) -> dict[str, int]:
    """Return what has not come to rest yet: outbox rows and deferred messages per service, messages ready per queue."""
    left: dict[str, int] = {}
    for service in SERVICES:
        tables = runtime_tables(service)
        with database.read_tx(service):
            left[f"{service} outbox"] = tables.Outbox.select().count()
            left[f"{service} deferred"] = tables.DeferredMessage.select().count()
    left.update({f"queue {state.queue}": state.ready for state in queue_states(settings)})
    return {name: count for name, count in left.items() if count}


def queue_states(settings: Settings) -> list[Any]:
    """Return how each queue of the catalogue stands."""
    from baton.actors.broker import make_broker

    broker = make_broker(settings)
    try:
        states: list[Any] = broker.queue_states(sorted({message.queue for message in CATALOGUE.values()}))
        return states
    finally:
        broker.close()


def unfinished(filed: Filed) -> int:
    """Return how many acknowledged tickets are neither assigned, nor visibly waiting, nor in triage yet."""
    from baton.models.workflow import TaskItem, TriageEntry, WaitingEntry

    with database.read_tx("workflow"):
        settled = {row[0] for row in _rows(TaskItem.select(TaskItem.ticket_number).where(TaskItem.assignee.is_null(False)))}
        settled |= {row[0] for row in _rows(TriageEntry.select(TriageEntry.ticket_number))}
        settled |= {row[0] for row in _rows(WaitingEntry.select(WaitingEntry.ticket_number).where(WaitingEntry.kind == "item"))}
    return len(set(filed.numbers.values()) - settled)


def known() -> set[str]:
    """Return the numbers of every ticket stored now."""
    return set(_stored())


def take_stock(settings: Settings, filed: Filed, before: Collection[str] = ()) -> Stock:
    """Check every promise against the tables and queues of a stack at rest; `before` are tickets that were there already."""
    stock = Stock()
    numbers = set(filed.numbers.values())
    stock.figures["acknowledged"] = len(filed.numbers)
    stock.expect_equal("distinct numbers acknowledged", len(numbers), len(filed.numbers))
    stock.expect_none("a repeated key told another number", filed.contradictions)
    stock.expect_none("refused or given up", filed.refusals)
    stored = _stored()
    stock.expect_none("acknowledged but not stored", numbers - stored.keys())
    stock.expect_none("stored but never acknowledged", stored.keys() - numbers - set(before))
    stock.expect_none("text not stored as it was sent", _changed_texts(filed, stored))
    snapshots = _work(stock, numbers)
    stock.expect_none(
        "status not equal on both sides",
        (
            f"{n}: {stored[n]['status']}/{snapshots[n]}"
            for n in stored.keys() & snapshots.keys()
            if stored[n]["status"] != snapshots[n]
        ),
    )
    _turns(stock)
    stock.expect_none("left in outboxes, deferred or queued", [f"{name} {count}" for name, count in waiting(settings).items()])
    stock.expect_none("dead letters", [f"{state.queue} {state.dead}" for state in queue_states(settings) if state.dead])
    return stock


def _rows(query: Any) -> list[Any]:
    return list(query.tuples())


def _stored() -> dict[str, dict[str, Any]]:
    """Return the tickets of both doors by number: subject, description, status."""
    from baton.models import tickets
    from baton.models.helpdesk.tables import Ticket

    found: dict[str, dict[str, Any]] = {}
    doors: tuple[tuple[str, Any], ...] = (("helpdesk", Ticket), ("tickets", tickets.Receipt))
    for service, model in doors:
        with database.read_tx(service):
            found.update(
                {row.number: {"subject": row.subject, "description": row.description, "status": row.status} for row in model}
            )
    return found


def _changed_texts(filed: Filed, stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        number
        for number, body in filed.bodies.items()
        if number in stored and any(stored[number][name] != body[name] for name in ("subject", "description"))
    ]


def _work(stock: Stock, numbers: set[str]) -> dict[str, str]:
    """Check snapshots, tasks, triage and items; return the status of each snapshot."""
    from baton.models.workflow import Task, TaskItem, TicketSnapshot, TriageEntry, WaitingEntry

    snapshot = TicketSnapshot
    with database.read_tx("workflow"):
        rows = _rows(snapshot.select(snapshot.ticket_number, snapshot.status, snapshot.ticket_data))
        tasks = Counter(row[0] for row in _rows(Task.select(Task.ticket_number)))
        triage = Counter(row[0] for row in _rows(TriageEntry.select(TriageEntry.ticket_number)))
        opened = TaskItem.select(TaskItem.id, TaskItem.ticket_number, TaskItem.assignee)
        items = _rows(opened.where(TaskItem.closed_at.is_null()))
        waits = {row[0] for row in _rows(WaitingEntry.select(WaitingEntry.subject_id).where(WaitingEntry.kind == "item"))}
    snapshots = {number: status for number, status, _ in rows}
    stock.expect_equal("snapshots", len(snapshots.keys() & numbers), len(numbers))
    stock.expect_equal("snapshot rows", len(rows), len(snapshots))
    stock.expect_none("acknowledged without snapshot", numbers - snapshots.keys())
    stock.expect_none("snapshot under another number", (n for n, _, data in rows if _number_in(data) != n))
    stock.figures["tasks"], stock.figures["in triage"] = tasks.total(), triage.total()
    stock.expect_none("not exactly one task or triage entry", (n for n in snapshots if tasks[n] + triage[n] != 1))
    active = Counter(number for _, number, _ in items)
    stock.expect_none("not exactly one active item", (n for n in tasks if active[n] != 1))
    stock.expect_none("active item neither assigned nor waiting", (n for i, n, who in items if who is None and i not in waits))
    return snapshots


def _number_in(ticket_data: str) -> str | None:
    data = json.loads(ticket_data)
    number: str | None = data.get("ticket", data).get("ticket_number")
    return number


def _turns(stock: Stock) -> None:
    """Check the rotations: fair within each role, each turn used once, as many as were counted."""
    from baton.models.workflow import AssignmentPick, Member, Role

    pick = AssignmentPick
    with database.read_tx("workflow"):
        roles = {role.id: role for role in Role.select()}
        members = list(Member.select().where(Member.is_active))
        taken = pick.select(pick.role, pick.turn, pick.chosen, pick.kind, pick.subject_id)
        picks = _rows(taken.where(pick.turn.is_null(False)))
    counted = Counter((role, who) for role, _, who, _, _ in picks)
    by_role: dict[int, list[int]] = defaultdict(list)
    for member in members:
        by_role[member.role].append(counted[(member.role, member.user_id)])
    shares = {roles[role].name: sorted(turns, reverse=True) for role, turns in by_role.items() if any(turns)}
    stock.figures["turns by role"] = {name: "/".join(map(str, turns)) for name, turns in shares.items()}
    stock.expect_none("roles whose turns differ by more than one", (n for n, turns in shares.items() if turns[0] - turns[-1] > 1))
    stock.expect_none("turns used twice", (turn for turn, count in Counter((r, t) for r, t, *_ in picks).items() if count > 1))
    stock.expect_none("picked twice", (what for what, count in Counter((k, s) for *_, k, s in picks).items() if count > 1))
    wrong = [f"{m.user_id} in {roles[m.role].name}" for m in members if m.turns != counted[(m.role, m.user_id)]]
    stock.expect_none("members whose count of turns is not that of their picks", wrong)
