"""
What each action on an item changes, once the table (`work`) allows it.

1. Start: the item is in progress, and so is the ticket.
2. Follow, complete: the item is completed and its person freed. The next step is opened and given in turn, or to whoever had that
   step before; after the last step the task is completed, the ticket resolved, and the workflow's end follows.
3. Return: the item ends as returned, and the step it came from is opened once more for whoever had it.
4. Transfer, assign, take: the item is given by hand to somebody of its role who could be given it in turn.
5. Escalate: the escalation role's members take turns; the item stays in its step.
6. Hold and resume: the item and the ticket go back to what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from baton.pipelines import approvals, notices
from baton.pipelines.asking import (
    Asked,
    Decision,
    change,
    find_colleague,
    freed_by,
    member_of,
    names_of,
    open_step,
    outcome_of,
    standing_of,
)
from baton.pipelines.assignment import Candidate, obstacle
from baton.pipelines.situations import Hold, ItemFacts, Outcome, Way
from baton.pipelines.statuses import (
    IN_PROGRESS,
    ITEM_ESCALATED,
    ITEM_IN_PROGRESS,
    ITEM_ON_HOLD,
    ITEM_TRANSFERRED,
    ON_HOLD,
    RESOLVED,
    TASK_COMPLETED,
    when_assigned,
)
from baton.pipelines.work import (
    ACTIONS,
    CONFLICT,
    COORDINATOR,
    FORBIDDEN,
    INVALID,
    MEMBER,
    Refusal,
    parties_of,
    refuse,
)


def decide_item(asked: Asked, facts: ItemFacts) -> Decision:
    """Return what the action changes, or why it changes nothing."""
    action = asked.action
    way = next((way for way in facts.ways if way.name == asked.transition), None)
    if way is not None and way.who == "anyone":
        action = replace(action, who=(MEMBER,))
    refusal = refuse(action, asked.actor, standing_of(facts), asked.version)
    return refusal or MOVES[action.name](asked, facts)


def start(asked: Asked, facts: ItemFacts) -> Decision:
    """The item is being worked, and so is its ticket."""
    return outcome_of(asked, facts, change(asked, facts, ITEM_IN_PROGRESS, reason=asked.comment), status=IN_PROGRESS)


def follow(asked: Asked, facts: ItemFacts) -> Decision:
    """The named way out is taken."""
    way = next((way for way in facts.ways if way.name == asked.transition), None)
    if way is None:
        return Refusal(INVALID, f"the step has no such way out; it has {names_of(facts.ways)}", "transition")
    return take_way(asked, facts, way)


def complete(asked: Asked, facts: ItemFacts) -> Decision:
    """The only way out is taken."""
    if len(facts.ways) != 1:
        return Refusal(CONFLICT, f"the step has several ways out, follow one: {names_of(facts.ways)}")
    return take_way(asked, facts, facts.ways[0])


def take_way(asked: Asked, facts: ItemFacts, way: Way) -> Decision:
    """The item is completed; the step that the way leads to is opened, or the task ends."""
    if way.who == COORDINATOR and COORDINATOR not in parties_of(asked.actor, standing_of(facts)):
        return Refusal(FORBIDDEN, f"only coordinators may follow {way.name}")
    missing = approvals.missing(facts)
    if missing:
        return Refusal(CONFLICT, f"{missing} of {facts.approvals_needed} approvals are missing")
    return leave(asked, facts, way)


def leave(asked: Asked, facts: ItemFacts, way: Way) -> Outcome:
    """Return the outcome of leaving the step by this way."""
    reason = f"{way.name}: {asked.comment}" if asked.comment else way.name
    done = change(asked, facts, "completed", reason=reason, opens=False)
    ends = way.to_step is None or way.to_role is None
    outcome = replace(outcome_of(asked, facts, done, RESOLVED if ends else IN_PROGRESS), freed=freed_by(facts))
    if way.to_step is None or way.to_role is None:
        return replace(
            outcome,
            task_status=TASK_COMPLETED,
            touches_task=True,
            ends=True,
            notices=notices.about_completion(facts, asked.actor),
        )
    return replace(outcome, opening=open_step(facts, way.to_step, way.to_role, facts.visit.item))


def send_back(asked: Asked, facts: ItemFacts) -> Decision:
    """The item ends as returned; the step it came from is opened for whoever had it."""
    origin = facts.task.find(facts.visit.came_from)
    if origin is None:
        return Refusal(CONFLICT, "it did not come from another step")
    step, role = (origin.counterpart, origin.counterpart_role) if origin.is_former else (origin.step, origin.role)
    if step is None or role is None:
        return Refusal(CONFLICT, "the version that it was moved to does not have the step it came from")
    done = change(asked, facts, "returned", reason=asked.reason, opens=False)
    opening = replace(open_step(facts, step, role, origin.came_from), former=origin.assignee)
    return replace(outcome_of(asked, facts, done, status=IN_PROGRESS), freed=freed_by(facts), opening=opening)


def transfer(asked: Asked, facts: ItemFacts) -> Decision:
    """The item is a colleague's."""
    if asked.to_user == facts.visit.assignee:
        return Refusal(CONFLICT, f"user {asked.to_user} has it already")
    colleague = find_colleague(asked, facts)
    if isinstance(colleague, Refusal):
        return colleague
    state = ITEM_ON_HOLD if facts.visit.state == ITEM_ON_HOLD else ITEM_TRANSFERRED
    given = change(asked, facts, state, assignee=colleague.user_id, reason=asked.reason)
    return replace(
        outcome_of(asked, facts, given),
        freed=freed_by(facts),
        taken=((facts.visit.role, colleague.user_id),),
        notices=notices.about_transfer(facts, asked.actor, colleague.user_id, asked.reason),
    )


