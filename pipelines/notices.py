"""What people are told about their tasks (contracts, section 5). Nobody is told of what they did themselves."""

from __future__ import annotations

from baton.pipelines.assignment import Candidate
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import ItemFacts
from baton.pipelines.work_messages import (
    NotifyAssignment,
    NotifyCompletion,
    NotifyEscalation,
    NotifyTransfer,
    TaskNotification,
)


def about_assignment(
    user_id: str, *, ticket_number: str, item: int, workflow: str, step: str, actor: str = ""
) -> tuple[NotifyAssignment, ...]:
    """Return the news for somebody who was given an item, none when they took it themselves (`actor` is their id)."""
    if user_id == actor:
        return ()
    return (
        NotifyAssignment(
            user_id=user_id,
            subject=f"{ticket_number}: {step} is yours",
            message=f"You were given the step {step} of {workflow} for ticket {ticket_number}.",
            notification_type="task_assignment",
            related_task_item_id=item,
            related_ticket_number=ticket_number,
            metadata={"workflow_name": workflow, "step_name": step},
        ),
    )


def about_transfer(facts: ItemFacts, actor: Principal, to_user: str, reason: str) -> tuple[TaskNotification, ...]:
    """Return the news for whoever got a transferred item and for whoever had it."""
    number, former = facts.task.ticket_number, facts.visit.assignee
    told: list[TaskNotification] = []
    if to_user != actor.id:
        text = f"The step {facts.step_name} of ticket {number} was transferred to you. {reason}".strip()
        told.append(_transfer(facts, to_user, "task_transfer_in", f"{number}: {facts.step_name} is yours", text))
    if former is not None and former != actor.id:
        text = f"The step {facts.step_name} of ticket {number} was transferred to user {to_user}. {reason}".strip()
        told.append(_transfer(facts, former, "task_transfer_out", f"{number}: {facts.step_name} is no longer yours", text))
    return tuple(told)


def about_escalation(
    facts: ItemFacts, actor: Principal, heirs: tuple[Candidate, ...], reason: str
) -> tuple[NotifyEscalation, ...]:
    """Return the news for the members of the role that an item was escalated to."""
    number = facts.task.ticket_number
    return tuple(
        NotifyEscalation(
            user_id=heir.user_id,
            subject=f"{number}: {facts.step_name} was escalated",
            message=f"The step {facts.step_name} of ticket {number} was escalated to {facts.escalation_role_name}: {reason}",
            notification_type="task_escalation",
            related_task_item_id=facts.visit.item,
            related_ticket_number=number,
            metadata=_metadata(facts),
        )
        for heir in heirs
        if heir.user_id != actor.id
    )


def about_completion(facts: ItemFacts, actor: Principal) -> tuple[NotifyCompletion, ...]:
    """Return the news for the owner of a task whose last step is done."""
    number, owner = facts.task.ticket_number, facts.task.owner
    if owner is None or owner == actor.id:
        return ()
    return (
        NotifyCompletion(
            user_id=owner,
            subject=f"{number} is completed",
            message=f"The last step of {facts.task.workflow} for ticket {number} is done.",
            notification_type="task_completed",
            related_task_item_id=facts.visit.item,
            related_ticket_number=number,
            metadata=_metadata(facts),
        ),
    )


def _transfer(facts: ItemFacts, user_id: str, kind: str, subject: str, text: str) -> NotifyTransfer:
    return NotifyTransfer(
        user_id=user_id,
        subject=subject,
        message=text,
        notification_type=kind,
        related_task_item_id=facts.visit.item,
        related_ticket_number=facts.task.ticket_number,
        metadata=_metadata(facts),
    )


def _metadata(facts: ItemFacts) -> dict[str, str]:
    return {"workflow_name": facts.task.workflow, "step_name": facts.step_name}
