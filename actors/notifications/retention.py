"""Retention: notifications are kept for as many days as the setting says."""

from __future__ import annotations

from datetime import timedelta

from baton.actors.scheduler import every
from baton.models import database as db
from baton.models.notifications import retention
from baton.models.settings import get_settings
from baton.models.transaction import write_tx

#: Notifications per transaction, and transactions per run: no writer waits long, and a backlog goes within some runs.
BATCH, BATCHES = 500, 20


@every(60, "notifications")
def delete_old_notifications(service: str) -> int:
    """Delete notifications older than BATON_NOTIFICATION_RETENTION_DAYS; return how many rows."""
    before = db.now(service) - timedelta(days=get_settings().notification_retention_days)
    deleted = 0
    for _ in range(BATCHES):
        if not retention.any_older(before):
            break
        with write_tx(service) as tx:
            deleted += retention.delete_older(tx, before, BATCH)
    return deleted
