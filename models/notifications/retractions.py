"""Events that were undone: their notifications are hidden, and those that come later are kept out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from baton.models.notifications.mailboxes import count_read
from baton.models.notifications.tables import Notification, Retraction


class Told(NamedTuple):
    """A notification of an event."""

    id: int
    recipient: str
    email: int | None


def note(events: Sequence[str], now: datetime) -> None:
    """These events were undone."""
    rows = [{"event_key": event, "retracted_at": now} for event in events]
    Retraction.insert_many(rows).on_conflict_ignore().execute()


def find(events: Sequence[str]) -> list[Told]:
    """Return the notifications of these events."""
    n = Notification
    query: Any = n.select(n.id, n.recipient, n.email).where(n.event_key.in_(list(events))).order_by(n.id)
    return [Told(*row) for row in query.tuples()]


def hide(events: Sequence[str]) -> None:
    """The notifications of these events are shown no longer. Lock their mailboxes first."""
    n = Notification
    of_these = n.event_key.in_(list(events))
    query: Any = n.select(n.recipient).where(of_these, n.in_app, n.unread)
    unread = Counter(recipient for (recipient,) in query.tuples())
    n.update(in_app=False, unread=False).where(of_these, n.in_app).execute()
    for recipient, fewer in sorted(unread.items()):
        count_read(recipient, fewer)
