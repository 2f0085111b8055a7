"""
Other departments' systems and the services that this project replaces, as one unmodified Celery worker.

    OLD_BROKER_URL=amqp://... OLD_RECORD=FILE celery -A tests.integration.old_services worker -Q QUEUE,...

Each task has the contract's name and exactly its keyword arguments, and appends a JSON line to the file: task, id, arguments.
"""

from __future__ import annotations

import json
import os
from typing import Any

from celery import Celery

app = Celery("old_services", broker=os.environ.get("OLD_BROKER_URL"))
app.conf.broker_connection_retry_on_startup = True


def record(task: Any, **kwargs: Any) -> None:
    """Note that a task was executed."""
    line = json.dumps({"task": task.name, "id": task.request.id, "kwargs": kwargs})
    with open(os.environ["OLD_RECORD"], "a", encoding="utf-8") as file:
        file.write(line + "\n")


@app.task(name="ams.tasks.process_workflow_completion", bind=True)
def process_workflow_completion(self, *, ticket_id, asset_name, serial_number, action, completed_at):
    """AMS: equipment changed hands."""
    record(
        self,
        ticket_id=ticket_id,
        asset_name=asset_name,
        serial_number=serial_number,
        action=action,
        completed_at=completed_at,
    )


@app.task(name="bms.tasks.process_budget_approval", bind=True)
def process_budget_approval(self, *, ticket_id, requested_budget, cost_items, approved_by, completed_at):
    """BMS: a budget was approved."""
    record(
        self,
        ticket_id=ticket_id,
        requested_budget=requested_budget,
        cost_items=cost_items,
        approved_by=approved_by,
        completed_at=completed_at,
    )


@app.task(name="tickets.tasks.send_ticket_status", bind=True)
def send_ticket_status(self, ticket_id, new_status):
    """Help desk: a ticket's status changed."""
    record(self, ticket_id=ticket_id, new_status=new_status)


@app.task(name="ticket_service.update_status", bind=True)
def update_status(self, ticket_id, status):
    """Submission gateway: a ticket's status changed."""
    record(self, ticket_id=ticket_id, status=status)


@app.task(name="tickets.tasks.receive_ticket", bind=True)
def receive_ticket(self, payload):
    """Workflow: a ticket was submitted."""
    record(self, payload=payload)


@app.task(name="tts.role.sync", bind=True)
def sync_role(self, payload):
    """Workflow: a role."""
    record(self, payload=payload)


@app.task(name="tts.user_system_role.sync", bind=True)
def sync_user_system_role(self, payload):
    """Workflow: a grant."""
    record(self, payload=payload)


@app.task(name="hdts.user.sync", bind=True)
def sync_user(self, payload):
    """Help desk: a user."""
    record(self, payload=payload)


@app.task(name="hdts.employee.sync", bind=True)
def sync_employee(self, payload):
    """Help desk: an employee."""
    record(self, payload=payload)


@app.task(name="workflow_seed", bind=True)
def seed_workflows(self):
    """Workflow: seed."""
    record(self)


@app.task(name="notifications.tasks.create_assignment_notification", bind=True)
def create_assignment_notification(
    self,
    user_id,
    subject,
    message,
    notification_type,
    related_task_item_id=None,
    related_ticket_number=None,
    metadata=None,
):
    """Notifications: somebody was given an item."""
    record(
        self,
        user_id=user_id,
        subject=subject,
        message=message,
        notification_type=notification_type,
        related_task_item_id=related_task_item_id,
        related_ticket_number=related_ticket_number,
        metadata=metadata,
    )


@app.task(name="notifications.tasks.send_email", bind=True)
def send_email(self, user_id, subject, message, delivery_id=None):
    """Notifications: a mail is to be sent."""
    record(self, user_id=user_id, subject=subject, message=message, delivery_id=delivery_id)
