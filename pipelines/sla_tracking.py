"""
Bringing a ticket's clocks to what its rows say: what is new, what differs, what is taken back.

Everything follows from the facts and the matches, never from when a message about them came: the same rows give the same clocks,
in whatever order and however often tickets are tracked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla_clocks import CANCELLED, Wanted, work_out
from baton.pipelines.sla_firing import Fired, NextFire, next_fire, no_longer, schedule
from baton.pipelines.sla_lives import Item, Life
from baton.pipelines.sla_matching import Match, NameChange, Names, Offered, match_again, match_changes, names_at, together
from baton.pipelines.sla_policies import NAMES, Policy

Key = tuple[str, int, int]
#: Longest attribute of a requester that is matched, in characters.
_ATTRIBUTE_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """A ticket as its rows say: what is matched (`names`, their `changes`), what happened (`life`), what was matched before."""

    life: Life
    arrived_at: datetime
    names: Names
    changes: Sequence[NameChange] = ()
    matches: Sequence[Match] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """The policies and calendars there are: those offered to new matches, and every version that matches name, by version."""

    offered: Sequence[Offered]
    policies: Mapping[int, Policy]
    calendars: Mapping[int, Calendar]
    policy_of: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """A clock as it is stored: its columns by name, and what it fired that was not taken back."""

    id: int
    key: Key
    columns: Mapping[str, Any]
    fired: Sequence[Fired] = ()
    pauses: frozenset[tuple[datetime, datetime | None, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Retraction:
    """Something fired that no longer holds, and why."""

    event: int
    kind: str
    metric: str
    note: str


@dataclass(slots=True)
class Changes:
    """
    What is to be written for a ticket. `replaced` are numbers of `matches` that stored ones have. `made` are (columns, pauses) of
    new clocks; `changed` the columns of a clock, all of them, by its id; `pauses` its pauses, where they differ; `gone` clocks
    that never fired and are no clocks any more.
    """

    matches: list[Match] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    made: list[tuple[dict[str, Any], tuple[Any, ...]]] = field(default_factory=list)
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)
    pauses: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    retracted: list[Retraction] = field(default_factory=list)


def submitted_at(data: Mapping[str, Any], arrived_at: datetime) -> datetime:
    """Return when a ticket's time began: when its data says it was submitted, if that is an instant before it arrived."""
    value = data.get("submitted_at")
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        return arrived_at if instant is None or instant.tzinfo is None else min(instant, arrived_at)
    except (ValueError, OverflowError):
        return arrived_at


def attributes(data: Mapping[str, Any], email: str | None) -> dict[str, str]:
    """Return the requester's attributes by name: the texts and numbers of the ticket's `employee`."""
    employee = data.get("employee")
    said = employee.items() if isinstance(employee, Mapping) else ()
    found = {
        name: str(value)
        for name, value in said
        if isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) <= _ATTRIBUTE_LENGTH
    }
    return found | ({"email": email} if email is not None else {})


def new_matches(facts: TicketFacts, book: Book, applied: tuple[datetime, str] | None = None) -> list[Match]:
    """Return the matches that are missing; `applied` is when and by whom the policies as they are now were applied."""
    points = names_at(facts.arrived_at, facts.names, facts.changes)
    made = match_changes(points, facts.matches, book.offered, book.policy_of)
    if applied is not None:
        made += match_again(applied[0], facts.names, together(facts.matches, made), book.offered, applied[1])
    return made


def changes_of(facts: TicketFacts, made: Sequence[Match], book: Book, stored: Sequence[Stored]) -> Changes:
    """Return what is to be written so that a ticket's clocks are what its facts and matches, old and `made`, say."""
    wanted = work_out(facts.life, together(facts.matches, made), book.policies, book.calendars)
    numbers = {each.number for each in facts.matches}
    changes = Changes(matches=list(made), replaced=[each.number for each in made if each.number in numbers])
    open_item = next((item for item in reversed(facts.life.items) if item.closed_at is None), None)
    known = {each.key: each for each in stored}
    for clock in wanted:
        _compare(clock, known.pop(clock.key, None), open_item, changes)
    for left in known.values():
        _drop(left, changes)
    return changes


def columns_of(clock: Wanted, fires: NextFire | None, taken_back: int = 0) -> dict[str, Any]:
    """Return the columns of a clock's row, but for its ticket and its id."""
    return {
        "metric": clock.metric,
        "item": clock.item,
        "cycle": clock.cycle,
        "policy_version": clock.policy_version,
        "calendar_version": clock.calendar_version,
        "target_seconds": clock.target_seconds,
        "started_at": clock.started_at,
        "counted_from": clock.counted_from,
        "due_at": clock.due_at,
        "paused_since": clock.paused_since,
        "stopped_at": clock.stopped_at,
        "state": clock.state,
        "attached_at": clock.attached_at,
        "on_attach": clock.on_attach,
        "match_reason": clock.match_reason,
        "next_fire_at": None if fires is None else fires.at,
        "next_fire_kind": None if fires is None else fires.kind,
        "next_level": None if fires is None else fires.level,
        "round": taken_back,
    }


def names_json(names: Names | None) -> str:
    """Return what was matched as JSON."""
    content = {} if names is None else {**names.values, "requester": dict(names.requester)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read_names(text: str) -> Names:
    """Return the names of what `names_json` wrote."""
    values = json.loads(text)
    return Names({name: values.get(name) for name in NAMES}, values.get("requester") or {})


def _compare(clock: Wanted, stored: Stored | None, open_item: Item | None, changes: Changes) -> None:
    due = schedule(clock, open_item)
    if stored is None:
        changes.made.append((columns_of(clock, next_fire(clock, due, ())), clock.pauses))
        return
    void = no_longer(clock, due, stored.fired)
    changes.retracted += [Retraction(each.id, each.kind, clock.metric, _why(clock)) for each in void]
    fired = [each.name for each in stored.fired if each not in void]
    columns = columns_of(clock, next_fire(clock, due, fired), stored.columns["round"] + bool(void))
    if columns != {name: stored.columns[name] for name in columns}:
        changes.changed[stored.id] = columns
    if frozenset(clock.pauses) != stored.pauses:
        changes.pauses[stored.id] = clock.pauses


def _drop(stored: Stored, changes: Changes) -> None:
    """A clock that never was, as things are known now: forgotten, unless it ever fired."""
    taken_back = stored.columns["round"]
    if not stored.fired and not taken_back:
        changes.gone.append(stored.id)
        return
    note = "what began this clock is not so any more"
    changes.retracted += [Retraction(each.id, each.kind, stored.key[0], note) for each in stored.fired]
    columns = {
        **stored.columns,
        "state": CANCELLED,
        "paused_since": None,
        "stopped_at": stored.columns["started_at"],
        "next_fire_at": None,
        "next_fire_kind": None,
        "next_level": None,
        "round": taken_back + bool(stored.fired),
    }
    if columns != stored.columns:
        changes.changed[stored.id] = columns


def _why(clock: Wanted) -> str:
    due = "is held" if clock.due_at is None else f"is due {clock.due_at.isoformat(timespec='seconds')}"
    return f"the clock {due} now and its state is {clock.state}: {clock.match_reason}"
