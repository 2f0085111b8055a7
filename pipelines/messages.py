"""
The catalogue: every message that passes between services.

One frozen dataclass per message. Its class attributes say how it travels (`name`, `queue`), who sends it and who receives it;
its fields are the keyword arguments on the wire. What every message carries besides (message id, trace id, ticket number,
version, time sent) is the `Envelope`, kept out of the fields so that foreign workers see exactly the fields of the contract.

Fields are only ever added, with a default; a changed meaning is a new message. Readers ignore fields they do not know.
A message is a command (imperative, one receiver, may be refused) or an event (past tense, cannot be refused).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

#: The envelope version this code writes. A message that claims a higher one comes from the future and is dead-lettered.
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """
    What a message carries beside its fields.

    `version` orders messages about the same thing (a ticket's status, a role): a receiver ignores one that is not newer than
    what it has. None where the sender keeps no order (foreign senders).
    """

    message_id: str
    trace_id: str
    ticket_number: str | None = None
    version: int | None = None
    sent_at: str | None = None
    schema: int = SCHEMA
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Message:
    """Root of the catalogue."""

    name: ClassVar[str]
    queue: ClassVar[str]
    senders: ClassVar[tuple[str, ...]]
    receiver: ClassVar[str]

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments as they travel: plain JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


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


@dataclass(frozen=True, kw_only=True)
class RecordIssue(Message):
    """
    Command: keep a report of something that is wrong; its temporary id names the issue from then on. Twice is once.

    `fingerprint` is that of a fault of the runtime (`pipelines.issues`), left out for reports by hand. `count` is how many
    occurrences it stands for, `occurred_at` (ISO 8601) when the last of them was.
    """

    name = "issues.record_issue"
    queue = "issues"
    senders = ("auth", "helpdesk", "tickets", "workflow", "issues")
    receiver = "issues"

    temporary_id: str
    title: str
    description: str = ""
    type: str = "bug"
    priority: str = "Medium"
    tags: list[str] | None = None
    component: str = ""
    reporter: str = ""
    fingerprint: str | None = None
    ticket_number: str | None = None
    message_id: str | None = None
    count: int = 1
    occurred_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddIssueComment(Message):
    """
    Command: keep a comment on an issue, named by its real id or a temporary one. One that overtakes its issue waits for it.

    `comment_id` is the sender's: the same one twice is one comment.
    """

    name = "issues.add_comment"
    queue = "issues"
    senders = ("auth", "helpdesk", "tickets", "workflow", "issues")
    receiver = "issues"

    issue_id: str
    comment_id: str
    content: str
    author: str = ""
    written_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateIssueStatus(Message):
    """
    Command: give an issue a status. The newest `changed_at` (ISO 8601) wins, in whatever order they arrive; one that overtakes
    its issue waits for it.
    """

    name = "issues.update_status"
    queue = "issues"
    senders = ("auth", "helpdesk", "tickets", "workflow", "issues")
    receiver = "issues"

    issue_id: str
    status: str
    changed_at: str
    author: str = ""
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
        RecordIssue,
        AddIssueComment,
        UpdateIssueStatus,
    )
}
