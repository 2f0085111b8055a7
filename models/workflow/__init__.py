"""
What the workflow service stores: people, definitions, work, and the reasons for its decisions.

Table modules: `people`, `definitions`, `work`, `hooks`, `sla_tables`. Store modules, one per concern: `intake_store`,
`allocation_store`, `assignment_store`, `request_store`, `sync_store`, `definition_store`, `hook_store`, and those of the
service levels, `sla_*`; each function is one set-based statement or a handful of them, whatever the size of the batch.
`reading` answers the read API, `journeys` the trace of a ticket.
"""

from __future__ import annotations

import peewee as pw

from baton.models.workflow.definitions import Step, Transition, Workflow, WorkflowVersion
from baton.models.workflow.firing_store import SlaSetback
from baton.models.workflow.following import TicketFollowing
from baton.models.workflow.hooks import Hook, HookAttempt
from baton.models.workflow.journeys import journey
from baton.models.workflow.people import Member, PendingGrant, Role, Substitute
from baton.models.workflow.saved_views import SavedView
from baton.models.workflow.sla_tables import (
    SlaCalendar,
    SlaCalendarVersion,
    SlaChange,
    SlaClock,
    SlaEvent,
    SlaMatch,
    SlaPause,
    SlaPolicy,
    SlaPolicyVersion,
    TicketChange,
    TicketReply,
)
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
    TicketWords,
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
    TicketWords,
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
    TicketFollowing,
    SlaCalendar,
    SlaCalendarVersion,
    SlaPolicy,
    SlaPolicyVersion,
    TicketChange,
    TicketReply,
    SlaMatch,
    SlaClock,
    SlaPause,
    SlaEvent,
    SlaSetback,
    SlaChange,
    SavedView,
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
    "SavedView",
    "SlaCalendar",
    "SlaCalendarVersion",
    "SlaChange",
    "SlaClock",
    "SlaEvent",
    "SlaMatch",
    "SlaPause",
    "SlaPolicy",
    "SlaPolicyVersion",
    "SlaSetback",
    "Step",
    "Substitute",
    "Task",
    "TaskItem",
    "TaskItemHistory",
    "TicketChange",
    "TicketFollowing",
    "TicketReply",
    "TicketRequest",
    "TicketSnapshot",
    "TicketWords",
    "Transition",
    "TriageEntry",
    "WaitingEntry",
    "Workflow",
    "WorkflowVersion",
    "journey",
]
