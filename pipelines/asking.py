"""An action as it is asked for, and the parts that the outcomes of all actions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from baton.pipelines.assignment import Candidate, obstacle
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import ItemChange, ItemFacts, Opening, Outcome, Way
from baton.pipelines.work import CONFLICT, Action, Refusal, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    An action as it is asked for: by whom (`label` is what the history calls them), when, on which version, with what.
    """

    action: Action
    actor: Principal
    now: datetime
    label: str = ""
    version: int | None = None
    transition: str | None = None
    comment: str = ""
    reason: str = ""
    to_user: str | None = None
    priority: str | None = None
    category: str | None = None
    department: str | None = None
    resume_at: datetime | None = None

    @property
    def by(self) -> str:
        """Who the history says it was."""
        return self.label or self.actor.subject


Decision = Outcome | Refusal


def standing_of(facts: ItemFacts) -> Standing:
    """Return what decides who may act on the item."""
    return Standing(
        state=facts.visit.state,
        version=facts.visit.version,
        assignee=facts.visit.assignee,
        owner=facts.task.owner,
        roles=frozenset({facts.role_name}),
        guests=frozenset(facts.stand_ins),
    )


def find_colleague(asked: Asked, facts: ItemFacts) -> Candidate | Refusal:
    """Return the member of the item's role who shall get it, or why they cannot have it."""
    member = member_of(facts, asked.to_user)
    if member is None:
        return Refusal(CONFLICT, f"user {asked.to_user} is no active member of {facts.role_name}")
    why = obstacle(member, member.open_items, facts.need(), asked.now)
    return Refusal(CONFLICT, f"user {asked.to_user} cannot be given it: {why}") if why else member


_KEEP = "\0keep"


def change(
    asked: Asked, facts: ItemFacts, state: str, *, assignee: str | None = _KEEP, reason: str = "", opens: bool = True
) -> ItemChange:
    """Return the item's change by this action, with its row of history."""
    visit = facts.visit
    return ItemChange(
        item=visit.item,
        state=state,
        assignee=visit.assignee if assignee == _KEEP else assignee,
        role=visit.role,
        event=asked.action.event,
        from_state=visit.state,
        from_user=visit.assignee,
        reason=reason,
        opens=opens,
    )


def outcome_of(asked: Asked, facts: ItemFacts, changed: ItemChange, status: str | None = None) -> Outcome:
    """Return what an action that changes one item changes; a status that the ticket has already is none."""
    return Outcome(
        action=asked.action.name,
        actor=asked.by,
        ticket_number=facts.task.ticket_number,
        through_gateway=facts.task.through_gateway,
        task=facts.task.task,
        item=facts.visit.item,
        changes=(changed,),
        status=None if status == facts.task.status else status,
    )


def open_step(facts: ItemFacts, step: int, role: int, came_from: int | None) -> Opening:
    """Return the opening of a step once more, for whoever had it last."""
    before = facts.task.last_at(step)
    return Opening(
        task=facts.task.task or 0,
        step=step,
        visit=1 if before is None else before.visit + 1,
        role=role,
        former=None if before is None else before.assignee,
        came_from=came_from,
    )


def freed_by(facts: ItemFacts) -> tuple[tuple[int, str], ...]:
    """Return whose open work is one less without this item."""
    return () if facts.visit.assignee is None else ((facts.visit.role, facts.visit.assignee),)


def member_of(facts: ItemFacts, user_id: str | None) -> Candidate | None:
    """Return the member of the item's role."""
    return next((member for member in facts.members if member.user_id == user_id), None)


def names_of(ways: tuple[Way, ...]) -> str:
    """Return the ways' names, to be shown."""
    return ", ".join(repr(way.name) for way in ways) or "none"
