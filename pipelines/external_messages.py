"""
What leaves the project: messages to other departments' systems, AMS (assets) and BMS (budgets).

They are no part of the catalogue, because nobody here receives them: their receivers are Celery workers, so these queues carry
Celery messages whatever the settings say. Their fields are exactly the keyword arguments of the tasks on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.pipelines.messages import Message


@dataclass(frozen=True, kw_only=True)
class ProcessWorkflowCompletion(Message):
    """
    Command to AMS: equipment changed hands. `action` is the ticket's category, `completed_at` ISO 8601 in UTC.

    The same message id twice is the same Celery task id twice: one change in effect.
    """

    name = "ams.tasks.process_workflow_completion"
    queue = "AMS_WORKFLOW_QUEUE"
    senders = ("workflow",)
    receiver = "ams"

    ticket_id: str
    asset_name: str
    serial_number: str
    action: str
    completed_at: str


@dataclass(frozen=True, kw_only=True)
class ProcessBudgetApproval(Message):
    """
    Command to BMS: a budget was approved. `requested_budget` is a decimal as text, `completed_at` ISO 8601 in UTC.

    `approved_by` is the user id of the ticket's owner, None where it has none. Repeats are as for AMS.
    """

    name = "bms.tasks.process_budget_approval"
    queue = "BMS_WORKFLOW_QUEUE"
    senders = ("workflow",)
    receiver = "bms"

    ticket_id: str
    requested_budget: str
    cost_items: dict[str, Any]
    approved_by: int | str | None
    completed_at: str


EXTERNAL: dict[str, type[Message]] = {message.name: message for message in (ProcessWorkflowCompletion, ProcessBudgetApproval)}
#: Queues whose receivers are always Celery workers.
EXTERNAL_QUEUES = frozenset(message.queue for message in EXTERNAL.values())
