"""
Acting on items and tasks: load what the decision needs under its locks, decide, store. The front and the commands share it.

Each function runs within the caller's write transaction and returns what changed, or why nothing did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from baton.models.transaction import Transaction, current_trace
from baton.models.workflow import action_facts, allocation_store, assignment_store, sync_store
from baton.models.workflow.action_store import store_outcome
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.allocation import match_workflow, read_deployed, write_rule_book
from baton.pipelines.asking import Asked
from baton.pipelines.assignment import Candidate, is_away
from baton.pipelines.handing_over import decide_handover
from baton.pipelines.handover import find_stand_ins
from baton.pipelines.moves import decide_item
from baton.pipelines.situations import ItemFacts, Outcome, TaskFacts
from baton.pipelines.task_moves import Around, decide_task, open_item
from baton.pipelines.work import UNSEEN, Refusal

#: What each action on an item reads besides the item; `role` locks it, because somebody's open work changes.
READS = {
    "start": (),
    "follow": ("role", "ways"),
    "complete": ("role", "ways"),
    "return": ("role",),
    "transfer": ("members",),
    "assign": ("members",),
    "take": ("members",),
    "escalate": ("role", "heirs"),
    "hold": (),
    "resume": (),
    "approve": ("members", "ways", "stand-ins"),
    "reject": ("members", "stand-ins"),
    "note": (),
}
_UNKNOWN = Refusal(UNSEEN, "there is none")


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was carried out: what it changed, and the item that it opened."""

    outcome: Outcome
    opened: int | None


def act_on_item(tx: Transaction, asked: Asked, item: int, *, notices: bool = False) -> Done | Refusal:
    """Carry the action out on the item."""
    reads = READS[asked.action.name]
    facts = load_item(tx, item, reads, asked)
    return _UNKNOWN if facts is None else _store(tx, decide_item(asked, facts), notices)


def act_on_task(
    tx: Transaction, asked: Asked, ticket_number: str, *, notices: bool = False, preview: bool = False
) -> Done | Refusal:
    """Carry the action out on the ticket's task; `preview`: only say what it would change."""
    if not lock_tickets(tx, [ticket_number]):
        return _UNKNOWN
    values = action_facts.read_task(tx, ticket_number)
    assert values is not None
    facts = TaskFacts.of(values)
    decision = decide_task(asked, facts, _around(tx, asked, facts))
    if preview:
        return decision if isinstance(decision, Refusal) else Done(decision, None)
    return _store(tx, decision, notices)


def hand_over(
    tx: Transaction, asked: Asked, item: int, user_id: str, substitutes: dict[str, str], *, notices: bool = False
) -> Done | Refusal:
    """Hand the person's item over as asked; it must still be theirs."""
    facts = load_item(tx, item, ("members",), asked)
    if facts is None or facts.visit.assignee != user_id:
        return _UNKNOWN
    people = [Candidate(**row) for row in action_facts.read_people(tx, [user_id]).get(user_id, [])]
    present = [person for person in people if person.is_active and not is_away(person, asked.now)]
    person = next(iter(present or people), None)
    return _store(tx, decide_handover(asked, facts, person, substitutes), notices)


def lock_many(tx: Transaction, items: Iterable[int]) -> None:
    """Lock the tickets of these items, then their roles: what acting on each of them locks, in the order all take them in."""
    wanted = list(items)
    lock_tickets(tx, action_facts.tickets_of(tx, wanted).values())
    assignment_store.lock_roles(tx, action_facts.roles_of_items(tx, wanted))


def load_item(tx: Transaction, item: int, reads: Iterable[str], asked: Asked) -> ItemFacts | None:
    """Return what a decision about the item is made from, its ticket locked, or None when there is no such item."""
    values = action_facts.read_item(tx, item, reads)
    if values is None:
        return None
    is_member = any(member["user_id"] == asked.actor.id for member in values.get("members", ()))
    if "stand-ins" in reads and values["approvals_needed"] and not is_member:
        values["stand_ins"] = _stand_ins(tx, values["visit"]["role"], asked)
    return ItemFacts.of(values)


def _stand_ins(tx: Transaction, role: int, asked: Asked) -> dict[str, Candidate]:
    """Return who may decide in the place of which absent member of the role."""
    noted = [Candidate(**row) for row in action_facts.read_absent(tx, role)]
    absent = {member.user_id: member for member in noted if is_away(member, asked.now)}
    if not absent:
        return {}
    substitutes = action_facts.read_substitutes(tx, absent)
    people = action_facts.read_people(tx, substitutes.values())

    def is_present(user_id: str) -> bool:
        rows = [Candidate(**row) for row in people.get(user_id, [])]
        return any(row.is_active and not is_away(row, asked.now) for row in rows)

    return find_stand_ins(absent, substitutes, is_present)


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
        return Around(coordinators=[Candidate(**row) for row in action_facts.read_candidates(tx, role)])
    return Around()


def _store(tx: Transaction, decision: Outcome | Refusal, notices: bool) -> Done | Refusal:
    if isinstance(decision, Refusal):
        return decision
    return Done(decision, store_outcome(tx, decision, request=current_trace.get(), notices=notices))
