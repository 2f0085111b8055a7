"""
The catalogue: every message that passes between services.

One frozen dataclass per message. Its class attributes say how it travels (`name`, `queue`), who sends it and who receives it;
its fields are the keyword arguments on the wire. What every message carries besides (message id, trace id, ticket number,
version, time sent) is the `Envelope`, kept out of the fields so that foreign workers see exactly the fields of the contract.

Fields are only ever added, with a default; a changed meaning is a new message. Readers ignore fields they do not know.
A message is a command (imperative, one receiver, may be refused) or an event (past tense, cannot be refused).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.pipelines.envelope import SCHEMA, Envelope, Message
from baton.pipelines.issue_messages import AddIssueComment, RecordIssue, UpdateIssueStatus
from baton.pipelines.live_messages import ActOnOverdue, FollowTicket, NoteReply, TellFollowers, TellTicketEvent, TrackClocks
from baton.pipelines.notification_messages import (
    DeliverEmail,
    NotifyApproval,
    NotifyComment,
    NotifyHandover,
    NotifyMention,
    NotifySla,
    NotifyStatus,
    RetractNotifications,
)
from baton.pipelines.sla_messages import ApplySlaChange
from baton.pipelines.work_messages import EndTask, NotifyAssignment, NotifyCompletion, NotifyEscalation, NotifyTransfer


@dataclass(frozen=True, kw_only=True)
class ReceiveTicket(Message):
    """
    Command: take a submitted ticket in. A second receipt of the same ticket number changes nothing.

    `payload` is the ticket, bare or under a key `ticket`; it must hold `ticket_number` (or `ticket_id`).
    """

    name = "tickets.tasks.receive_ticket"
    queue = "TICKET_TASKS_PRODUCTION"
    senders = ("helpdesk", "tickets")
    receiver = "workflow"

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SendTicketStatus(Message):
    """Event: the workflow side's status of a ticket changed. `ticket_id` is the ticket number. Older versions are ignored."""

    name = "tickets.tasks.send_ticket_status"
    queue = "ticket_status-default"
    senders = ("workflow",)
    receiver = "helpdesk"

    ticket_id: str
    new_status: str


@dataclass(frozen=True, kw_only=True)
class UpdateGatewayStatus(Message):
    """Event: as SendTicketStatus, for tickets that came through the submission gateway."""

    name = "ticket_service.update_status"
    queue = "TICKET_STATUS_QUEUE"
    senders = ("workflow",)
    receiver = "tickets"

    ticket_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class SyncRole(Message):
    """Event: a role as auth has it now. `payload.role`: `id`, `name`, `system` (default `tts`), `is_active` (default true)."""

    name = "tts.role.sync"
    queue = "TTS_ROLE_SYNC_QUEUE"
    senders = ("auth",)
    receiver = "workflow"

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SyncUserSystemRole(Message):
    """
    Event: a grant as auth has it now.

    `payload.user_system_role`: `user_id`, `role_id`, `user_full_name`, `is_active` (default true). A grant that arrives
    before its role waits for it.
    """

    name = "tts.user_system_role.sync"
    queue = "TTS_ROLE_SYNC_QUEUE"
    senders = ("auth",)
    receiver = "workflow"

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SyncHdtsUser(Message):
    """Event: a user with an HDTS role. `payload.user`: `id`, `email`, `full_name`, `role`, `is_active`."""

    name = "hdts.user.sync"
    queue = "hdts.user.sync"
    senders = ("auth",)
    receiver = "helpdesk"

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SyncEmployee(Message):
    """Event: a row of the employee register. `payload.employee`: `id`, `email`, `full_name`, `department`, `is_active`, ..."""

    name = "hdts.employee.sync"
    queue = "hdts.employee.sync"
    senders = ("auth",)
    receiver = "helpdesk"

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SeedWorkflows(Message):
    """Command: run the workflow seeder (roles and the five workflows). Repeating it changes nothing."""

    name = "workflow_seed"
    queue = "workflow_seed"
    senders = ("auth",)
    receiver = "workflow"


