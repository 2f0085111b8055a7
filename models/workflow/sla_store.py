"""Storing of matches and clocks: only what differs, each table in one statement for all tickets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import peewee as pw

from baton.models.transaction import Transaction
from baton.models.workflow.rows import insert_rows, update_rows
from baton.models.workflow.sla_tables import SlaClock, SlaEvent, SlaMatch, SlaPause

_MATCH: list[pw.Field] = [
    SlaMatch.ticket_number,
    SlaMatch.number,
    SlaMatch.at,
    SlaMatch.policy_version,
    SlaMatch.calendar_version,
    SlaMatch.mode,
    SlaMatch.reason,
    SlaMatch.names,
    SlaMatch.decided_by,
    SlaMatch.since,
    SlaMatch.decided_at,
]
_KEPT = ("id", "ticket_number", "version", "updated_at")
#: The columns that `store_clocks` is given, by name.
CLOCK_COLUMNS: dict[str, pw.Field] = {f.name: f for f in SlaClock._meta.sorted_fields if f.name not in _KEPT}
_PAUSE: list[pw.Field] = [SlaPause.clock, SlaPause.from_at, SlaPause.to_at, SlaPause.reason]


def store_matches(tx: Transaction, rows: Sequence[tuple[Any, ...]], replaced: Collection[tuple[str, int]] = ()) -> None:
    """
    Store (ticket number, number, at, policy version, calendar version, mode, reason, names as JSON, decided by, since).

    `replaced` are the (ticket number, number) of those that take the place of stored ones.
    """
    insert_rows(tx, _MATCH, [(*row, tx.now) for row in rows if row[:2] not in replaced])
    update_rows(tx, (_MATCH[0], _MATCH[1]), _MATCH[2:], [(*row, tx.now) for row in rows if row[:2] in replaced])


def store_clocks(
    tx: Transaction,
    made: Sequence[tuple[str, Mapping[str, Any], Sequence[tuple[Any, ...]]]],
    changed: Mapping[int, Mapping[str, Any]],
    pauses: Mapping[int, Sequence[tuple[Any, ...]]],
    gone: Sequence[int],
) -> None:
    """
    Write clocks: `made` are (ticket number, columns, pauses), `changed` columns by clock, `pauses` those clocks' pauses, all of
    them, as (from, to, reason). `gone` are forgotten. Hold the tickets' locks.
    """
    names = list(CLOCK_COLUMNS)
    columns = list(CLOCK_COLUMNS.values())
    c = SlaClock
    stored = insert_rows(
        tx,
        [c.ticket_number, *columns, c.version, c.updated_at],
        [(number, *(values[name] for name in names), 1, tx.now) for number, values, _ in made],
        returning=[c.ticket_number, c.metric, c.item, c.cycle, c.id],
    )
    ids = {row[:4]: row[4] for row in stored}
    update_rows(
        tx,
        c.id,
        [*columns, c.updated_at],
        [(clock, *(values[name] for name in names), tx.now, 1) for clock, values in sorted(changed.items())],
        add=[c.version],
    )
    replaced = sorted({*pauses, *gone})
    if replaced:
        SlaPause.delete().where(SlaPause.clock.in_(replaced)).execute()
    rows = [(clock, *pause) for clock, held in sorted(pauses.items()) for pause in held]
    rows += [
        (ids[number, values["metric"], values["item"], values["cycle"]], *pause)
        for number, values, held in made
        for pause in held
    ]
    insert_rows(tx, _PAUSE, rows)
    if gone:
        SlaClock.delete().where(SlaClock.id.in_(sorted(gone))).execute()


def retract_events(tx: Transaction, notes: Mapping[int, str]) -> None:
    """Mark what fired as not holding any more, and why."""
    e = SlaEvent
    update_rows(tx, e.id, [e.note, e.retracted_at], [(event, note, tx.now) for event, note in sorted(notes.items())])
