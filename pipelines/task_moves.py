"""
What each action on a task changes, once the table (`work`) allows it.

1. Reopen: the rule is the one for requesters (`requests`). The last step is opened once more for whoever had it; a ticket that
   was withdrawn before it had a task is allocated like a new one.
2. Cancel: whatever is open is cancelled and its person freed; nothing reopens a cancelled ticket.
3. Priority: noted on the ticket and in the open item's history.
4. Reclassify: category and department are noted. Another workflow that matches them now takes the task over: the open item is
   cancelled and the first step of that workflow's deployed version opened. None that matches: nothing changes. A ticket in triage
   is matched again. Still the same workflow: the task keeps its version.
5. Close: a resolved ticket is closed; its task stays completed.
6. Owner: an active coordinator who is present and not the requester; that uses no turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from baton.pipelines.allocation import Allocated, Parked, normalise
from baton.pipelines.asking import Asked
from baton.pipelines.assignment import OWNER, Candidate, Need, obstacle
from baton.pipelines.requests import APPLIED, decide_reopening
from baton.pipelines.situations import ItemChange, Opening, Outcome, TaskFacts, Visit
from baton.pipelines.statuses import (
    CANCELLED,
    CLOSED,
    FINAL_ITEM_STATES,
    IN_TRIAGE,
    ITEM_CANCELLED,
    NEW,
    PENDING,
    RESOLVED,
    TASK_CANCELLED,
    TASK_OPEN,
    TASK_WITHDRAWN,
    WITHDRAWN,
)
from baton.pipelines.work import ACTIONS, CONFLICT, INVALID, TRIAGE, Refusal, Standing, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a task action reads besides the task: the workflow that matches the new names, and who may own tasks."""

    matched: Allocated | Parked | None = None
    coordinators: Sequence[Candidate] = ()


def task_state(facts: TaskFacts) -> str:
    """Return the state that the table knows: the task's own, or what a ticket without one is."""
    if facts.task_status is not None:
        return facts.task_status
    return {IN_TRIAGE: TRIAGE, WITHDRAWN: TASK_WITHDRAWN}.get(facts.status, facts.status)


def standing_of_task(facts: TaskFacts) -> Standing:
    """Return what decides who may act on the task."""
    return Standing(
        state=task_state(facts),
        version=facts.task_version,
        owner=facts.owner,
        roles=facts.role_names,
        guests=frozenset(visit.assignee for visit in facts.trail if visit.assignee is not None),
    )


