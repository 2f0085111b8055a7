"""Rows of the workflow service as the values that its service levels are worked out from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from baton.pipelines.sla.calendars import calendar_from_text
from baton.pipelines.sla_firing import Fired
from baton.pipelines.sla_lives import Item, Life
from baton.pipelines.sla_matching import Match, NameChange, Names, Offered
from baton.pipelines.sla_policy_texts import policy_from_json
from baton.pipelines.sla_tracking import Book, Stored, TicketFacts, attributes, read_names, submitted_at

_NO_COLUMNS = frozenset({"id", "ticket_number", "version", "updated_at", "fired", "pauses"})


def facts_of(rows: Any, number: str) -> TicketFacts:
    """Return a ticket's facts; `rows` are the fact rows of a batch that it is in."""
    ticket = rows.tickets[number]
    data = _object(ticket["ticket_data"])
    changes = rows.changes.get(number, ())
    allocations = rows.allocations.get(number, ())
    life = Life(
        ticket_number=number,
        started_at=submitted_at(data, ticket["received_at"]),
        statuses=[(row["at"], row["value"]) for row in changes if row["field"] == "status"],
        replies=[(row["at"], row["side"]) for row in rows.replies.get(number, ())],
        items=[_item(row, rows.steps.get(row["version"], ())) for row in rows.items.get(number, ())],
    )
    values = {"workflow": allocations[-1]["name"] if allocations else None}
    values |= {name: ticket[name] for name in ("category", "department", "priority")}
    named = [NameChange(row["at"], row["field"], row["before"], row["value"]) for row in changes if row["field"] != "status"]
    return TicketFacts(
        life=life,
        arrived_at=ticket["received_at"],
        names=Names(values, attributes(data, ticket["requester_email"])),
        changes=sorted([*_as_written(named), *_as_written(_workflows(allocations))], key=lambda change: change.at),
        matches=[_match(row) for row in rows.matches.get(number, ())],
    )


def book_of(rows: Any) -> Book:
    """Return the policies and calendars of their rows. A policy whose calendar is not there is not offered."""
    policies = {version: policy_from_json(text) for version, (_, text) in rows.policies.items()}
    policy_of = {version: policy for version, (policy, _) in rows.policies.items()}
    calendars = {version: calendar_from_text(text) for version, text in rows.times.items()}
    calendars |= {version: calendar_from_text(text) for version, text in rows.calendars.values()}
    offered = []
    for row in rows.offered:
        policy = policies[row["version"]] = policy_from_json(row["definition"])
        policy_of[row["version"]] = row["policy"]
        if policy.calendar in rows.calendars:
            offered.append(Offered(row["policy"], row["version"], rows.calendars[policy.calendar][0], policy))
    return Book(offered, policies, calendars, policy_of)


def stored_of(rows: Any, number: str) -> list[Stored]:
    """Return a ticket's clocks as they are stored."""
    return [
        Stored(
            id=row["id"],
            key=(row["metric"], row["item"], row["cycle"]),
            columns={name: value for name, value in row.items() if name not in _NO_COLUMNS},
            fired=[Fired(each["id"], each["kind"], each["level"], each["fired_at"]) for each in row["fired"]],
            pauses=frozenset(row["pauses"]),
        )
        for row in rows.clocks.get(number, ())
    ]


def _item(row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Item:
    ahead = tuple((step["name"], step["sla_share"]) for step in steps if step["position"] > row["position"])
    return Item(row["id"], row["name"], row["sla_share"], row["state"], row["created_at"], row["closed_at"], ahead)


def _match(row: Mapping[str, Any]) -> Match:
    return Match(
        row["number"], row["at"], row["policy_version"], row["calendar_version"], row["mode"], row["reason"],
        names=read_names(row["names"]), decided_by=row["decided_by"], since=row["since"],
    )  # fmt: skip


def _workflows(allocations: Sequence[Mapping[str, Any]]) -> Iterator[NameChange]:
    before = None
    for row in allocations:
        if row["name"] != before:
            yield NameChange(row["decided_at"], "workflow", before, row["name"])
        before = row["name"]


def _as_written(changes: Iterable[NameChange]) -> Iterator[NameChange]:
    """Yield changes in the order in which they were written, none earlier than the one before: transactions may overtake."""
    latest: datetime | None = None
    for change in changes:
        latest = change.at if latest is None else max(latest, change.at)
        yield replace(change, at=latest)


def _object(text: str) -> Mapping[str, Any]:
    data = json.loads(text)
    return data if isinstance(data, dict) else {}
