"""A recipient's own notifications: finding them, and marking them read or unread. Only what is shown counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from baton.models.notifications.mailboxes import count_read, lock_mailboxes, topic_of
from baton.models.notifications.tables import Mailbox, Notification
from baton.models.transaction import Transaction

#: The value of `in_app` of what is shown. Compared with, not just named: SQLite finds a bare column in no index.
_SHOWN = True


def shown(recipient: str, *, unread: bool | None = None, kind: str | None = None, ticket: str | None = None) -> Any:
    """Return the query for the recipient's notifications that fit all of these."""
    n = Notification
    query = n.select().where(n.recipient == recipient, n.in_app == _SHOWN)
    if unread is not None:
        query = query.where(n.unread == unread)
    if kind is not None:
        query = query.where(n.type == kind)
    return query if ticket is None else query.where(n.ticket_number == ticket)


def after(recipient: str, number: int, most: int) -> list[Notification]:
    """Return the recipient's notifications after this number, oldest first."""
    n = Notification
    return list(shown(recipient).where(n.number > number).order_by(n.number).limit(most))


def find(recipient: str, notification: int) -> Notification | None:
    """Return the recipient's notification of this id."""
    found: Notification | None = shown(recipient).where(Notification.id == notification).first()
    return found


def count_unread(recipient: str) -> int:
    """Return how many of the recipient's notifications are unread: a number that is kept, not counted."""
    row = Mailbox.get_or_none(Mailbox.recipient == recipient)
    return 0 if row is None else row.unread


def newest_numbers(recipients: Sequence[str]) -> dict[str, int]:
    """Return the newest number of each of these recipients who was ever told anything."""
    query: Any = Mailbox.select(Mailbox.recipient, Mailbox.newest).where(Mailbox.recipient.in_(list(recipients)))
    return dict(query.tuples())


def mark(tx: Transaction, recipient: str, notifications: Iterable[int], *, read: bool) -> int:
    """These notifications of the recipient are read, or unread; return how many changed. Others' are left alone."""
    n = Notification
    return _mark(tx, recipient, n.id.in_(sorted(set(notifications))), read=read)


def mark_all(tx: Transaction, recipient: str, *, up_to: int | None, kind: str | None, ticket: str | None) -> int:
    """All of the recipient's notifications that fit, up to this id, are read; return how many changed."""
    n = Notification
    wanted: Any = n.in_app == _SHOWN
    if up_to is not None:
        wanted &= n.id <= up_to
    if kind is not None:
        wanted &= n.type == kind
    if ticket is not None:
        wanted &= n.ticket_number == ticket
    return _mark(tx, recipient, wanted, read=True)


def _mark(tx: Transaction, recipient: str, wanted: Any, *, read: bool) -> int:
    n = Notification
    lock_mailboxes(tx, [recipient])
    values = {n.unread: not read, n.read_at: tx.now if read else None}
    changed = n.update(values).where(n.recipient == recipient, n.in_app == _SHOWN, n.unread == read, wanted).execute()
    count_read(recipient, changed if read else -changed)
    if changed:
        tx.signal(topic_of(recipient))
    return int(changed)
