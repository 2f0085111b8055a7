"""
Mails on their way out: claimed for a while by one sender, handed over, and what became of them.

A sender holds a claim (its token, in the row, until a time). Whatever it writes about a mail counts only while the claim is its
own: one that was slow or stood still finds that somebody else has taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from baton.models import database as db
from baton.models.notifications.email_tables import PENDING, SENDING, UNCERTAIN, EmailDelivery
from baton.models.notifications.tables import Notification
from baton.models.transaction import Transaction

#: Senders that died and are found in one transaction.
_MOST_LOST = 200


def is_due(now: datetime) -> bool:
    """Whether a mail is due, or a claim has run out."""
    e = EmailDelivery
    due = e.select(e.id).where(e.state == PENDING, e.send_after <= now).limit(1)
    lost = e.select(e.id).where(e.state == SENDING, e.claimed_until <= now).limit(1)
    return bool(list(due.tuples()) or list(lost.tuples()))


def next_due() -> datetime | None:
    """Return when the next mail is due, None when none waits."""
    e = EmailDelivery
    instant: datetime | None = e.select(e.send_after).where(e.state == PENDING).order_by(e.send_after).limit(1).scalar()
    return instant


def make_due(tx: Transaction, deliveries: Sequence[int]) -> set[int]:
    """Those of these mails that wait are due now at the latest; return which of them there are, whatever their state."""
    if not deliveries:
        return set()
    e = EmailDelivery
    e.update(send_after=tx.now).where(e.id.in_(list(deliveries)), e.state == PENDING, e.send_after > tx.now).execute()
    query: Any = e.select(e.id).where(e.id.in_(list(deliveries)))
    return {row for (row,) in query.tuples()}


def add_text(tx: Transaction, *, key: str, recipient: str, subject: str, message: str, ticket_number: str | None) -> None:
    """A mail of this text waits, due now; the same key again adds none."""
    row = EmailDelivery.insert(
        message_id=key,
        recipient=recipient,
        subject=subject,
        message=message,
        type="other",
        ticket_number=ticket_number,
        send_after=tx.now,
        created_at=tx.now,
    )
    row.on_conflict_ignore().execute()


def claim(tx: Transaction, token: str, until: datetime, limit: int) -> list[EmailDelivery]:
    """Take up to `limit` due mails, longest due first, for the sender `token` until then; return them."""
    e = EmailDelivery
    due: Any = e.select(e.id).where(e.state == PENDING, e.send_after <= tx.now).order_by(e.send_after, e.id).limit(limit)
    if not db.is_sqlite(tx.database):
        due = due.for_update("FOR UPDATE SKIP LOCKED")
    rows = [row for (row,) in due.tuples()]
    if not rows:
        return []
    taken = e.update(state=SENDING, claim=token, claimed_until=until, handed_over_at=None).where(e.id.in_(rows))
    found: list[EmailDelivery] = list(taken.returning(e).execute())
    return sorted(found, key=lambda row: (row.send_after, row.id))


def hold(tx: Transaction, delivery: int, token: str, until: datetime, *, handed_over: bool) -> bool:
    """
    The sender keeps the mail until then, and notes whether the server has the whole of it from now on.

    Returns whether the claim was still the sender's; if not, it must not send.
    """
    e = EmailDelivery
    values = {"claimed_until": until, "handed_over_at": tx.now if handed_over else None}
    return bool(e.update(values).where(e.id == delivery, e.claim == token, e.state == SENDING).execute())


def release(tx: Transaction, token: str) -> int:
    """Mails that this sender holds, and has not handed over, wait again as if they had not been claimed; return how many."""
    e = EmailDelivery
    values = {"state": PENDING, "claim": None, "claimed_until": None}
    return int(e.update(values).where(e.claim == token, e.state == SENDING, e.handed_over_at.is_null()).execute())


def settle(tx: Transaction, delivery: int, token: str, values: Mapping[str, Any]) -> bool:
    """The mail stands like this from now on. False, and nothing happens, when the claim is not the sender's any more."""
    e = EmailDelivery
    row = {"claim": None, "claimed_until": None, "handed_over_at": None, **values}
    return bool(e.update(row).where(e.id == delivery, e.claim == token).execute())


def take_lost(tx: Transaction) -> tuple[int, list[EmailDelivery]]:
    """
    Mails whose sender died wait again if the server did not have the whole of them; the others are uncertain.

    Returns how many wait again, and the uncertain ones.
    """
    e = EmailDelivery
    lost: Any = e.select(e.id).where(e.state == SENDING, e.claimed_until <= tx.now).order_by(e.claimed_until).limit(_MOST_LOST)
    if not db.is_sqlite(tx.database):
        lost = lost.for_update("FOR UPDATE SKIP LOCKED")
    rows = [row for (row,) in lost.tuples()]
    if not rows:
        return 0, []
    free = {"claim": None, "claimed_until": None}
    handed_over = e.id.in_(rows) & e.handed_over_at.is_null(False)
    uncertain = list(e.update(state=UNCERTAIN, **free).where(handed_over).returning(e).execute())
    others = e.update(state=PENDING, **free).where(e.id.in_(rows), e.handed_over_at.is_null())
    return int(others.execute()), uncertain


def contents_of(deliveries: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return, by mail, the notifications in it, oldest first, as columns by name."""
    n = Notification
    columns = (n.email, n.type, n.reason, n.subject, n.message, n.ticket_number, n.detail, n.roles)
    query: Any = n.select(*columns).where(n.email.in_(list(deliveries))).order_by(n.id).dicts()
    found: dict[int, list[dict[str, Any]]] = {}
    for row in query:
        found.setdefault(row["email"], []).append(row)
    return found
