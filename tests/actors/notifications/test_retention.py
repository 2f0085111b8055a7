"""Retention: old notifications go away with their unread counts, in batches; what is still to be mailed stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from baton.actors.notifications import retention
from baton.models import database
from baton.models.notifications import EmailDelivery, Notification, Retraction
from baton.models.settings import get_settings
from tests.factories import BACKENDS
from tests.told import handle, retract, shown, told, unread

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(autouse=True)
def _service(databases: Any, stub_broker: Any) -> Iterator[None]:
    with database.connection("notifications"):
        yield


def grow_old(days: int) -> None:
    then = database.now("notifications") - timedelta(days=days)
    Notification.update(created_at=then).execute()
    Retraction.update(retracted_at=then).execute()


def test_what_is_older_than_the_setting_says_goes_and_counts_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_NOTIFICATION_RETENTION_DAYS", "30")
    get_settings.cache_clear()
    monkeypatch.setattr(retention, "BATCH", 2)
    handle(*(told("task_transfer_out", user) for user in (7, 7, 7, 8)))
    retract("comment:1")
    grow_old(31)
    handle(told("task_transfer_out", 7))
    assert retention.delete_old_notifications("notifications") == 5
    assert len(shown("user:7")) == unread("user:7") == 1
    assert (shown("user:8"), unread("user:8"), Retraction.select().count()) == ([], 0, 0)
    assert retention.delete_old_notifications("notifications") == 0


def test_what_waits_to_be_mailed_stays_until_it_has_been() -> None:
    handle(told("task_assignment"))
    grow_old(100)
    assert retention.delete_old_notifications("notifications") == 0
    EmailDelivery.update(state="sent").execute()
    assert retention.delete_old_notifications("notifications") == 1


def test_numbers_are_never_used_again() -> None:
    handle(told("task_transfer_out"))
    grow_old(100)
    retention.delete_old_notifications("notifications")
    handle(told("task_transfer_out"))
    assert [row.number for row in shown("user:7")] == [2]
