"""A queue that nobody works off turns health red before people notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.actors.broker_api import QueueState
from baton.http import health
from baton.models.settings import get_settings

QUEUE = "INAPP_NOTIFICATION_QUEUE"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return what health says of the broker when its one queue stands like this, at this moment."""
    monkeypatch.setattr(health, "_unattended_since", {})

    def check(seconds: float, ready: int, consumers: int, oldest: float | None = None) -> Any:
        states = [QueueState(queue=QUEUE, ready=ready, consumers=consumers, dead=0, oldest_seconds=oldest)]
        monkeypatch.setattr(health, "queue_states", lambda service: states)
        monkeypatch.setattr(health.time, "monotonic", lambda: 1_000.0 + seconds)
        return health.broker_check("notifications", get_settings())

    return check


def test_n10_messages_that_nobody_consumes_for_ten_minutes_turn_health_red(check: Callable[..., Any]) -> None:
    assert [check(seconds, 5, 0)["status"] for seconds in (0, 100, 130, 590, 610)] == [
        "ok",
        "ok",
        "degraded",
        "degraded",
        "failing",
    ]
    assert "baton worker notifications" in check(611, 5, 0)["reason"]
    assert check(620, 5, 1)["status"] == "ok", "a consumer is back"
    assert check(630, 5, 0)["status"] == "ok", "and gone again, just now"


def test_n10_a_consumer_that_takes_nothing_for_ten_minutes_turns_health_red(check: Callable[..., Any]) -> None:
    assert [check(0, 1, 1, oldest)["status"] for oldest in (1.0, 130.0, 601.0)] == ["ok", "degraded", "failing"]


def test_n10_an_empty_queue_is_well_however_old_what_was_in_it(check: Callable[..., Any]) -> None:
    assert [check(seconds, 0, 0)["status"] for seconds in (0, 10_000)] == ["ok", "ok"]
