"""The catalogue's messages about work: the end of a task, and what people are told about their tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.pipelines.envelope import Message


@dataclass(frozen=True, kw_only=True)
class EndTask(Message):
    """Command, within workflow: the last step of a ticket's task is done, do what its workflow says happens at the end."""

    name = "workflow.end_task"
    queue = "workflow.endings"
    senders = ("workflow",)
    receiver = "workflow"

    ticket_number: str


@dataclass(frozen=True, kw_only=True)
class TaskNotification(Message):
    """
    Root of what people are told about tasks; every kind has the fields of the contract.

    `user_id` is who is told: a user's id, or `employee:ID` for a requester. `metadata` holds `workflow_name`, `step_name` and
    what else the kind needs; `reason` (why this person is told), `event` (what is told once per person; without it, the
    message), and `roles` (`system:Role` pairs of which the person must hold one to see the ticket). Announced only while the
    setting `notifications` is on.
    """

    queue = "INAPP_NOTIFICATION_QUEUE"
    senders = ("workflow", "messaging")
    receiver = "notifications"

    user_id: str | int
    subject: str
    message: str
    notification_type: str
    related_task_item_id: int | None = None
    related_ticket_number: str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class NotifyAssignment(TaskNotification):
    """Event: the person was given an item (`task_assignment`)."""

    name = "notifications.tasks.create_assignment_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyTransfer(TaskNotification):
    """Event: an item was transferred to the person (`task_transfer_in`) or away from them (`task_transfer_out`)."""

    name = "notifications.tasks.create_transfer_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyEscalation(TaskNotification):
    """Event: an item was escalated to a role of the person's (`task_escalation`)."""

    name = "notifications.tasks.create_escalation_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyCompletion(TaskNotification):
    """Event: a task that the person owns is completed (`task_completed`)."""

    name = "notifications.tasks.create_completion_notification"
