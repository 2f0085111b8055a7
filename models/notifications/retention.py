"""Old notifications go away; what a mail that has not left is about stays until it has."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from baton.models.database import read_tx
from baton.models.notifications.email_tables import PENDING, SENDING, EmailDelivery
from baton.models.notifications.mailboxes import count_read, lock_mailboxes, topic_of
from baton.models.notifications.tables import Notification, Retraction
from baton.models.transaction import Transaction


def any_older(before: datetime) -> bool:
    """Whether there is anything from before this instant to delete."""
    with read_tx("notifications"):
        return bool(_old(before).exists()) or bool(_retractions(before).exists())


def delete_older(tx: Transaction, before: datetime, most: int) -> int:
    """Delete up to so many notifications from before this instant, and as many retractions; return how many rows."""
    n = Notification
    # The mailboxes first, as everywhere: they order what happens to their unread counts.
    rows = list(_old(before).order_by(n.created_at, n.id).limit(most).tuples())
    lock_mailboxes(tx, [recipient for _, recipient in rows])
    gone: Any = n.delete().where(n.id.in_([row for row, _ in rows])).returning(n.recipient, n.in_app, n.unread)
    deleted = list(gone.tuples().execute())
    unread = Counter(recipient for recipient, in_app, was_unread in deleted if in_app and was_unread)
    for recipient, fewer in sorted(unread.items()):
        count_read(recipient, fewer)
        tx.signal(topic_of(recipient))
    keys = [key for (key,) in _retractions(before).limit(most).tuples()]
    return len(deleted) + int(Retraction.delete().where(Retraction.event_key.in_(keys)).execute())


def _old(before: datetime) -> Any:
    n, e = Notification, EmailDelivery
    leaving = e.select(e.id).where(e.state.in_((PENDING, SENDING)))
    query = n.select(n.id, n.recipient)
    return query.where(n.created_at < before, n.email.is_null() | n.email.not_in(leaving))


def _retractions(before: datetime) -> Any:
    return Retraction.select(Retraction.event_key).where(Retraction.retracted_at < before)
