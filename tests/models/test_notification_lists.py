"""A recipient's lists and counts read what they show, not what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from baton.models import database
from baton.models.notifications import Mailbox, Notification, listing

AT = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _many(databases: Any) -> Iterator[None]:
    with database.connection("notifications"), database.write_lock("notifications"):
        rows = [
            {
                "recipient": f"user:{n % 5}", "number": n // 5 + 1, "event_key": f"e{n}", "type": f"type{n % 3}",
                "reason": "owner", "subject": "s", "message": "m", "ticket_number": f"HD-{n % 50}",
                "in_app": n % 7 != 0, "unread": n % 4 == 0,
                "created_at": AT,
            }
            for n in range(2_000)
        ]  # fmt: skip
        for start in range(0, len(rows), 500):
            Notification.insert_many(rows[start : start + 500]).execute()
        Mailbox.insert_many([{"recipient": f"user:{n}", "newest": 400} for n in range(5)]).execute()
    with database.connection("notifications"):
        yield


@pytest.mark.parametrize("narrow", [{}, {"unread": True}, {"kind": "type1"}, {"ticket": "HD-7"}])
def test_every_list_is_read_from_an_index_in_its_order(narrow: dict[str, Any]) -> None:
    n = Notification
    query = listing.shown("user:2", **narrow).where(n.number < 300).order_by(n.number.desc()).limit(51)
    sql, parameters = query.sql()
    plan = [row[3] for row in n._meta.database.execute_sql(f"explain query plan {sql}", parameters).fetchall()]
    assert len(plan) == 1, plan
    assert "USING INDEX notification_recipient_in_app" in plan[0] and "number<" in plan[0], plan
