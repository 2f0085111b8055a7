"""
What the workflow service stores: people, definitions, work, and the reasons for its decisions.

Table modules: `people`, `definitions`, `work`, `hooks`. Store modules, one per concern: `intake_store`, `allocation_store`,
`assignment_store`, `request_store`, `sync_store`, `definition_store`, `hook_store`; each function is one set-based statement
or a handful of them, whatever the size of the batch. `reading` answers the read API, `journeys` the trace of a ticket.
"""

from __future__ import annotations

import peewee as pw

from baton.models.workflow.definitions import Step, Transition, Workflow, WorkflowVersion
from baton.models.workflow.hooks import Hook, HookAttempt
from baton.models.workflow.journeys import journey
from baton.models.workflow.people import Member, PendingGrant, Role, Substitute
from baton.models.workflow.work import (
    Allocation,
    Approval,
    AssignmentPick,
    ItemHold,
    Task,
    TaskItem,
    TaskItemHistory,
    TicketRequest,
    TicketSnapshot,
    TriageEntry,
    WaitingEntry,
)

TABLES: list[type[pw.Model]] = [
    Role,
    Member,
    PendingGrant,
    Substitute,
    Workflow,
    WorkflowVersion,
    Step,
    Transition,
    TicketSnapshot,
    TriageEntry,
    Task,
    TaskItem,
    TaskItemHistory,
    ItemHold,
    Approval,
    WaitingEntry,
    Allocation,
    AssignmentPick,
    TicketRequest,
    Hook,
    HookAttempt,
]

__all__ = [
    "TABLES",
    "Allocation",
    "Approval",
    "AssignmentPick",
    "Hook",
    "HookAttempt",
    "ItemHold",
    "Member",
    "PendingGrant",
    "Role",
    "Step",
    "Substitute",
    "Task",
    "TaskItem",
    "TaskItemHistory",
    "TicketRequest",
    "TicketSnapshot",
    "Transition",
    "TriageEntry",
    "WaitingEntry",
    "Workflow",
    "WorkflowVersion",
    "journey",
]
