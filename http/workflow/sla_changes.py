"""
Changes of policies and calendars under running tickets: tried out, carried out in batches, watched, taken back.

One change runs at a time: what a second one would find depends on how far the first has come.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from baton.http.api import Call, Conflict, Invalid, NotFound, Page, page
from baton.http.workflow.definition_views import FaultView
from baton.http.workflow.sla_change_views import (
    ChangeBody,
    ChangeQuery,
    ChangeView,
    CountsView,
    MoveView,
    PreviewBody,
    PreviewView,
    ProposalBody,
)
from baton.http.workflow.sla_levels import surroundings
from baton.models.workflow import SlaChange, sla_change_store, sla_reading
from baton.models.workflow import sla_editing_reading as reading
from baton.models.workflow.sla_editing_reading import CALENDARS, POLICIES, Kind
from baton.models.workflow.sla_facts import read_book, read_facts
from baton.models.workflow.sla_policy_store import retire_policy, store_calendar, store_policy
from baton.pipelines.messages import ApplySlaChange
from baton.pipelines.sla_changing import (
    APPLY,
    BEGINS,
    BREACHES,
    ENDS,
    MOVED,
    RECOVERS,
    RUNNING,
    UNDO,
    UNDONE,
    ClockMove,
    Proposal,
    altered,
    concerned,
    counted,
    decided_by,
    matches_of_change,
    moves_of,
)
from baton.pipelines.sla_editing import errors_of, judge_calendar, judge_policy
from baton.pipelines.sla_policy_texts import PolicyError, policy_of
from baton.pipelines.sla_rows import book_of, facts_of, stored_of
from baton.pipelines.sla_tracking import changes_of, new_matches
from baton.pipelines.validation import Fault

_PREVIEWED = decided_by(0)


def preview(call: Call, body: PreviewBody) -> PreviewView:
    """What the proposal would do to the next open tickets, as of now. Nothing is changed."""
    proposal, faults = _judged(body)
    numbers = sla_change_store.open_tickets(body.after or "", body.limit)
    seen, moves = _try(call, proposal, numbers)
    counts = Counter[str]()
    for each in moves:
        counts.update(counted(each))
    return PreviewView(
        as_of=call.now,
        tickets=sla_change_store.count_open(),
        seen=len(numbers),
        concerned=seen,
        counts=CountsView(
            moved=counts[MOVED],
            breaches=counts[BREACHES],
            recovers=counts[RECOVERS],
            ends=counts[ENDS],
            begins=counts[BEGINS],
        ),
        items=[_move(move) for each in moves for move in each],
        faults=[FaultView(**asdict(fault)) for fault in faults],
        next=numbers[-1] if len(numbers) == body.limit else None,
    )


def change(call: Call, body: ChangeBody) -> ChangeView:
    """The proposal is in force for new tickets at once, and comes to those that run in batches from now on."""
    reading.hold_levels(call.tx)
    _refuse_second()
    proposal, _ = _judged(body)
    rows = altered(sla_reading.current_book(), proposal)
    policies = [policy for policy in concerned(rows, proposal) if policy > 0]
    calendars = [row["id"] for name in proposal.calendars if (row := reading.find_named(CALENDARS, name)) is not None]
    before = sla_change_store.current_versions({"policies": policies, "calendars": calendars})
    _store(call, proposal)
    made = {
        "policies": [*policies, *_ids(POLICIES, proposal.policies)],
        "calendars": [*calendars, *_ids(CALENDARS, proposal.calendars)],
    }
    after = sla_change_store.current_versions(made)
    for kind, versions in after.items():
        before[kind] |= dict.fromkeys(versions.keys() - before[kind].keys())
    return _begin(call, APPLY, before, after, body.reason)


def undo(call: Call) -> ChangeView:
    """What was in force before the change is so again, and comes back to the tickets in batches."""
    reading.hold_levels(call.tx)
    _refuse_second()
    row = _found(call)
    if row.kind != APPLY or row.state == UNDONE:
        raise Conflict(f"change {row.id} cannot be undone: it " + ("was already" if row.state == UNDONE else "is an undoing"))
    before, after = _versions(row.before), _versions(row.after)
    now = sla_change_store.current_versions({kind: list(versions) for kind, versions in after.items()})
    if now != after:
        raise Conflict(f"what change {row.id} brought was changed again since then; undo that first, or make another change")
    sla_change_store.put_versions(call.tx, before)
    return _begin(call, UNDO, after, before, f"undoes change {row.id}", row.id)


def resume(call: Call) -> ChangeView:
    """A running change whose message was given up goes on where it was; otherwise nothing happens twice."""
    row = _found(call)
    if row.state != RUNNING:
        raise Conflict(f"change {row.id} is {row.state}")
    call.tx.announce(ApplySlaChange(change_id=row.id, after=row.cursor))
    return show(row)


def list_changes(call: Call, query: ChangeQuery) -> Page[ChangeView]:
    """Changes, newest first."""
    found = SlaChange.select()
    if query.state is not None:
        found = found.where(SlaChange.state == query.state)
    return page(found, key=SlaChange.id, cursor=query.cursor, limit=query.limit, descending=True, view=show)


def read_change(call: Call) -> ChangeView:
    """A change and how far it has come."""
    return show(_found(call))


def show(row: SlaChange) -> ChangeView:
    """Return a change as it is shown."""
    plain = {name: getattr(row, name) for name in ChangeView.model_fields if name not in ("before", "after")}
    return ChangeView(**plain, before=json.loads(row.before), after=json.loads(row.after))


def _try(call: Call, proposal: Proposal, numbers: list[str]) -> tuple[int, list[list[ClockMove]]]:
    """Return how many of these tickets the proposal concerns, and what becomes of the clocks of each."""
    rows = read_facts(None, numbers)
    held = read_book(rows)
    book, proposed = book_of(held), altered(held, proposal)
    policies, then, now = concerned(proposed, proposal), book_of(proposed), call.now
    # Versions that the proposal replaces are pinned by tickets; the book of then knows them as pinned, and what is new besides.
    then = replace(then, policies={**book.policies, **then.policies}, calendars={**book.calendars, **then.calendars})
    moves, touched = [], 0
    for number in rows.tickets:
        facts, stored = facts_of(rows, number), stored_of(rows, number)
        made = new_matches(facts, book)
        decided = matches_of_change(facts, [*facts.matches, *made], then, policies, now, _PREVIEWED)
        if decided:
            touched += 1
            moves.append(moves_of(number, stored, changes_of(facts, [*made, *decided], then, stored), now))
    return touched, moves


def _judged(body: ProposalBody) -> tuple[Proposal, list[Fault]]:
    """Return the proposal of a body and what its author should know; raises Invalid with every error."""
    around = surroundings()
    calendars = {each.name: each.definition for each in body.calendars}
    wrong: list[dict[str, str]] = []
    for place, each in enumerate(body.calendars):
        wrong += errors_of(judge_calendar(each.definition), f"calendars.{place}.definition")
    in_force = {policy.name for policy in around.policies}
    wrong += [
        {"field": f"retire.{place}", "message": f"there is no policy {name!r} in force", "type": "policy-unknown"}
        for place, name in enumerate(body.retire)
        if name not in in_force
    ]
    proposed = [policy for document in body.policies if (policy := _readable(document)) is not None]
    replaced = {policy.name for policy in proposed} | set(body.retire)
    others = [*(policy for policy in around.policies if policy.name not in replaced), *proposed]
    around = replace(around, policies=others, calendars=around.calendars | calendars.keys())
    faults = []
    for place, document in enumerate(body.policies):
        judged = judge_policy(document, around)
        wrong += errors_of(judged, f"policies.{place}")
        faults += judged
    names = [policy.name for policy in proposed]
    if len({*names, *body.retire}) < len(names) + len(body.retire) or len(calendars) < len(body.calendars):
        wrong.append({"field": "", "message": "each policy and each calendar can be named once", "type": "named_twice"})
    if not (body.policies or body.calendars or body.retire):
        wrong.append({"field": "", "message": "name a policy or a calendar to change, or a policy to retire", "type": "missing"})
    if wrong:
        raise Invalid(wrong)
    policies = {document["name"]: document for document in body.policies}
    return Proposal(policies=policies, calendars=calendars, retired=frozenset(body.retire)), faults


def _readable(document: Mapping[str, Any]) -> Any:
    try:
        return policy_of(document)
    except PolicyError:
        return None


def _store(call: Call, proposal: Proposal) -> None:
    by = call.principal.subject
    for kind, store, documents in (
        (CALENDARS, store_calendar, proposal.calendars),
        (POLICIES, store_policy, proposal.policies),
    ):
        known = reading.definitions(kind)
        for name, document in sorted(documents.items()):
            if name not in known or json.loads(known[name]) != document:
                store(call.tx, name, document, by)
    for name in sorted(proposal.retired):
        retire_policy(call.tx, name)


def _ids(kind: Kind, names: Mapping[str, Any]) -> list[int]:
    return [row["id"] for name in names if (row := reading.find_named(kind, name)) is not None]


def _begin(call: Call, kind: str, before: Any, after: Any, reason: str, undoes: int | None = None) -> ChangeView:
    made = sla_change_store.store_change(call.tx, kind, before, after, call.principal.subject, reason, undoes)
    call.tx.announce(ApplySlaChange(change_id=made.id))
    return show(SlaChange.get_by_id(made.id))


def _refuse_second() -> None:
    other = sla_change_store.running()
    if other is not None:
        raise Conflict(f"change {other.id} is still being brought to tickets; wait until it is done", change=other.id)


def _found(call: Call) -> SlaChange:
    number = call.integer("change_id")
    found: SlaChange | None = SlaChange.get_or_none(SlaChange.id == number)
    if found is None:
        raise NotFound(f"there is no change {number}")
    return found


def _versions(text: str) -> dict[str, dict[int, int | None]]:
    return {kind: {int(key): version for key, version in found.items()} for kind, found in json.loads(text).items()}


def _move(move: ClockMove) -> MoveView:
    return MoveView(
        id=move.clock,
        ticket_number=move.ticket_number,
        metric=move.metric,
        item=move.item or None,
        cycle=move.cycle,
        effect=move.effect,
        due_at=move.due_at,
        due_then=move.due_then,
    )
