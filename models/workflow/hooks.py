"""The hook ledger: what was to be called at the end of a task, what became of it, and every attempt."""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField
from baton.models.workflow.people import WorkflowTable


class Hook(WorkflowTable):
    """
    A call at the end of a task, once per completion (`completion` is the item that was completed last).

    `hook` is asset, budget or notification; `state` is pending, sent, gave up or done, `detail` says why. `message_id` is the
    idempotency key: every repeat of the call bears it. `kwargs` (JSON) is what was sent, `corrections` (JSON) what somebody
    supplied in place of what the ticket says. A pending call is looked at again at `next_try_at`.
    """

    id = pw.BigAutoField()
    task = pw.BigIntegerField()
    completion = pw.BigIntegerField()
    hook = pw.TextField()
    ticket_number = pw.TextField(index=True)
    message_id = pw.TextField(unique=True)
    state = pw.TextField()
    detail = pw.TextField(default="")
    queue = pw.TextField(null=True)
    name = pw.TextField(null=True)
    kwargs = pw.TextField(null=True)
    corrections = pw.TextField(default="{}")
    attempts = pw.IntegerField(default=0)
    created_at = InstantField()
    sent_at = InstantField(null=True)
    next_try_at = InstantField(null=True, index=True)

    class Meta:
        indexes = ((("task", "completion", "hook"), True), (("state", "id"), False))


class HookAttempt(WorkflowTable):
    """One attempt at a call: by whom (a subject, or `system`), what became of it (a state), why."""

    id = pw.BigAutoField()
    hook = pw.BigIntegerField(index=True)
    at = InstantField()
    actor = pw.TextField(default="system")
    outcome = pw.TextField()
    detail = pw.TextField(default="")
