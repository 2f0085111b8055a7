"""What handing an open item over changes; who gets it is decided in `handover`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from baton.pipelines import notices
from baton.pipelines.asking import Asked, change, freed_by, outcome_of, standing_of
from baton.pipelines.assignment import Candidate, is_away, obstacle
from baton.pipelines.handover import find_heir
from baton.pipelines.situations import ItemFacts, Outcome
from baton.pipelines.work import CONFLICT, Refusal, refuse


def offer(facts: ItemFacts, substitutes: Mapping[str, str], asked: Asked) -> tuple[Candidate | None, str]:
    """Return who would get the item from its assignee, and why, or why nobody would."""
    members = {member.user_id: member for member in facts.members}
    need = facts.need()
    return find_heir(
        facts.visit.assignee or "", substitutes, members, lambda each: obstacle(each, each.open_items, need, asked.now)
    )


def decide_handover(
    asked: Asked, facts: ItemFacts, person: Candidate | None, substitutes: Mapping[str, str]
) -> Outcome | Refusal:
    """Return what handing the item over changes, or why it stays; `person` is its assignee in the item's role, if still there."""
    refusal = refuse(asked.action, asked.actor, standing_of(facts), asked.version)
    if refusal:
        return refusal
    if asked.action.name == "rotation":
        return to_rotation(asked, facts, person)
    heir, why = offer(facts, substitutes, asked)
    return to_substitute(asked, facts, heir, why) if heir is not None else Refusal(CONFLICT, why)


def to_substitute(asked: Asked, facts: ItemFacts, heir: Candidate, why: str) -> Outcome:
    """The item is the substitute's, in the state it was in."""
    given = change(asked, facts, facts.visit.state, assignee=heir.user_id, reason=why)
    return replace(
        outcome_of(asked, facts, given),
        freed=freed_by(facts),
        taken=((facts.visit.role, heir.user_id),),
        notices=notices.about_transfer(facts, asked.actor, heir.user_id, why),
    )


def to_rotation(asked: Asked, facts: ItemFacts, person: Candidate | None) -> Outcome | Refusal:
    """The item wants the next in turn."""
    if person is not None and person.is_active and not is_away(person, asked.now):
        return Refusal(CONFLICT, f"user {person.user_id} is not away, and could be given it again")
    back = change(asked, facts, facts.visit.state, assignee=None, reason="back to the rotation")
    return replace(outcome_of(asked, facts, back), freed=freed_by(facts), assign=facts.visit.item)
