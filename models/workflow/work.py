"""
Tickets as they were taken in, the tasks made of them, and the reasons for every decision about them.

One snapshot per ticket number, one task per ticket, one item per (task, step, visit): these unique keys are what stops a
message that arrives again. `TriageEntry` and `WaitingEntry` hold only what waits now, so looking at a queue costs what is in it.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField
from baton.models.workflow.people import WorkflowTable


class TicketSnapshot(WorkflowTable):
    """
    A ticket as it arrived: `ticket_data` is its JSON, byte for byte; the other columns are read from it once.

    `status_version` counts the changes of `status`. `request_version` is the newest withdrawal or reopening applied.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField(unique=True)
    ticket_data = pw.TextField()
    subject = pw.TextField(default="")
    category = pw.TextField(null=True)
    department = pw.TextField(null=True)
    priority = pw.TextField(default="Medium")
    requester_user_id = pw.TextField(null=True)
    requester_email = pw.TextField(null=True)
    through_gateway = pw.BooleanField(default=False)
    status = pw.TextField(default="New")
    status_version = pw.IntegerField(default=0)
    request_version = pw.BigIntegerField(null=True)
    received_at = InstantField()

    class Meta:
        # Lists of all tickets read newest first within one of these.
        indexes = tuple(
            ((*each, "received_at", "id"), False) for each in ((), ("status",), ("priority",), ("category",), ("department",))
        )


class TicketWords(WorkflowTable):
    """The words by which a ticket is found; `id` is the snapshot's. Apart from it, because a ticket's status changes often."""

    id = pw.BigIntegerField(primary_key=True)
    words = pw.TextField()


class TriageEntry(WorkflowTable):
    """A ticket that no deployed workflow matches, until it is allocated or withdrawn. Keys are the normalised names."""

    id = pw.BigAutoField()
    ticket_number = pw.TextField(unique=True)
    category_key = pw.TextField()
    department_key = pw.TextField()
    reason = pw.TextField()
    since = InstantField()
    chosen_workflow = pw.BigIntegerField(null=True)
    chosen_by = pw.TextField(null=True)

    class Meta:
        indexes = ((("category_key", "department_key"), False), (("department_key",), False))


