"""Whether clocks fire is seen from outside: in the service's health and in its figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaSetback
from tests.factories import BACKENDS


def due(seconds_ago: float, number: str = "HD-1") -> int:
    """Store a clock that was due so long ago; return its id."""
    with write_tx("workflow") as tx:
        instant = tx.now - timedelta(seconds=seconds_ago)
        clock = SlaClock.create(
            ticket_number=number, metric="resolution", policy_version=1, calendar_version=1, target_seconds=1, started_at=instant,
            counted_from=instant, due_at=instant, state="running", attached_at=instant, match_reason="", next_fire_at=instant,
            next_fire_kind="breach", next_level=0, updated_at=instant,
        )  # fmt: skip
    return int(clock.id)


@pytest.fixture
def seen(client: Callable[[str], Any]) -> Callable[[], dict[str, Any]]:
    """Return what health says of the clocks."""
    front = client("workflow")
    return lambda: dict(front.simulate_get("/health").json["checks"]["clocks"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_health_fails_when_clocks_have_been_due_for_a_minute(seen: Callable[[], dict[str, Any]]) -> None:
    assert seen() == {"status": "ok", "overdue": 0, "oldest_seconds": 0.0, "failing": 0}
    due(-3600, "HD-0")
    due(10)
    assert (seen()["status"], seen()["overdue"]) == ("ok", 1)
    due(90, "HD-2")
    assert seen()["status"] == "failing"
    assert 85 < seen()["oldest_seconds"] < 120


def test_a_clock_that_cannot_be_fired_degrades_health_and_does_not_fail_it(seen: Callable[[], dict[str, Any]]) -> None:
    clock = due(7200)
    with write_tx("workflow") as tx:
        soon = tx.now + timedelta(seconds=60)
        SlaSetback.insert(clock=clock, ticket_number="HD-1", attempts=1, error="x", since=tx.now, next_try_at=soon).execute()
    assert seen() == {"status": "degraded", "overdue": 0, "oldest_seconds": 0.0, "failing": 1}


def test_the_figures_say_so_too(client: Callable[[str], Any], seen: Callable[[], dict[str, Any]]) -> None:
    due(90)
    text = client("workflow").simulate_get("/metrics").text
    assert 'baton_clocks_overdue{service="workflow"} 1.0' in text
    assert 'baton_clocks_failing{service="workflow"} 0.0' in text