@dataclass(frozen=True, kw_only=True)
class AllocateTicket(Message):
    """Command, within workflow: match a stored ticket to a workflow, or park it in triage. Done once per ticket."""

    name = "workflow.allocate_ticket"
    queue = "workflow.allocation"
    senders = ("workflow",)
    receiver = "workflow"

    ticket_number: str


@dataclass(frozen=True, kw_only=True)
class AssignItem(Message):
    """Command, within workflow: give an open step to the next member of its role. An assigned step is left as it is."""

    name = "workflow.assign_item"
    queue = "workflow.assignment"
    senders = ("workflow",)
    receiver = "workflow"

    task_item_id: int
    ticket_number: str


@dataclass(frozen=True, kw_only=True)
class AssignWaiting(Message):
    """Command, within workflow: someone of this role became eligible, serve its waiting steps, oldest first."""

    name = "workflow.assign_waiting"
    queue = "workflow.assignment"
    senders = ("workflow",)
    receiver = "workflow"

    role_id: str


@dataclass(frozen=True, kw_only=True)
class DrainTriage(Message):
    """Command, within workflow: a workflow was deployed, allocate the parked tickets that match it now."""

    name = "workflow.drain_triage"
    queue = "workflow.allocation"
    senders = ("workflow",)
    receiver = "workflow"

    workflow_id: int


@dataclass(frozen=True, kw_only=True)
class WithdrawTicket(Message):
    """
    Command: the requester withdrew the ticket.

    `payload` is the whole ticket, so that a withdrawal that overtakes the ticket itself still finds what to withdraw.
    """

    name = "workflow.withdraw_ticket"
    queue = "workflow.requests"
    senders = ("helpdesk",)
    receiver = "workflow"

    payload: dict[str, Any]
    request_id: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReopenTicket(Message):
    """Command: the requester wants a withdrawn, resolved or closed ticket worked again. `payload` as in WithdrawTicket."""

    name = "workflow.reopen_ticket"
    queue = "workflow.requests"
    senders = ("helpdesk",)
    receiver = "workflow"

    payload: dict[str, Any]
    request_id: str
    reason: str = ""


CATALOGUE: dict[str, type[Message]] = {
    message.name: message
    for message in (
        ReceiveTicket,
        SendTicketStatus,
        UpdateGatewayStatus,
        SyncRole,
        SyncUserSystemRole,
        SyncHdtsUser,
        SyncEmployee,
        SeedWorkflows,
        AllocateTicket,
        AssignItem,
        AssignWaiting,
        DrainTriage,
        WithdrawTicket,
        ReopenTicket,
        EndTask,
        NotifyAssignment,
        NotifyTransfer,
        NotifyEscalation,
        NotifyCompletion,
        NotifySla,
        NotifyComment,
        NotifyMention,
        NotifyStatus,
        NotifyHandover,
        NotifyApproval,
        RetractNotifications,
        DeliverEmail,
        TrackClocks,
        ApplySlaChange,
        ActOnOverdue,
        TellFollowers,
        NoteReply,
        FollowTicket,
        TellTicketEvent,
        RecordIssue,
        AddIssueComment,
        UpdateIssueStatus,
    )
}

__all__ = [
    "CATALOGUE", "SCHEMA", "ActOnOverdue", "AddIssueComment", "AllocateTicket", "ApplySlaChange", "AssignItem", "AssignWaiting",
    "DeliverEmail", "DrainTriage", "EndTask", "Envelope", "FollowTicket", "Message", "NoteReply", "NotifyApproval",
    "NotifyAssignment", "NotifyComment", "NotifyCompletion", "NotifyEscalation", "NotifyHandover", "NotifyMention", "NotifySla",
    "NotifyStatus", "NotifyTransfer", "ReceiveTicket", "RecordIssue", "ReopenTicket", "RetractNotifications", "SeedWorkflows",
    "SendTicketStatus", "SyncEmployee", "SyncHdtsUser", "SyncRole", "SyncUserSystemRole", "TellFollowers", "TellTicketEvent",
    "TrackClocks", "UpdateGatewayStatus", "UpdateIssueStatus", "WithdrawTicket",
]  # fmt: skip
