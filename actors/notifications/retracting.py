"""Taking back what was told: an action was undone, a comment deleted."""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.notifications import mailboxes, pending_mails, retractions
from baton.models.transaction import Transaction
from baton.pipelines.messages import RetractNotifications


@handles(
    RetractNotifications,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def retract_notifications(tx: Transaction, deliveries: Sequence[Delivery[RetractNotifications]]) -> None:
    """Take these events' notifications out of the lists and out of mails that have not left; keep later ones out."""
    events = sorted({delivery.message.event for delivery in deliveries})
    mailboxes.lock_events(tx, events)
    retractions.note(events, tx.now)
    told = retractions.find(events)
    mailboxes.lock_mailboxes(tx, [each.recipient for each in told])
    pending_mails.lock_mails(tx, [each.email for each in told if each.email is not None])
    pending_mails.take_out(tx, [each.id for each in told if each.email is not None], "undone before it was sent")
    retractions.hide(events)