class Task(WorkflowTable):
    """
    A ticket on its way through a workflow version. `status` is open, completed, withdrawn or cancelled.

    `version` counts the changes of the task itself: its owner, its workflow, its opening and closing.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField(unique=True)
    workflow_version = pw.BigIntegerField(index=True)
    owner_user_id = pw.TextField(null=True, index=True)
    status = pw.TextField(default="open")
    version = pw.IntegerField(default=1)
    created_at = InstantField(index=True)
    closed_at = InstantField(null=True)

    class Meta:
        # Open tasks have no closed_at: this finds them by ticket, and the closed ones by when.
        indexes = ((("closed_at", "ticket_number"), False),)


class TaskItem(WorkflowTable):
    """
    One visit of a task to a step. Assigned when `assignee` is set; waiting for somebody eligible since `waiting_since`.

    `ticket_number` is copied from the task, to be shown and logged. It has no index, because every assignment rewrites a row's
    index entries: look items up by task. `version` counts the changes, one history row each. `came_from` is the item whose
    completion opened this one: where sending back leads.
    """

    id = pw.BigAutoField()
    task = pw.BigIntegerField()
    step = pw.BigIntegerField()
    visit = pw.IntegerField(default=1)
    ticket_number = pw.TextField()
    role = pw.BigIntegerField()
    assignee = pw.TextField(null=True)
    former_assignee = pw.TextField(null=True)
    came_from = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)
    state = pw.TextField(default="new")
    waiting_since = InstantField(null=True)
    created_at = InstantField()
    assigned_at = InstantField(null=True)
    closed_at = InstantField(null=True)

    class Meta:
        # An open item has no closed_at: what somebody has to do now is found without passing what they ever did.
        indexes = (
            (("task", "step", "visit"), True),
            (("assignee", "id"), False),
            (("assignee", "closed_at", "id"), False),
            (("role", "id"), False),
        )


class TaskItemHistory(WorkflowTable):
    """
    What happened to an item: who (`actor`: a subject or `system`), when, from what to what, why.

    `request` is the trace of the request or message that did it.
    """

    id = pw.BigAutoField()
    item = pw.BigIntegerField()
    ticket_number = pw.TextField(index=True)
    at = InstantField()
    actor = pw.TextField(default="system")
    event = pw.TextField()
    from_state = pw.TextField(null=True)
    to_state = pw.TextField(null=True)
    from_user = pw.TextField(null=True)
    to_user = pw.TextField(null=True)
    reason = pw.TextField(default="")
    request = pw.TextField(null=True)


class ItemHold(WorkflowTable):
    """An item on hold now: what it goes back to, and when by itself (`resume_at`, None: only by hand)."""

    item = pw.BigIntegerField(primary_key=True)
    ticket_number = pw.TextField()
    previous_state = pw.TextField()
    previous_status = pw.TextField()
    reason = pw.TextField()
    since = InstantField()
    resume_at = InstantField(null=True, index=True)


class Approval(WorkflowTable):
    """
    A decision on an item, which is one visit of its step: another visit starts without any.

    `user_id` decided, for `stands_for`: themselves, or the absent member whose substitute they are. Each counts once.
    """

    id = pw.BigAutoField()
    item = pw.BigIntegerField()
    ticket_number = pw.TextField(index=True)
    user_id = pw.TextField()
    name = pw.TextField(default="")
    stands_for = pw.TextField()
    stands_for_name = pw.TextField(default="")
    decision = pw.TextField()
    comment = pw.TextField(default="")
    at = InstantField()

    class Meta:
        indexes = ((("item", "user_id"), True), (("item", "stands_for"), True))


class WaitingEntry(WorkflowTable):
    """
    Something that waits for an eligible member of a role: a step (`kind` item) or an ownership (`kind` owner).

    `subject_id` is the item's or the task's id. The requester is copied, so that who may be served is decided on this table;
    `excluded` holds the user ids of those who may not have it besides, each between bars: `|4|17|`.
    """

    id = pw.BigAutoField()
    kind = pw.TextField()
    subject_id = pw.BigIntegerField()
    role = pw.BigIntegerField()
    ticket_number = pw.TextField(index=True)
    requester_user_id = pw.TextField(null=True)
    requester_email = pw.TextField(null=True)
    excluded = pw.TextField(default="")
    reason = pw.TextField()
    since = InstantField()

    class Meta:
        indexes = ((("kind", "subject_id"), True), (("role", "since", "id"), False))


class Allocation(WorkflowTable):
    """Why a ticket got its workflow, or none: the rule that decided and (`considered`, JSON) what else matched."""

    id = pw.BigAutoField()
    ticket_number = pw.TextField(index=True)
    workflow_version = pw.BigIntegerField(null=True)
    reason = pw.TextField()
    considered = pw.TextField()
    decided_by = pw.TextField(default="system")
    decided_at = InstantField()


class AssignmentPick(WorkflowTable):
    """Why this person: whom the rotation considered, in its order, and the verdict on each (`considered`, JSON)."""

    id = pw.BigAutoField()
    ticket_number = pw.TextField(index=True)
    kind = pw.TextField()
    subject_id = pw.BigIntegerField()
    role = pw.BigIntegerField()
    chosen = pw.TextField(null=True)
    turn = pw.BigIntegerField(null=True)
    reason = pw.TextField()
    considered = pw.TextField()
    decided_at = InstantField()

    class Meta:
        indexes = ((("role", "decided_at"), False),)


class TicketRequest(WorkflowTable):
    """A withdrawal or reopening that was handled, by its request id: the second receipt changes nothing."""

    request_id = pw.TextField(primary_key=True)
    ticket_number = pw.TextField(index=True)
    kind = pw.TextField()
    reason = pw.TextField(default="")
    outcome = pw.TextField()
    handled_at = InstantField()
