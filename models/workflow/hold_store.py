"""Finding the holds that are over."""

from __future__ import annotations

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.rows import tuples
from baton.models.workflow.work import ItemHold


def any_due(service: str) -> bool:
    """Return whether a hold is over: one indexed read, without a write lock."""
    with db.read_tx(service):
        return ItemHold.select(ItemHold.item).where(ItemHold.resume_at <= db.now(service)).exists()


def due_holds(tx: Transaction, limit: int) -> dict[int, str]:
    """Return the items whose hold is over, longest first, with their ticket numbers."""
    query = ItemHold.select(ItemHold.item, ItemHold.ticket_number).where(ItemHold.resume_at <= tx.now)
    return dict(tuples(query.order_by(ItemHold.resume_at, ItemHold.item).limit(limit)))
