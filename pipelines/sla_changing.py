"""
Changing policies and calendars under tickets that run: what it would do, what it does, how it is taken back.

1. A change is policies and calendars as they shall be from now on, and policies that are retired. It concerns the tickets whose
   policy it changes, or whose policy counts in a calendar that it changes, and those that match a policy of it now.
2. A ticket that it concerns is matched again, at the moment it is its turn. Clocks that have stopped by then keep their verdict;
   what runs, runs by the new version, counted as that says. What fired and no longer holds is taken back, with a note.
3. To undo it is to give each ticket back what it had: the version, the calendar and the start of counting from before. Tickets
   that came since then get what is in force then. Clocks that have stopped in between keep their verdict, too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from baton.pipelines.sla_clocks import CANCELLED
from baton.pipelines.sla_matching import KEPT, Match, choose, match_again
from baton.pipelines.sla_policies import FROM_CHANGE, FROM_START
from baton.pipelines.sla_tracking import Book, Changes, Stored, TicketFacts

APPLY, UNDO = "apply", "undo"
RUNNING, DONE, UNDONE = "running", "done", "undone"
#: What becomes of a clock. Each that breaches or recovers has moved, too.
MOVED, BREACHES, RECOVERS, ENDS, BEGINS = "moved", "breaches", "recovers", "ends", "begins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What shall be: policies and calendars by name as documents, and names of policies that are retired."""

    policies: Mapping[str, Mapping[str, Any]]
    calendars: Mapping[str, Mapping[str, Any]]
    retired: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMove:
    """What becomes of a clock; `clock` is None for one that begins."""

    ticket_number: str
    clock: int | None
    metric: str
    item: int
    cycle: int
    effect: str
    due_at: datetime | None
    due_then: datetime | None


def decided_by(change: int) -> str:
    """Return what the matches that a change makes say of who decided them."""
    return f"change:{change}"


def altered(rows: Any, proposal: Proposal) -> Any:
    """
    Return the book's rows as they would be with a proposal carried out; what is new has versions and ids below zero.

    `rows` are book rows. The versions that are replaced stay among the pinned ones.
    """
    policies, times, offered = dict(rows.policies), dict(rows.times), []
    known = set()
    for place, offer in enumerate(rows.offered, start=1):
        name = json.loads(offer["definition"])["name"]
        known.add(name)
        if name in proposal.retired or name in proposal.policies:
            policies[offer["version"]] = (offer["policy"], offer["definition"])
        if name in proposal.policies:
            definition = json.dumps(proposal.policies[name])
            same = json.loads(offer["definition"]) == proposal.policies[name]
            offered.append({**offer, "version": offer["version"] if same else -place, "definition": definition})
        elif name not in proposal.retired:
            offered.append(offer)
    for place, name in enumerate(sorted({*proposal.policies} - known), start=len(rows.offered) + 1):
        offered.append({"policy": -place, "version": -place, "definition": json.dumps(proposal.policies[name])})
    calendars = dict(rows.calendars)
    for place, (name, document) in enumerate(proposal.calendars.items(), start=1):
        if name in calendars:
            version, text = calendars[name]
            times[version] = text
            if json.loads(text) == document:
                continue
        calendars[name] = (-place, json.dumps(document))
    return replace(rows, offered=offered, calendars=calendars, policies=policies, times=times)


def concerned(rows: Any, proposal: Proposal) -> frozenset[int]:
    """Return the ids of the policies that a proposal changes or retires, or whose calendar it changes; `rows` are altered."""
    found = set()
    for offer in rows.offered:
        document = json.loads(offer["definition"])
        if document["name"] in proposal.policies or document["calendar"] in proposal.calendars:
            found.add(offer["policy"])
    for policy, definition in rows.policies.values():
        if json.loads(definition)["name"] in proposal.retired:
            found.add(policy)
    return frozenset(found)


