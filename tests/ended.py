"""A ticket whose task has ended, and the calls that were made of it; for tests of what is shown and done about them."""

from __future__ import annotations

import itertools
import json
from typing import Any

from baton.actors.handling import delivery_of
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import Hook, Task, TaskItem, TicketSnapshot, Workflow, WorkflowVersion
from baton.pipelines.messages import EndTask
from tests.factories import ticket_data

ASSET = {"category": "Asset Check In", "asset_name": "ThinkPad", "serial_number": "SN-1"}
_numbers = itertools.count(500)


def ended_ticket(end_logic: str = "asset", **ticket: Any) -> Hook:
    """Store a ticket with a completed task, have it end, and return the call that was noted."""
    from baton.actors.workflow import ending

    number = f"HD-{next(_numbers):08d}"
    data = {**ticket_data(number), **(ticket or ASSET)}
    with write_tx("workflow") as tx:
        workflow = Workflow.create(name=f"Workflow of {number}", created_at=tx.now)
        version = WorkflowVersion.create(
            workflow=workflow.id, number=1, definition="{}", rules="[]", end_logic=end_logic, created_at=tx.now
        )
        TicketSnapshot.create(
            ticket_number=number, ticket_data=json.dumps(data), category=data["category"], subject="x", received_at=tx.now
        )
        task = Task.create(
            ticket_number=number, workflow_version=version.id, status="completed", owner_user_id="7", created_at=tx.now
        )
        TaskItem.create(
            task=task.id, step=1, ticket_number=number, role=1, state="completed", created_at=tx.now, closed_at=tx.now
        )
    with write_tx("workflow") as tx:
        ending.end_task.handle(tx, [delivery_of(EndTask(ticket_number=number))])
    with write_tx("workflow"):
        return Hook.get(Hook.ticket_number == number)


def messages(queue: str) -> list[tuple[dict[str, Any], str]]:
    """Return what waits for a queue in the outbox: keyword arguments and message id."""
    outbox = runtime_tables("workflow").Outbox
    with write_tx("workflow"):
        rows = list(outbox.select().where(outbox.queue == queue).order_by(outbox.id))
    return [(json.loads(row.kwargs), json.loads(row.envelope)["message_id"]) for row in rows]
