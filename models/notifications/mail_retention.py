"""Old mails go away; one that failed and was not seen to stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from baton.models.notifications.email_tables import FAILED, SENT, SKIPPED, EmailDelivery, FailedNotification


def old_mails(before: datetime, most: int) -> list[int]:
    """Return up to so many mails that are done with and were due before this instant."""
    e = EmailDelivery
    found: list[int] = []
    for state in (SENT, SKIPPED):
        query: Any = e.select(e.id).where(e.state == state, e.send_after < before)
        found += [row for (row,) in query.order_by(e.send_after, e.id).limit(most - len(found)).tuples()]
    return found


def old_failures(before: datetime, most: int) -> list[tuple[int, int]]:
    """Return up to so many failures that were resolved before this instant, each with its mail."""
    f = FailedNotification
    query: Any = f.select(f.id, f.delivery).where(f.resolved == True, f.resolved_at < before)  # noqa: E712
    return list(query.order_by(f.resolved_at).limit(most).tuples())


def delete(mails: list[int], failures: list[tuple[int, int]]) -> int:
    """Delete these mails and failures, as far as they still are as they were found; return how many rows."""
    e, f = EmailDelivery, FailedNotification
    gone = f.delete().where(f.id.in_([row for row, _ in failures]), f.resolved).execute()
    # A mail whose failure was resolved by hand may still bear the state in which it failed.
    seen_to = [delivery for _, delivery in failures]
    gone += e.delete().where(e.id.in_(seen_to), e.state.in_((FAILED, SENT, SKIPPED))).execute()
    return int(gone + e.delete().where(e.id.in_(mails), e.state.in_((SENT, SKIPPED))).execute())