def matches_of_change(
    facts: TicketFacts, known: Sequence[Match], book: Book, policies: Collection[int], at: datetime, by: str
) -> list[Match]:
    """Return the match that a change of these policies makes for a ticket; none where it does not concern it."""
    chosen, _ = choose(book.offered, facts.names)
    held = book.policy_of.get(known[-1].version or 0) if known else None
    if held not in policies and (chosen is None or chosen.policy_id not in policies):
        return []
    return match_again(at, facts.names, known, book.offered, by)


def matches_of_undoing(
    facts: TicketFacts, known: Sequence[Match], book: Book, change: int, introduced: Introduced, at: datetime, by: str
) -> list[Match]:
    """Return the match that gives a ticket back what it had before a change; none where the change does not hold for it."""
    effective = [each for each in known if each.mode != KEPT or each is known[0]]
    if not effective:
        return []
    last = effective[-1]
    if last.decided_by == decided_by(change) and len(effective) > 1:
        return [_restored(effective[-2], facts, known[-1].number + 1, at, by, change)]
    if last.version in introduced.policies or last.calendar_version in introduced.calendars:
        return match_again(at, facts.names, known, book.offered, by)
    return []


@dataclass(frozen=True, slots=True)
class Introduced:
    """The versions that a change brought: of policies, of calendars."""

    policies: frozenset[int]
    calendars: frozenset[int]

    @classmethod
    def of(cls, before: Mapping[str, Mapping[str, int | None]], after: Mapping[str, Mapping[str, int | None]]) -> Introduced:
        """Return what is in force after a change and was not before it."""
        kinds = (
            frozenset(version for key, version in after[kind].items() if version is not None and before[kind].get(key) != version)
            for kind in ("policies", "calendars")
        )
        return cls(*kinds)


def _restored(before: Match, facts: TicketFacts, number: int, at: datetime, by: str, change: int) -> Match:
    counts_from_change = before.mode == FROM_CHANGE
    return Match(
        number,
        at,
        before.version,
        before.calendar_version,
        FROM_CHANGE if counts_from_change or before.version is None else FROM_START,
        f"change {change} was undone; {before.reason}",
        facts.names,
        by,
        (before.since or before.at) if counts_from_change else None,
    )


def moves_of(number: str, stored: Sequence[Stored], changes: Changes, now: datetime) -> list[ClockMove]:
    """Return what becomes of a ticket's open clocks by the changes that are to be written, as of now."""
    found = []
    for clock in stored:
        if clock.columns["stopped_at"] is not None:
            continue
        after = None if clock.id in changes.gone else changes.changed.get(clock.id, clock.columns)
        effect = _effect(clock.columns, after, now)
        if effect is not None:
            due_then = None if after is None or effect == ENDS else after["due_at"]
            found.append(_move(number, clock.id, clock.columns, effect, clock.columns["due_at"], due_then))
    for columns, _ in changes.made:
        if columns["stopped_at"] is None:
            effect = BREACHES if _late(columns, now) else BEGINS
            found.append(_move(number, None, columns, effect, None, columns["due_at"]))
    return found


def counted(moves: Sequence[ClockMove]) -> Counter[str]:
    """Return how many clocks move (all that are told), breach, recover, end and begin."""
    counts = Counter(move.effect for move in moves)
    counts[MOVED] = sum(move.effect in (MOVED, BREACHES, RECOVERS) and move.clock is not None for move in moves)
    return counts


def _effect(before: Mapping[str, Any], after: Mapping[str, Any] | None, now: datetime) -> str | None:
    if after is None or after["state"] == CANCELLED:
        return ENDS
    was, will_be = _late(before, now), _late(after, now)
    if was != will_be:
        return BREACHES if will_be else RECOVERS
    return MOVED if before["due_at"] != after["due_at"] else None


def _late(columns: Mapping[str, Any], now: datetime) -> bool:
    return columns["due_at"] is not None and columns["due_at"] < now


def _move(
    number: str, clock: int | None, columns: Mapping[str, Any], effect: str, due_at: datetime | None, due_then: datetime | None
) -> ClockMove:
    return ClockMove(
        ticket_number=number,
        clock=clock,
        metric=columns["metric"],
        item=columns["item"],
        cycle=columns["cycle"],
        effect=effect,
        due_at=due_at,
        due_then=due_then,
    )
