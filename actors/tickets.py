"""The submission gateway's message handler: receipts follow the workflow's status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models import tickets
from baton.models.transaction import Transaction
from baton.pipelines.messages import UpdateGatewayStatus
from baton.pipelines.status_sync import is_news
from baton.pipelines.statuses import TICKET_STATUSES

log = structlog.get_logger("baton.tickets")


@handles(
    UpdateGatewayStatus,
    service="tickets",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def update_status(tx: Transaction, deliveries: Sequence[Delivery[UpdateGatewayStatus]]) -> None:
    """Receipts bear the newest status told. Receipts that are not ours are left alone."""
    told = [(tickets.row_id_of(delivery.message.ticket_id), delivery) for delivery in deliveries if _is_status(delivery)]
    before = tickets.lock_states(row_id for row_id, _ in told if row_id is not None)
    after = dict(before)
    for row_id, delivery in told:
        row = after.get(row_id or 0)
        version = delivery.envelope.version
        if row is None:
            log.warning("status_of_unknown_receipt", ticket=delivery.message.ticket_id, status=delivery.message.status)
        elif is_news(version, row.status_version):
            known = row.status_version if version is None else version
            after[row.id] = replace(row, status=delivery.message.status, status_version=known)
    tickets.store_states([row for row_id, row in after.items() if row != before[row_id]], tx.now)


def _is_status(delivery: Delivery[UpdateGatewayStatus]) -> bool:
    if delivery.message.status in TICKET_STATUSES:
        return True
    delivery.refuse(f"status: {delivery.message.status!r} is no ticket status")
    return False
