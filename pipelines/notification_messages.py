"""The catalogue's messages about what people are told besides their work: talk, status, approvals, clocks, and the mails."""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.envelope import Message
from baton.pipelines.work_messages import TaskNotification


@dataclass(frozen=True, kw_only=True)
class NotifyComment(TaskNotification):
    """Event: a comment on a ticket that the person takes part in (`comment_added`), or an answer to its requester (`reply`)."""

    name = "notifications.tasks.create_comment_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyMention(TaskNotification):
    """Event: a comment names the person (`mention`)."""

    name = "notifications.tasks.create_mention_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyStatus(TaskNotification):
    """Event: the requester's ticket has another status (`status_changed`) or is done (`resolution`). `metadata`: `from`, `to`."""

    name = "notifications.tasks.create_status_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyHandover(TaskNotification):
    """Event: work of somebody who is away can be taken over by the person (`handover_offer`)."""

    name = "notifications.tasks.create_handover_notification"


@dataclass(frozen=True, kw_only=True)
class NotifyApproval(TaskNotification):
    """Event: a step waits for the person's approval (`approval_waiting`)."""

    name = "notifications.tasks.create_approval_notification"


@dataclass(frozen=True, kw_only=True)
class NotifySla(TaskNotification):
    """Event: a ticket's time runs out (`sla_warning`) or has run out (`sla_breach`)."""

    name = "notifications.tasks.create_sla_notification"


@dataclass(frozen=True, kw_only=True)
class RetractNotifications(Message):
    """
    Command: what caused these notifications was undone; they leave the lists, and what was not mailed yet never is.

    `event` is the `metadata["event"]` of those notifications. A retraction that comes before them keeps them out.
    """

    name = "notifications.tasks.retract_notifications"
    queue = "INAPP_NOTIFICATION_QUEUE"
    senders = ("workflow", "messaging")
    receiver = "notifications"

    event: str


@dataclass(frozen=True, kw_only=True)
class DeliverEmail(Message):
    """
    Command: send a mail. `user_id` names who gets it, as in TaskNotification.

    `delivery_id` is the row of the mail in the notifications service; without one (a foreign sender) the text is sent as it is.
    """

    name = "notifications.tasks.send_email"
    queue = "EMAIL_NOTIFICATION_QUEUE"
    senders = ("notifications",)
    receiver = "notifications"

    user_id: str | int
    subject: str
    message: str
    delivery_id: int | None = None
