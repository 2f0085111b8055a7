"""Mails that are asked for by message: one of ours that is to leave now, or a text from somebody else to be sent as it is."""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.notifications import pending_mails, sending_store
from baton.models.transaction import Transaction
from baton.pipelines.messages import DeliverEmail
from baton.pipelines.notifying import recipient_of

#: Longest subject and text, in characters.
LONGEST_SUBJECT, LONGEST_MESSAGE = 5_000, 100_000


@handles(
    DeliverEmail,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def send_email(tx: Transaction, deliveries: Sequence[Delivery[DeliverEmail]]) -> None:
    """Mails that wait are due; texts without a mail have one. Sending them is the scheduler's. Again: nothing changes."""
    waiting = [each.message.delivery_id for each in deliveries if each.message.delivery_id is not None]
    known = sending_store.make_due(tx, waiting)
    for each in deliveries:
        message = each.message
        if message.delivery_id is not None:
            if message.delivery_id not in known:
                each.refuse(f"delivery_id: there is no mail {message.delivery_id}")
        elif fault := _fault(message):
            each.refuse(fault)
        else:
            sending_store.add_text(
                tx,
                key=pending_mails.message_key("text", each.envelope.message_id),
                recipient=recipient_of(message.user_id),
                subject=message.subject,
                message=message.message,
                ticket_number=each.envelope.ticket_number,
            )


def _fault(message: DeliverEmail) -> str | None:
    if not message.subject.strip() and not message.message.strip():
        return "subject, message: both are blank"
    if len(message.subject) > LONGEST_SUBJECT or len(message.message) > LONGEST_MESSAGE:
        return f"subject, message: at most {LONGEST_SUBJECT:,} and {LONGEST_MESSAGE:,} characters"
    if any("\x00" in text for text in (message.subject, message.message, str(message.user_id))):
        return "subject, message, user_id: must not contain the NUL character"
    return None
