"""Mails that could not be delivered: what people see of them, and what they do about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from baton.models import database as db
from baton.models.notifications.email_tables import (
    FAILED,
    PENDING,
    SENT,
    SKIPPED,
    UNCERTAIN,
    EmailDelivery,
    FailedNotification,
)
from baton.models.transaction import Transaction

#: Failures that are counted at most, for health and figures.
MOST_COUNTED = 10_000


def note(tx: Transaction, delivery: EmailDelivery, error: str, *, next_retry: datetime | None, retries: int) -> None:
    """
    The mail failed, for this reason, after so many retries; `next_retry` None: it is given up.

    There is one row for each mail, however often it fails.
    """
    f = FailedNotification
    latest = {
        "error": error,
        "retry_count": retries,
        "last_retry": tx.now if retries > 0 else None,
        "next_retry": next_retry,
        "given_up": next_retry is None,
        "resolved": False,
        "resolved_at": None,
        "resolved_by": "",
    }
    row = f.insert(
        delivery=delivery.id,
        recipient=delivery.recipient,
        type=delivery.type or "digest",
        ticket_number=delivery.ticket_number,
        task_item_id=delivery.task_item_id,
        created_at=tx.now,
        **latest,
    )
    row.on_conflict(conflict_target=[f.delivery], update=latest).execute()


def note_bounce(tx: Transaction, key: str, reason: str) -> bool:
    """The mail of this key came back, for this reason; return whether it was one that was sent. Again: nothing changes."""
    e, f = EmailDelivery, FailedNotification
    error = f"came back: {reason}"
    returned = e.update(state=FAILED, error=error).where(e.message_id == key, e.state.in_((SENT, UNCERTAIN)))
    for delivery in list(returned.returning(e).execute()):
        note(tx, delivery, error, next_retry=None, retries=delivery.retries)
        f.update(bounced=True).where(f.delivery == delivery.id).execute()
        return True
    return False


def resolve(tx: Transaction, deliveries: Iterable[int], who: str) -> None:
    """What had failed of these mails is resolved."""
    f = FailedNotification
    values = {"resolved": True, "resolved_at": tx.now, "resolved_by": who, "next_retry": None}
    f.update(values).where(f.delivery.in_(sorted(deliveries)), ~f.resolved).execute()


def lock(tx: Transaction, failure: int) -> FailedNotification | None:
    """Return a failure; nobody else changes it until the commit. None: there is none."""
    query = FailedNotification.select().where(FailedNotification.id == failure)
    if not db.is_sqlite(tx.database):
        query = query.for_update()
    return query.first()


def send_again(tx: Transaction, deliveries: Iterable[int]) -> list[int]:
    """Those of these mails that were given up are due now, with all their retries before them; return which."""
    rows = sorted(deliveries)
    e, f = EmailDelivery, FailedNotification
    again = e.update(state=PENDING, send_after=tx.now, retries=0, handed_over_at=None, digest_key=None)
    given_up = again.where(e.id.in_(rows), e.state.in_((FAILED, UNCERTAIN))).returning(e.id)
    sent: list[int] = sorted(row.id for row in given_up.execute())
    f.update(given_up=False, next_retry=tx.now).where(f.delivery.in_(sent)).execute()
    return sent


def give_up(tx: Transaction, delivery: int, reason: str) -> None:
    """The mail that waits or was given up is not sent any more."""
    e = EmailDelivery
    waiting = e.state.in_((PENDING, FAILED, UNCERTAIN))
    e.update(state=SKIPPED, error=reason).where(e.id == delivery, waiting).execute()


def given_up(after: int, limit: int) -> list[FailedNotification]:
    """Return failures that wait for somebody, by id from `after` on."""
    f = FailedNotification
    query: Any = f.select().where(~f.resolved, f.given_up, f.id > after)
    return list(query.order_by(f.id).limit(limit))


def figures(now: datetime) -> dict[str, float]:
    """Return how many mails failed and wait for somebody (up to MOST_COUNTED), and for how long the oldest due one has waited."""
    e, f = EmailDelivery, FailedNotification
    waiting: Any = e.select(e.send_after).where(e.state == PENDING, e.send_after <= now).order_by(e.send_after)
    oldest: datetime | None = waiting.limit(1).scalar()
    return {
        "failed": f.select(f.id).where(~f.resolved, f.given_up).limit(MOST_COUNTED).count(),
        "retrying": f.select(f.id).where(~f.resolved, ~f.given_up).limit(MOST_COUNTED).count(),
        "overdue_seconds": (now - oldest).total_seconds() if oldest is not None else 0.0,
    }
