"""
Mails that have not left, as the notifications write them. Whoever sends locks a mail's row to claim it, as this module does to
add to it or take from it: what is in a mail is what is in it when it is claimed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from baton.models import database as db
from baton.models.notifications.email_tables import PENDING, SKIPPED, EmailDelivery
from baton.models.notifications.tables import Notification
from baton.models.transaction import Transaction


class Waiting(NamedTuple):
    """A notification in a mail that has not left."""

    id: int
    recipient: str
    type: str
    ticket_number: str | None
    task_item_id: int | None
    detail: str


def lock_waiting(tx: Transaction, recipients: Iterable[str], ticket_numbers: Iterable[str]) -> list[Waiting]:
    """Return what waits to be mailed to these recipients about these tickets, oldest first; the mails stay until the commit."""
    people, tickets = sorted(set(recipients)), sorted(set(ticket_numbers))
    if not people or not tickets:
        return []
    e, n = EmailDelivery, Notification
    mails = _ids(tx, e.select(e.id).where(e.recipient.in_(people), e.state == PENDING))
    query: Any = n.select(n.id, n.recipient, n.type, n.ticket_number, n.task_item_id, n.detail)
    found = query.where(n.email.in_(mails), n.ticket_number.in_(tickets)).order_by(n.id)
    return [Waiting(*row) for row in found.tuples()]


def lock_mails(tx: Transaction, mails: Iterable[int]) -> None:
    """Keep these mails as they are until the commit."""
    _ids(tx, EmailDelivery.select(EmailDelivery.id).where(EmailDelivery.id.in_(sorted(set(mails)))))


def open_digests(tx: Transaction, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return, by recipient and digest key, the unclaimed mails that gather these digests; they stay so until the commit."""
    wanted = set(keys)
    if not wanted:
        return {}
    e = EmailDelivery
    query: Any = e.select(e.recipient, e.digest_key, e.id).where(
        e.recipient.in_(sorted({recipient for recipient, _ in wanted})),
        e.state == PENDING,
        e.digest_key.in_(sorted({key for _, key in wanted})),
    )
    if not db.is_sqlite(tx.database):
        query = query.for_update()
    rows = query.order_by(e.id).tuples()
    return {(recipient, key): mail for recipient, key, mail in rows if (recipient, key) in wanted}


def add_mails(tx: Transaction, mails: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Add mails that wait; return their rows by message id. Each has the columns that have no default."""
    if not mails:
        return {}
    e = EmailDelivery
    rows = [{**mail, "created_at": tx.now} for mail in mails]
    made: Any = e.insert_many(rows).returning(e.message_id, e.id)
    return dict(made.tuples().execute())


def message_key(*parts: str) -> str:
    """Return the unchanging part of a mail's message id, which follows from what the mail is about."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def take_out(tx: Transaction, notifications: Iterable[int], reason: str) -> None:
    """These notifications are not mailed; a mail with nothing left in it is skipped for this reason. Lock the mails first."""
    rows = sorted(set(notifications))
    if not rows:
        return
    e, n = EmailDelivery, Notification
    query: Any = n.select(n.email).where(n.id.in_(rows), n.email.is_null(False))
    mails = sorted({mail for (mail,) in query.tuples()})
    n.update(email=None).where(n.id.in_(rows)).execute()
    full = n.select(n.email).where(n.email.in_(mails))
    e.update(state=SKIPPED, error=reason).where(e.id.in_(mails), e.state == PENDING, e.id.not_in(full)).execute()


def _ids(tx: Transaction, mails: Any) -> list[int]:
    mails = mails.order_by(EmailDelivery.id)
    return [mail for (mail,) in (mails if db.is_sqlite(tx.database) else mails.for_update()).tuples()]