def assign(asked: Asked, facts: ItemFacts) -> Decision:
    """The item that nobody had is the person's."""
    colleague = find_colleague(asked, facts)
    return colleague if isinstance(colleague, Refusal) else give(asked, facts, colleague)


def take(asked: Asked, facts: ItemFacts) -> Decision:
    """The item that nobody had is the actor's."""
    member = member_of(facts, asked.actor.id) if asked.actor.kind == "user" else None
    if member is None:
        return Refusal(FORBIDDEN, f"only active members of {facts.role_name} may take it")
    why = obstacle(member, member.open_items, facts.need(), asked.now)
    return Refusal(CONFLICT, f"you cannot be given it: {why}") if why else give(asked, facts, member)


def give(asked: Asked, facts: ItemFacts, member: Candidate) -> Outcome:
    """Return the outcome of giving an item that nobody has to this member of its role."""
    given = change(asked, facts, facts.visit.state, assignee=member.user_id, reason=asked.reason)
    status = when_assigned(facts.task.status)
    told = notices.about_assignment(
        member.user_id,
        ticket_number=facts.task.ticket_number,
        item=facts.visit.item,
        workflow=facts.task.workflow,
        step=facts.step_name,
        role=facts.role_name,
        actor=asked.actor.id,
    )
    return replace(outcome_of(asked, facts, given, status=status), taken=((facts.visit.role, member.user_id),), notices=told)


def escalate(asked: Asked, facts: ItemFacts) -> Decision:
    """The item wants somebody of the escalation role."""
    role = facts.escalation_role
    if role is None:
        return Refusal(CONFLICT, f"the step {facts.step_name} has no escalation role")
    if facts.visit.state == ITEM_ESCALATED or facts.visit.role == role:
        return Refusal(CONFLICT, f"it is with {facts.escalation_role_name} already")
    told = notices.about_escalation(facts, asked.actor, facts.heirs, asked.reason)
    moved = replace(change(asked, facts, ITEM_ESCALATED, assignee=None, reason=asked.reason), role=role)
    return replace(outcome_of(asked, facts, moved), freed=freed_by(facts), assign=facts.visit.item, notices=told)


def hold(asked: Asked, facts: ItemFacts) -> Decision:
    """The item and its ticket are on hold."""
    if asked.resume_at is not None and asked.resume_at <= asked.now:
        return Refusal(INVALID, "must be in the future", "resume_at")
    kept = Hold(
        item=facts.visit.item,
        previous_state=facts.visit.state,
        previous_status=facts.task.status,
        reason=asked.reason,
        resume_at=asked.resume_at,
    )
    held = change(asked, facts, ITEM_ON_HOLD, reason=asked.reason)
    return replace(outcome_of(asked, facts, held, status=ON_HOLD), hold=kept)


def resume(asked: Asked, facts: ItemFacts) -> Decision:
    """The item and its ticket are what they were before."""
    state, status = facts.previous_state or ITEM_IN_PROGRESS, facts.previous_status or IN_PROGRESS
    return outcome_of(asked, facts, change(asked, facts, state, reason=asked.comment or asked.reason), status=status)


def approve(asked: Asked, facts: ItemFacts) -> Decision:
    """The approval counts; the last one needed leaves the step by its only way out."""
    decided = approvals.decide(asked.actor, facts, approvals.APPROVED, asked.comment, asked.now)
    if isinstance(decided, Refusal):
        return decided
    reason = approvals.in_words(decided)
    if approvals.missing(facts) == 1 and len(facts.ways) == 1:
        left = leave(replace(asked, comment=f"approved {reason}"), facts, facts.ways[0])
        return replace(left, action="approve", decided=decided)
    return replace(outcome_of(asked, facts, change(asked, facts, facts.visit.state, reason=reason)), decided=decided)


def reject(asked: Asked, facts: ItemFacts) -> Decision:
    """The rejection is kept, and the item goes back."""
    decided = approvals.decide(asked.actor, facts, approvals.REJECTED, asked.reason, asked.now)
    if isinstance(decided, Refusal):
        return decided
    back = send_back(replace(asked, reason=approvals.in_words(decided)), facts)
    return back if isinstance(back, Refusal) else replace(back, decided=decided)


def note(asked: Asked, facts: ItemFacts) -> Decision:
    """The history says it; nothing else changes."""
    return outcome_of(asked, facts, change(asked, facts, facts.visit.state, reason=asked.comment))


MOVES: dict[str, Callable[[Asked, ItemFacts], Decision]] = {
    "start": start,
    "follow": follow,
    "complete": complete,
    "return": send_back,
    "transfer": transfer,
    "assign": assign,
    "take": take,
    "escalate": escalate,
    "hold": hold,
    "resume": resume,
    "approve": approve,
    "reject": reject,
    "note": note,
}
assert {action.name for action in ACTIONS.values() if action.on == "item"} == set(MOVES)
