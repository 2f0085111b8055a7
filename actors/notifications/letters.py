"""What a batch of claimed mails says: their notifications, as the recipients may and want to read them now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baton.models import database as db
from baton.models.notifications import EmailDelivery, recipients, sending_store
from baton.models.settings import Settings
from baton.pipelines.emails.identity import message_id
from baton.pipelines.emails.recipients import Recipient, is_still_told
from baton.pipelines.emails.unsubscribing import sign
from baton.pipelines.emails.writing import Item, Letter, Mail, write


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read for a batch, in a number of statements that does not depend on its size."""

    notifications: Mapping[int, Sequence[Mapping[str, Any]]]
    settings: Mapping[str, Mapping[str, Any]]
    choices: Mapping[str, Mapping[tuple[str, str], bool]]


def read_contents(deliveries: Sequence[EmailDelivery]) -> Contents:
    """Return what these mails are made from."""
    people = sorted({delivery.recipient for delivery in deliveries})
    with db.read_tx("notifications"):
        notifications = sending_store.contents_of([delivery.id for delivery in deliveries])
        return Contents(notifications, recipients.read_settings(people), recipients.read_choices(people))


def compose(delivery: EmailDelivery, recipient: Recipient, contents: Contents, settings: Settings) -> Mail | None:
    """Return the mail for its recipient; None: nothing in it is for them any more."""
    items = _items(delivery, recipient, contents)
    if not items:
        return None
    kind = "digest" if len(items) > 1 else items[0].type
    own = contents.settings.get(delivery.recipient)
    if own is not None and own["language"]:
        recipient = replace(recipient, language=own["language"])
    letter = Letter(
        message_id=message_id(delivery.message_id, settings.mail.domain),
        kind=kind,
        items=items,
        sender=settings.mail.sender,
        domain=settings.mail.domain,
        public_url=people_url(settings, delivery.recipient),
        unsubscribe_url=unsubscribe_url(settings, delivery.recipient, kind),
    )
    return write(letter, recipient)


def people_url(settings: Settings, recipient: str) -> str:
    """Return where a recipient opens links: requesters in the portal, staff in the console."""
    if recipient.startswith("employee:"):
        return settings.mail.portal_url or settings.url("portal")
    return settings.mail.console_url or settings.url("console")


def unsubscribe_url(settings: Settings, recipient: str, kind: str) -> str:
    """Return the link that ends mails of a kind for a recipient."""
    base = settings.mail.public_url or settings.url("notifications")
    return f"{base}/api/v1/notifications/unsubscribe/{sign(recipient, kind, settings.service_secret)}"


def _items(delivery: EmailDelivery, recipient: Recipient, contents: Contents) -> list[Item]:
    choices = contents.choices.get(delivery.recipient, {})
    own = delivery.type or "other"
    if delivery.subject is not None:
        item = Item(type=own, subject=delivery.subject, message=delivery.message or "", detail={})
        return [item] if is_still_told(recipient, own, (), choices) else []
    return [
        Item(
            type=row["type"],
            reason=row["reason"],
            subject=row["subject"],
            message=row["message"],
            ticket_number=row["ticket_number"],
            detail=json.loads(row["detail"]),
        )
        for row in contents.notifications.get(delivery.id, ())
        if is_still_told(recipient, row["type"], json.loads(row["roles"]), choices)
    ]
