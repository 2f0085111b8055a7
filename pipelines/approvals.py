"""
Approvals: a step may ask for n of its role to approve before it is left forwards.

1. Members of the item's role decide. For a member who is away, the end of their chain of substitutes may: both names are kept.
2. Nobody approves their own request: not the requester of the ticket, not whoever had the step before or approved there, and
   nobody in the place of one of these.
3. Everybody counts once per visit, and so does everybody who is stood for. Another visit of the step starts without approvals:
   earlier ones never count for it, and a rejection stays one.
4. The n-th approval leaves the step by its only way out; of several ways one is then followed by hand.
5. A rejection sends back.
"""

from __future__ import annotations

from datetime import datetime

from baton.pipelines.assignment import Candidate, is_requester
from baton.pipelines.intake import comparable
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import Decided, ItemFacts
from baton.pipelines.work import CONFLICT, FORBIDDEN, Refusal

APPROVED, REJECTED = "approved", "rejected"


def missing(facts: ItemFacts) -> int:
    """Return how many approvals the item still lacks."""
    return max(0, facts.approvals_needed - len(facts.approvals))


def decide(actor: Principal, facts: ItemFacts, decision: str, comment: str, now: datetime) -> Decided | Refusal:
    """Return the decision that is kept, or why this person may not decide."""
    if not facts.approvals_needed:
        return Refusal(CONFLICT, f"the step {facts.step_name} asks for no approval")
    voter = find_voter(actor, facts)
    if voter is None:
        return Refusal(FORBIDDEN, f"only members of {facts.role_name}, or substitutes of absent ones, decide here")
    if own_request(actor, voter, facts):
        return Refusal(FORBIDDEN, "nobody decides on their own request")
    if any(given.user_id == actor.id or given.stands_for == voter.user_id for given in facts.approvals):
        return Refusal(CONFLICT, f"user {voter.user_id} has decided already")
    return Decided(
        item=facts.visit.item,
        user_id=actor.id,
        name=actor.name,
        stands_for=voter.user_id,
        stands_for_name=voter.name,
        decision=decision,
        comment=comment,
    )


def find_voter(actor: Principal, facts: ItemFacts) -> Candidate | None:
    """Return the member who decides: the actor, or the absent one they stand for."""
    if actor.kind != "user":
        return None
    own = next((member for member in facts.members if member.user_id == actor.id), None)
    return own or facts.stand_ins.get(actor.id)


def own_request(actor: Principal, voter: Candidate, facts: ItemFacts) -> bool:
    """Return whether the actor, or whom they stand for, asked for what is decided."""
    requester = facts.task.requester_user_id, facts.task.requester_email
    person = Candidate(id=0, user_id=actor.id, email=comparable(actor.email))
    asked = is_requester(person, *requester) or is_requester(voter, *requester)
    return asked or not facts.excluded.isdisjoint({actor.id, voter.user_id})


def in_words(decided: Decided) -> str:
    """Return who decided, in whose place, and what they said, for the history."""
    who = f"by {decided.name or 'user'} ({decided.user_id})"
    if decided.stands_for != decided.user_id:
        who += f" for {decided.stands_for_name or 'user'} ({decided.stands_for})"
    return f"{who}: {decided.comment}" if decided.comment else who
