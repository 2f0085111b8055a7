"""
What people are told about their tasks, by the table of `audience`: whom, and why. Nobody is told of what they did themselves.

Each message says which roles see the ticket, so that somebody who has lost theirs by the time it is shown or sent is not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from baton.pipelines.assignment import Candidate
from baton.pipelines.audience import APPROVER, ASSIGNEE, ESCALATED, FORMER_ASSIGNEE, OWNER, audience
from baton.pipelines.notification_messages import NotifyApproval
from baton.pipelines.permissions import Principal
from baton.pipelines.requester_notices import resolution_event
from baton.pipelines.situations import ItemFacts
from baton.pipelines.statuses import RESOLVED
from baton.pipelines.work import COORDINATORS
from baton.pipelines.work_messages import (
    NotifyAssignment,
    NotifyCompletion,
    NotifyEscalation,
    NotifyTransfer,
    TaskNotification,
)

Kind = TypeVar("Kind", bound=TaskNotification)


def about_assignment(
    user_id: str, *, ticket_number: str, item: int, workflow: str, step: str, role: str, actor: str = ""
) -> tuple[NotifyAssignment, ...]:
    """
    Return the news for somebody who was given an item, none when they took it themselves (`actor` is their id).

    `role` is the `system:Role` pair that the item belongs to.
    """
    return tuple(
        NotifyAssignment(
            user_id=person,
            subject=f"{ticket_number}: {step} is yours",
            message=f"You were given the step {step} of {workflow} for ticket {ticket_number}.",
            notification_type="task_assignment",
            related_task_item_id=item,
            related_ticket_number=ticket_number,
            metadata={"workflow_name": workflow, "step_name": step, "reason": reason, "roles": seen_by(role)},
        )
        for person, reason in audience("task_assignment", {ASSIGNEE: [user_id]}, actor=actor).items()
    )


def about_approval(
    approvers: Iterable[str], *, ticket_number: str, item: int, workflow: str, step: str, role: str
) -> tuple[NotifyApproval, ...]:
    """Return the news for those who may approve an item. Announced again for the same item, it tells only who is new."""
    return tuple(
        NotifyApproval(
            user_id=person,
            subject=f"{ticket_number}: {step} waits for your approval",
            message=f"The step {step} of {workflow} for ticket {ticket_number} waits for approval, and you may give it.",
            notification_type="approval_waiting",
            related_task_item_id=item,
            related_ticket_number=ticket_number,
            metadata={
                "workflow_name": workflow,
                "step_name": step,
                "reason": reason,
                "event": f"approval:{item}",
                "roles": seen_by(role),
            },
        )
        for person, reason in audience("approval_waiting", {APPROVER: approvers}).items()
    )


def about_transfer(facts: ItemFacts, actor: Principal, to_user: str, reason: str) -> tuple[TaskNotification, ...]:
    """Return the news for whoever got a transferred item and for whoever had it."""
    number, step = facts.task.ticket_number, facts.step_name
    came = f"The step {step} of ticket {number} was transferred to you. {reason}".strip()
    went = f"The step {step} of ticket {number} was transferred to user {to_user}. {reason}".strip()
    to = {ASSIGNEE: [to_user]}
    away = {FORMER_ASSIGNEE: [facts.visit.assignee]}
    return (
        *_tell(NotifyTransfer, facts, actor, "task_transfer_in", to, f"{number}: {step} is yours", came),
        *_tell(NotifyTransfer, facts, actor, "task_transfer_out", away, f"{number}: {step} is no longer yours", went),
    )


def about_escalation(
    facts: ItemFacts, actor: Principal, heirs: tuple[Candidate, ...], reason: str
) -> tuple[NotifyEscalation, ...]:
    """Return the news for the members of the role that an item was escalated to."""
    number, step = facts.task.ticket_number, facts.step_name
    text = f"The step {step} of ticket {number} was escalated to {facts.escalation_role_name}: {reason}"
    people = {ESCALATED: [heir.user_id for heir in heirs]}
    return _tell(NotifyEscalation, facts, actor, "task_escalation", people, f"{number}: {step} was escalated", text)


def about_completion(facts: ItemFacts, actor: Principal) -> tuple[NotifyCompletion, ...]:
    """Return the news for the owner of a task whose last step is done."""
    number = facts.task.ticket_number
    text = f"The last step of {facts.task.workflow} for ticket {number} is done."
    people = {OWNER: [facts.task.owner]}
    # The event that the requester is told of: an owner who is the requester too is told once, as its owner.
    event = resolution_event(number, f"{RESOLVED}:{facts.visit.item}")
    return _tell(NotifyCompletion, facts, actor, "task_completed", people, f"{number} is completed", text, event)


def seen_by(*roles: str) -> list[str]:
    """Return the `system:Role` pairs whose holders see a ticket that items of these roles belong to."""
    return sorted({*roles, *COORDINATORS})


def _tell(
    kind: type[Kind],
    facts: ItemFacts,
    actor: Principal,
    notification_type: str,
    people: dict[str, list[str]] | dict[str, list[str | None]],
    subject: str,
    text: str,
    event: str = "",
) -> tuple[Kind, ...]:
    system = facts.role_name.partition(":")[0]
    roles = {*facts.task.role_names, facts.role_name, f"{system}:{facts.escalation_role_name}"}
    return tuple(
        kind(
            user_id=person,
            subject=subject,
            message=text,
            notification_type=notification_type,
            related_task_item_id=facts.visit.item,
            related_ticket_number=facts.task.ticket_number,
            metadata={
                "workflow_name": facts.task.workflow,
                "step_name": facts.step_name,
                "reason": reason,
                "roles": seen_by(*roles),
                **({"event": event} if event else {}),
            },
        )
        for person, reason in audience(notification_type, people, actor=actor.id if actor.kind == "user" else "").items()
    )