def decide_task(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """Return what the action changes, or why it changes nothing."""
    refusal = refuse(asked.action, asked.actor, standing_of_task(facts), asked.version)
    return refusal or TASK_MOVES[asked.action.name](asked, facts, around)


def reopen(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """The last step is open once more."""
    verdict = decide_reopening(facts.status, None, None)
    if verdict.outcome != APPLIED:
        return Refusal(CONFLICT, verdict.why)
    last = facts.last
    if last is None:
        return replace(_outcome(asked, facts), status=NEW, allocate=True)
    opening = Opening(
        task=facts.task or 0,
        step=last.step,
        visit=last.visit + 1,
        role=last.role,
        former=last.assignee,
        came_from=last.came_from,
        event=asked.action.event,
        from_state=last.state,
        reason=asked.reason,
    )
    return replace(
        _outcome(asked, facts),
        opening=opening,
        status=PENDING,
        task_status=TASK_OPEN,
        owner_need=(facts.requester_user_id, facts.requester_email) if facts.owner is None else None,
    )


def cancel(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """Nothing of it is open any more."""
    return replace(
        _outcome(asked, facts),
        status=CANCELLED,
        task_status=TASK_CANCELLED,
        changes=_cancelled(facts, asked.action.event, asked.reason),
        freed=_freed(facts),
    )


def close(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """The resolved ticket is closed."""
    if facts.status != RESOLVED:
        return Refusal(CONFLICT, f"it is {facts.status}; only a resolved ticket is closed")
    last = facts.last
    changes = () if last is None else (_change(last, last.state, asked.action.event, asked.comment, opens=True),)
    return replace(_outcome(asked, facts), status=CLOSED, changes=changes)


def set_priority(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """The ticket has the priority."""
    if asked.priority == facts.priority:
        return Refusal(CONFLICT, f"its priority is {facts.priority} already")
    note = _because(f"{facts.priority} to {asked.priority}", asked.reason)
    changed = replace(_outcome(asked, facts), ticket_changes={"priority": asked.priority}, note=note)
    return replace(changed, changes=_noted(facts, asked.action.event, note))


def reclassify(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """The ticket has the names, and the workflow that they lead to."""
    category, department = asked.category or facts.category, asked.department or facts.department
    if asked.category is None and asked.department is None:
        return Refusal(INVALID, "name a category, a department, or both", "category")
    if (category, department) == (facts.category, facts.department):
        return Refusal(CONFLICT, f"it is {category}, {department} already")
    note = _because(f"{facts.category}, {facts.department} to {category}, {department}", asked.reason)
    names: dict[str, str | None] = {"category": category, "department": department}
    changed = replace(_outcome(asked, facts), ticket_changes=names, note=note)
    if facts.task is None:
        return replace(changed, triage_keys=(normalise(category), normalise(department)), allocate=True)
    if not isinstance(around.matched, Allocated):
        why = around.matched.reason if around.matched else "no workflow matches"
        return Refusal(CONFLICT, f"{why}; it stays in {facts.workflow}")
    if around.matched.workflow.workflow_id == facts.workflow_id:
        return replace(changed, changes=_noted(facts, asked.action.event, note))
    return _move(asked, facts, changed, around.matched)


def set_owner(asked: Asked, facts: TaskFacts, around: Around) -> Outcome | Refusal:
    """The task is the coordinator's."""
    if asked.to_user == facts.owner:
        return Refusal(CONFLICT, f"user {facts.owner} owns it already")
    member = next((each for each in around.coordinators if each.user_id == asked.to_user), None)
    if member is None:
        return Refusal(CONFLICT, f"user {asked.to_user} is no active coordinator")
    need = Need(
        kind=OWNER,
        subject_id=facts.task or 0,
        ticket_number=facts.ticket_number,
        role=0,
        task=facts.task or 0,
        requester_user_id=facts.requester_user_id,
        requester_email=facts.requester_email,
    )
    why = obstacle(member, 0, need, asked.now)
    if why:
        return Refusal(CONFLICT, f"user {asked.to_user} cannot own it: {why}")
    note = _because(f"user {facts.owner} to user {member.user_id}", asked.reason)
    changed = replace(_outcome(asked, facts), owner=member.user_id, note=note)
    return replace(changed, changes=_noted(facts, asked.action.event, note))


def _move(asked: Asked, facts: TaskFacts, changed: Outcome, matched: Allocated) -> Outcome:
    workflow = matched.workflow
    before = facts.last_at(workflow.first_step)
    opening = Opening(
        task=facts.task or 0,
        step=workflow.first_step,
        visit=1 if before is None else before.visit + 1,
        role=workflow.first_role,
        former=None if before is None else before.assignee,
    )
    reason = f"{changed.note}; goes on in {workflow.name} version {workflow.version_number}"
    return replace(
        changed,
        note=reason,
        changes=_cancelled(facts, asked.action.event, reason),
        freed=_freed(facts),
        opening=opening,
        workflow_version=workflow.version_id,
        allocated=matched,
        status=None if facts.status == PENDING else PENDING,
    )


def open_item(facts: TaskFacts) -> Visit | None:
    """Return the one item of the task that is not finished."""
    return next((visit for visit in reversed(facts.trail) if visit.state not in FINAL_ITEM_STATES), None)


def _outcome(asked: Asked, facts: TaskFacts) -> Outcome:
    return Outcome(
        action=asked.action.name,
        actor=asked.by,
        ticket_number=facts.ticket_number,
        through_gateway=facts.through_gateway,
        task=facts.task,
        touches_task=True,
        note=asked.reason,
    )


def _noted(facts: TaskFacts, event: str, reason: str) -> tuple[ItemChange, ...]:
    item = open_item(facts)
    return () if item is None else (_change(item, item.state, event, reason, opens=True),)


def _cancelled(facts: TaskFacts, event: str, reason: str) -> tuple[ItemChange, ...]:
    item = open_item(facts)
    return () if item is None else (_change(item, ITEM_CANCELLED, event, reason, opens=False),)


def _change(item: Visit, state: str, event: str, reason: str, *, opens: bool) -> ItemChange:
    return ItemChange(
        item=item.item,
        state=state,
        assignee=item.assignee,
        role=item.role,
        event=event,
        from_state=item.state,
        from_user=item.assignee,
        reason=reason,
        opens=opens,
    )


def _freed(facts: TaskFacts) -> tuple[tuple[int, str], ...]:
    item = open_item(facts)
    return () if item is None or item.assignee is None else ((item.role, item.assignee),)


def _because(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what


TASK_MOVES: dict[str, Callable[[Asked, TaskFacts, Around], Outcome | Refusal]] = {
    "reopen": reopen,
    "close": close,
    "cancel": cancel,
    "priority": set_priority,
    "reclassify": reclassify,
    "owner": set_owner,
}
assert {action.name for action in ACTIONS.values() if action.on == "task"} == set(TASK_MOVES)
