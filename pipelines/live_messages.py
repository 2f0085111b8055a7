"""The catalogue's messages about a ticket's life, for those who follow it: its clocks, its room, its people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.pipelines.envelope import Message


@dataclass(frozen=True, kw_only=True)
class TrackClocks(Message):
    """
    Command, within workflow: these tickets changed; bring their SLA clocks to what their rows say. Again: nothing changes.

    With `apply_for` (a principal's subject) and `apply_at` (ISO 8601), the policies as they are now come into force at that
    instant.
    """

    name = "workflow.track_clocks"
    queue = "workflow.clocks"
    senders = ("workflow",)
    receiver = "workflow"

    ticket_numbers: list[str]
    apply_for: str | None = None
    apply_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActOnOverdue(Message):
    """
    Command, within workflow: do to an overdue ticket what its policy says, in the name of what fired. Again: nothing.

    `raise_priority` by one; `escalate` the open item to its escalation role; else `transfer_to` gives it to this user.
    """

    name = "workflow.act_on_overdue"
    queue = "workflow.escalations"
    senders = ("workflow",)
    receiver = "workflow"

    ticket_number: str
    event_id: int
    reason: str
    raise_priority: bool = False
    escalate: bool = False
    transfer_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class TellFollowers(Message):
    """Command, within workflow: these tickets changed; tell those who follow them. Again: nobody is told twice."""

    name = "workflow.tell_followers"
    queue = "workflow.followers"
    senders = ("workflow",)
    receiver = "workflow"

    ticket_numbers: list[str]


@dataclass(frozen=True, kw_only=True)
class NoteReply(Message):
    """
    Event: somebody wrote a public comment on a ticket. A second receipt of the same `comment_id` changes nothing.

    `side` is `requester` or `staff`; `author` a principal's subject (`user:7`, `employee:3`); `written_at` ISO 8601 in UTC.
    """

    name = "workflow.note_reply"
    queue = "workflow.clocks"
    senders = ("messaging",)
    receiver = "workflow"

    ticket_number: str
    comment_id: str
    side: str
    author: str
    written_at: str


@dataclass(frozen=True, kw_only=True)
class FollowTicket(Message):
    """
    Event: a ticket as its followers should know it. The envelope's version orders them; an older one is ignored.

    `requester`: `employee_id`, `user_id`, `email`, `name` (each may be null). `owner`, `participants` are user ids: whoever has
    or had the ticket's work. `assignees`: objects with `user_id`, `name`, `step`. `roles`: the `system:Role` pairs whose holders
    see the ticket, beside coordinators.
    """

    name = "messaging.tickets.follow"
    queue = "messaging.tickets"
    senders = ("workflow",)
    receiver = "messaging"

    ticket_number: str
    subject: str
    status: str
    requester: dict[str, Any]
    owner: str | None
    participants: list[str]
    assignees: list[dict[str, Any]]
    roles: list[str]


@dataclass(frozen=True, kw_only=True)
class TellTicketEvent(Message):
    """
    Event: something happened to a ticket that its live followers should see at once; the same `event_id` again is ignored.

    `kind` is a word such as `sla_warning`; `staff_only` keeps it from the requester.
    """

    name = "messaging.tickets.event"
    queue = "messaging.tickets"
    senders = ("workflow",)
    receiver = "messaging"

    ticket_number: str
    event_id: str
    kind: str
    text: str
    happened_at: str
    staff_only: bool = True
    detail: dict[str, Any] | None = None
