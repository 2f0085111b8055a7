"""Old mails go; what failed and was not seen to stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from baton.actors.notifications.mail_retention import delete_old_mails
from baton.models import database
from baton.models.notifications import EmailDelivery, failure_store
from baton.models.notifications.email_tables import FailedNotification
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def mail(key: str, state: str, *, days: int, failure: str = "") -> None:
    """Have a mail in this state that was due so many days ago; `failure`: `open`, or `resolved` as long ago."""
    with write_tx("notifications") as tx:
        then = tx.now - timedelta(days=days)
        row = EmailDelivery.create(recipient="user:7", message_id=key, state=state, send_after=then, created_at=then)
        if failure:
            failure_store.note(tx, row, "550", next_retry=None, retries=0)
        if failure == "resolved":
            failure_store.resolve(tx, [row.id], "operator")
            FailedNotification.update(resolved_at=then).where(FailedNotification.delivery == row.id).execute()


def test_mails_that_are_done_with_go_after_the_set_days_and_failures_nobody_saw_to_stay(databases: Any) -> None:
    for state in ("sent", "skipped", "failed", "uncertain", "pending"):
        mail(f"old {state}", state, days=91, failure="open" if state in ("failed", "uncertain") else "")
    mail("new sent", "sent", days=89)
    mail("old and seen to", "failed", days=91, failure="resolved")
    mail("new and seen to", "failed", days=89, failure="resolved")
    assert delete_old_mails("notifications") == 4
    assert delete_old_mails("notifications") == 0
    with database.read_tx("notifications"):
        left = {row.message_id for row in EmailDelivery.select()}
        assert FailedNotification.select().count() == 3
    assert left == {"old failed", "old uncertain", "old pending", "new sent", "new and seen to"}
