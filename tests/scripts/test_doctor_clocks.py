"""What the doctor says of clocks and of who fires them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from baton.actors.scheduler_lease import Leadership
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent, SlaSetback
from baton.scripts.checks.clocks import check_clocks, check_schedule
from tests.factories import BACKENDS


def levels() -> dict[str, str]:
    """Return how bad each finding about clocks is, by its name; the worst of a name."""
    found: dict[str, str] = {}
    for finding in check_clocks(full=False, older_than=0):
        if found.get(finding.check) != "fail":
            found[finding.check] = finding.level
    return found


def store(due_seconds_ago: float, *, fires: bool) -> int:
    """Store a running clock; `fires`: its breach is still to come."""
    with write_tx("workflow") as tx:
        due = tx.now - timedelta(seconds=due_seconds_ago)
        clock = SlaClock.create(
            ticket_number="HD-1", metric="resolution", policy_version=1, calendar_version=1, target_seconds=1, started_at=due,
            counted_from=due, due_at=due, state="running", attached_at=due, match_reason="", next_fire_at=due if fires else None,
            next_fire_kind="breach" if fires else None, next_level=0 if fires else None, updated_at=due,
        )  # fmt: skip
    return int(clock.id)


def breach(clock: int, *, round_: int = 0, late: bool = False, **changes: Any) -> None:
    """Store a breach of a clock."""
    with write_tx("workflow") as tx:
        SlaEvent.create(
            clock=clock, ticket_number="HD-1", round=round_, kind="breach", due_at=tx.now, fired_at=tx.now, late=late, **changes
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_is_well_where_what_is_past_due_has_its_breach(databases: Any) -> None:
    breach(store(3600, fires=False))
    assert set(levels().values()) == {"ok"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_overdue_clocks_and_those_that_cannot_be_fired_fail(databases: Any) -> None:
    clock = store(90, fires=True)
    assert levels()["clocks fire"] == "fail"
    with write_tx("workflow") as tx:
        soon = tx.now + timedelta(seconds=60)
        SlaSetback.insert(clock=clock, ticket_number="HD-1", attempts=3, error="E: x", since=tx.now, next_try_at=soon).execute()
    details = [finding.detail for finding in check_clocks(full=False, older_than=0) if finding.level == "fail"]
    assert any("HD-1 (3 times: E: x)" in detail for detail in details)


@pytest.mark.parametrize("taken_back", [False, True])
def test_an_open_clock_that_is_past_due_without_a_breach_that_holds_fails(databases: Any, taken_back: bool) -> None:
    clock = store(3600, fires=False)
    if taken_back:
        with write_tx("workflow") as tx:
            breach(clock, retracted_at=tx.now)
    assert levels()["breaches are noticed"] == "fail"


def test_a_level_that_holds_twice_fails_and_a_late_one_warns(databases: Any) -> None:
    clock = store(3600, fires=False)
    breach(clock, late=True)
    assert (levels()["levels fire once"], levels()["clocks fire in time"]) == ("ok", "warn")
    breach(clock, round_=1)
    assert levels()["levels fire once"] == "fail"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_service_without_a_leader_fails_and_a_job_that_failed_warns(databases: Any) -> None:
    services = ("workflow", "helpdesk")
    assert [finding.level for finding in check_schedule(services)] == ["fail"]
    for service in services:
        Leadership(service).keep()
    assert [finding.level for finding in check_schedule(services)] == ["ok"]
    with write_tx("workflow") as tx:
        run = runtime_tables("workflow").JobRun
        run.insert(name="j", holder="h:1", started_at=tx.now, ended_at=tx.now, error="ZeroDivisionError: x").execute()
    assert [finding.level for finding in check_schedule(services)] == ["ok", "warn"]
