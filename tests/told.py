"""Telling people things in tests: messages, the handler's runs, and what is in the tables afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from baton.actors.handling import Delivery, delivery_of
from baton.actors.notifications import kinds, retracting
from baton.models.notifications import EmailDelivery, Mailbox, Notification, recipients
from baton.models.transaction import write_tx
from baton.pipelines.messages import (
    NotifyApproval,
    NotifyAssignment,
    NotifyComment,
    NotifyCompletion,
    NotifyEscalation,
    NotifyHandover,
    NotifyMention,
    NotifySla,
    NotifyStatus,
    NotifyTransfer,
    RetractNotifications,
)

_numbers = itertools.count(1)
#: Type -> its message, and the reason of whoever is told first.
KINDS: dict[str, tuple[type[Any], str]] = {
    "task_assignment": (NotifyAssignment, "assignee"),
    "task_transfer_in": (NotifyTransfer, "assignee"),
    "task_transfer_out": (NotifyTransfer, "former_assignee"),
    "task_escalation": (NotifyEscalation, "escalation_role"),
    "task_completed": (NotifyCompletion, "owner"),
    "sla_warning": (NotifySla, "assignee"),
    "sla_breach": (NotifySla, "assignee"),
    "comment_added": (NotifyComment, "assignee"),
    "reply": (NotifyComment, "requester"),
    "mention": (NotifyMention, "mentioned"),
    "status_changed": (NotifyStatus, "requester"),
    "resolution": (NotifyStatus, "requester"),
    "handover_offer": (NotifyHandover, "substitute"),
    "approval_waiting": (NotifyApproval, "approver"),
}
HANDLERS = {actor.message_type: actor for actor in vars(kinds).values() if hasattr(actor, "message_type")}


def told(
    kind: str, user_id: str | int = "7", *, ticket: str | None = "HD-1", item: int | None = 1, **detail: Any
) -> Delivery[Any]:
    """Return a delivery that tells somebody something; `detail` is its metadata, with the usual reason unless given."""
    message, reason = KINDS[kind]
    number = next(_numbers)
    return delivery_of(
        message(
            user_id=user_id,
            subject=f"{ticket}: {kind} {number}",
            message=f"This is {kind} {number}.",
            notification_type=kind,
            related_task_item_id=item,
            related_ticket_number=ticket,
            metadata={"reason": reason, **detail},
        )
    )


def handle(*deliveries: Delivery[Any], now: datetime | None = None) -> None:
    """Handle these deliveries, those that follow each other and have one message type as one batch."""
    for message_type, group in itertools.groupby(deliveries, lambda each: type(each.message)):
        with write_tx("notifications") as tx:
            if now is not None:
                tx.now = now
            HANDLERS[message_type].handle(tx, list(group))


def retract(*events: str) -> None:
    """Take back what was told of these events."""
    with write_tx("notifications") as tx:
        retracting.retract_notifications.handle(tx, [delivery_of(RetractNotifications(event=event)) for event in events])


def wants(recipient: str, now: datetime, **changes: Any) -> None:
    """The recipient wants to be told like this: at once and at any hour, but for these changes."""
    values = {
        "time_zone": "UTC",
        "language": "en",
        "digest": "immediately",
        "digest_minute": 480,
        "quiet_start": 0,
        "quiet_end": 0,
        "quiet_days": "",
        "breaches_through": False,
    }
    with write_tx("notifications"):
        recipients.store_settings(recipient, {**values, **changes}, now)


def shown(recipient: str) -> list[Notification]:
    """Return what is shown to a recipient, oldest first."""
    n = Notification
    return list(n.select().where(n.recipient == recipient, n.in_app).order_by(n.number))


def types_shown(recipient: str) -> list[str]:
    """Return the types of what is shown to a recipient, oldest first."""
    return [row.type for row in shown(recipient)]


def mails(recipient: str, state: str = "pending") -> list[EmailDelivery]:
    """Return a recipient's mails in a state, oldest first."""
    e = EmailDelivery
    return list(e.select().where(e.recipient == recipient, e.state == state).order_by(e.id))


def in_mail(mail: EmailDelivery) -> list[str]:
    """Return the types of what a mail is about, oldest first."""
    rows: Sequence[Notification] = Notification.select().where(Notification.email == mail.id).order_by(Notification.id)
    return [row.type for row in rows]


def unread(recipient: str) -> int:
    """Return a recipient's unread count, and check that it is what counting gives."""
    n = Notification
    counted: int = n.select().where(n.recipient == recipient, n.in_app, n.unread).count()
    row = Mailbox.get_or_none(Mailbox.recipient == recipient)
    assert (0 if row is None else row.unread) == counted
    return counted
