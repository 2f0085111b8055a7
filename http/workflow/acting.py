"""
Acting on items and tasks: load what the decision needs under its locks, decide, store. The front and the commands share it.

Each function runs within the caller's write transaction and returns what changed, or why nothing did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.models.transaction import Transaction, current_trace
from baton.models.workflow import action_facts, action_people, allocation_store, assignment_store, sync_store
from baton.models.workflow.action_store import store_outcomes
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.acting_together import UNKNOWN, decide_together
from baton.pipelines.allocation import match_workflow, read_deployed, write_rule_book
from baton.pipelines.asking import Asked
from baton.pipelines.assignment import Candidate, is_away
from baton.pipelines.following import about_changes
from baton.pipelines.handing_over import decide_handover
from baton.pipelines.handover import find_stand_ins
from baton.pipelines.moves import decide_item
from baton.pipelines.situations import ItemFacts, Outcome, TaskFacts
from baton.pipelines.task_moves import Around, decide_task, open_item
from baton.pipelines.work import Refusal

#: What each action on an item reads besides the item; `role` locks it, because somebody's open work changes.
READS = {
    "start": (),
    "follow": ("role", "ways"),
    "complete": ("role", "ways"),
    "return": ("role", "origins"),
    "transfer": ("members",),
    "assign": ("members",),
    "take": ("members",),
    "escalate": ("role", "heirs"),
    "hold": (),
    "resume": (),
    "approve": ("members", "ways", "stand-ins"),
    "reject": ("members", "stand-ins", "origins"),
    "note": (),
}


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out: what it changed, and the item that it opened."""

    outcome: Outcome
    opened: int | None


def act_on_items(tx: Transaction, asked: Mapping[int, Asked], *, notices: bool = False) -> list[Done | Refusal]:
    """
    Carry one action out on each of these items, in their order; return what became of each.

    What is refused leaves the others as they are. The number of statements does not depend on how many items there are.
    """
    first = next(iter(asked.values()))
    facts = load_items(tx, asked, READS[first.action.name], first)
    return _store(tx, decide_together([(each, facts.get(item)) for item, each in asked.items()], decide_item), notices)


def act_on_item(tx: Transaction, asked: Asked, item: int, *, notices: bool = False) -> Done | Refusal:
    """Carry the action out on the item."""
    return act_on_items(tx, {item: asked}, notices=notices)[0]


def act_on_task(
    tx: Transaction, asked: Asked, ticket_number: str, *, notices: bool = False, preview: bool = False
) -> Done | Refusal:
    """Carry the action out on the ticket's task; `preview`: only say what it would change."""
    if not lock_tickets(tx, [ticket_number]):
        return UNKNOWN
    values = action_facts.read_task(tx, ticket_number)
    assert values is not None
    facts = TaskFacts.of(values)
    decision = decide_task(asked, facts, _around(tx, asked, facts))
    if preview:
        return decision if isinstance(decision, Refusal) else Done(decision, None)
    return _store(tx, [decision], notices)[0]


def hand_over(
    tx: Transaction, asked: Asked, items: Sequence[int], user_id: str, substitutes: dict[str, str], *, notices: bool = False
) -> list[Done | Refusal]:
    """Hand the person's items over as asked, in their order; what is no longer theirs is unknown."""
    facts = load_items(tx, items, ("members",), asked)
    people = [Candidate(**row) for row in action_people.read_people(tx, [user_id]).get(user_id, [])]
    present = [person for person in people if person.is_active and not is_away(person, asked.now)]
    person = next(iter(present or people), None)

    def decide(asked: Asked, facts: ItemFacts) -> Outcome | Refusal:
        return UNKNOWN if facts.visit.assignee != user_id else decide_handover(asked, facts, person, substitutes)

    return _store(tx, decide_together([(asked, facts.get(item)) for item in items], decide), notices)


def load_items(tx: Transaction, items: Iterable[int], reads: Iterable[str], asked: Asked) -> dict[int, ItemFacts]:
    """Return what decisions about these items are made from, by item, their tickets locked; unknown items are left out."""
    found = action_facts.read_items(tx, items, reads)
    if "stand-ins" in reads:
        _add_stand_ins(tx, [values for values in found.values() if values["approvals_needed"]], asked)
    return {item: ItemFacts.of(values) for item, values in found.items()}


def _add_stand_ins(tx: Transaction, approving: Sequence[dict[str, Any]], asked: Asked) -> None:
    """Note, where the actor is no member of the role, who may decide in the place of which absent member."""
    theirs = [values for values in approving if all(member["user_id"] != asked.actor.id for member in values.get("members", ()))]
    noted = action_people.read_absent(tx, {values["visit"]["role"] for values in theirs}) if theirs else {}
    absent = {
        role: {member.user_id: member for member in (Candidate(**row) for row in rows) if is_away(member, asked.now)}
        for role, rows in noted.items()
    }
    if not any(absent.values()):
        return
    substitutes = action_people.read_substitutes(tx, {user_id for members in absent.values() for user_id in members})
    people = action_people.read_people(tx, substitutes.values())

    def is_present(user_id: str) -> bool:
        rows = [Candidate(**row) for row in people.get(user_id, [])]
        return any(row.is_active and not is_away(row, asked.now) for row in rows)

    stand_ins = {role: find_stand_ins(members, substitutes, is_present) for role, members in absent.items()}
    for values in theirs:
        values["stand_ins"] = stand_ins.get(values["visit"]["role"], {})


def _around(tx: Transaction, asked: Asked, facts: TaskFacts) -> Around:
    """Load what a task action needs besides the task, and lock the roles in which somebody's open work changes."""
    item = open_item(facts)
    name = asked.action.name
    if name == "reclassify":
        allocation_store.hold_deployments(tx)
    if item is not None and name in ("cancel", "reclassify"):
        assignment_store.lock_roles(tx, [item.role])
    if name == "reclassify":
        book = write_rule_book(read_deployed(allocation_store.read_deployed(tx)))
        names = asked.category or facts.category, asked.department or facts.department
        return Around(matched=match_workflow(*names, book))
    if name == "owner":
        role = sync_store.find_owner_role(tx)
        assignment_store.lock_roles(tx, [role])
        return Around(coordinators=[Candidate(**row) for row in assignment_store.read_members(tx, [role]).get(role, [])])
    return Around()


def _store(tx: Transaction, decisions: Sequence[Outcome | Refusal], notices: bool) -> list[Done | Refusal]:
    outcomes = [decision for decision in decisions if isinstance(decision, Outcome)]
    # What opens a step, or wants somebody for one, leaves it to the assignment to say so, once it is somebody's or waits.
    news = about_changes(each.ticket_number for each in outcomes if each.opening is None and each.assign is None)
    opened = iter(store_outcomes(tx, outcomes, news, request=current_trace.get(), notices=notices))
    return [decision if isinstance(decision, Refusal) else Done(decision, next(opened)) for decision in decisions]
