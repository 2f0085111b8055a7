"""Retention of mails: those that are done with are kept as long as notifications, those that nobody has seen to stay."""

from __future__ import annotations

from datetime import timedelta

from baton.actors.scheduler import every
from baton.models import database as db
from baton.models.notifications import mail_retention
from baton.models.settings import get_settings
from baton.models.transaction import write_tx

#: Rows per transaction, and transactions per run: no writer waits long, and a backlog goes within some runs.
BATCH, BATCHES = 500, 20


@every(60, "notifications")
def delete_old_mails(service: str) -> int:
    """Delete mails and resolved failures older than BATON_NOTIFICATION_RETENTION_DAYS; return how many rows."""
    before = db.now(service) - timedelta(days=get_settings().notification_retention_days)
    deleted = 0
    for _ in range(BATCHES):
        with db.read_tx(service):
            mails, failures = mail_retention.old_mails(before, BATCH), mail_retention.old_failures(before, BATCH)
        if not mails and not failures:
            break
        with write_tx(service):
            deleted += mail_retention.delete(mails, failures)
    return deleted
