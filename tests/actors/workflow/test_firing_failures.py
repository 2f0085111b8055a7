"""A clock that cannot be fired holds nobody up, is tried again, is reported, and stays where people see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from baton.actors.workflow import firing
from baton.models import database as db
from baton.models.database import DatabaseUnavailableError
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent, SlaPolicyVersion, SlaSetback
from baton.models.workflow import firing_store as store
from tests.actors.workflow.passing_time import fired, outgoing, pass_time, promise
from tests.factories import BACKENDS

DAY = 24 * 3600


@pytest.fixture
def culprit(desk: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Ten due clocks, one of which makes whoever fires it fail; the value is its id."""
    promise(escalations=[], warnings=[])
    desk.file(10, submitted_at=None)
    pass_time(DAY)
    broken = SlaClock.select().order_by(SlaClock.id).offset(4).first().id
    decide = firing.fire

    def fail(due: Any, now: Any) -> Any:
        if due.id == broken:
            raise ZeroDivisionError("secret-free reason")
        return decide(due, now)

    monkeypatch.setattr(firing, "fire", fail)
    return int(broken)


def retry_now() -> None:
    """Let the pause of every clock that failed be over."""
    with write_tx("workflow") as tx:
        SlaSetback.update(next_try_at=tx.now - timedelta(seconds=1)).execute()


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_that_fails_leaves_the_others_to_fire(culprit: int) -> None:
    assert firing.fire_clocks("workflow") == 9
    assert {event.clock for event in SlaEvent.select()} == {each.id for each in SlaClock.select()} - {culprit}
    [setback] = SlaSetback.select()
    assert (setback.clock, setback.attempts) == (culprit, 1)
    assert "ZeroDivisionError" in setback.error


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_tried_again_later_and_later_and_becomes_an_issue_once(culprit: int, caplog: Any) -> None:
    firing.fire_clocks("workflow")
    pauses = []
    for tries in range(2, 8):
        assert firing.fire_clocks("workflow") == 0
        assert SlaSetback.get().attempts == tries - 1, "not before its pause is over"
        retry_now()
        firing.fire_clocks("workflow")
        pauses.append((SlaSetback.get().next_try_at - db.now("workflow")).total_seconds())
    assert SlaSetback.get().attempts == 7
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(20, abs=3)
    assert pauses[-1] == pytest.approx(600, abs=45)
    [issue] = outgoing("issues.record_issue")
    assert issue["title"].startswith("ZeroDivisionError: an SLA clock cannot be fired")
    assert issue["ticket_number"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_stays_in_sight_and_fires_once_it_can(culprit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    firing.fire_clocks("workflow")
    with db.read_tx("workflow"):
        assert store.overdue("workflow", 100) == {"overdue": 0, "oldest_seconds": 0.0, "failing": 1}
    monkeypatch.undo()
    retry_now()
    assert firing.fire_clocks("workflow") == 1
    assert len(fired()) == 10
    assert not SlaSetback.select().exists()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_next_run_comes_when_it_is_tried_again(culprit: int) -> None:
    firing.fire_clocks("workflow")
    due = store.next_due("workflow")
    assert due == SlaSetback.get().next_try_at


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_policy_that_cannot_be_read_fails_its_own_clocks_only(desk: Any) -> None:
    promise(escalations=[], warnings=[])
    desk.file(2, submitted_at=None)
    good = promise(name="Other", rank=5, escalations=[], warnings=[])
    [number] = desk.file(submitted_at=None)
    assert SlaClock.get(SlaClock.ticket_number == number).policy_version == good
    pass_time(DAY)
    SlaPolicyVersion.update(definition="{").where(SlaPolicyVersion.id != good).execute()
    assert firing.fire_clocks("workflow") == 1
    assert SlaSetback.select().count() == 2


def test_a_database_that_is_away_is_nobodys_fault(culprit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise DatabaseUnavailableError("away")

    monkeypatch.setattr(firing, "fire", away)
    with pytest.raises(DatabaseUnavailableError):
        firing.fire_clocks("workflow")
    assert not SlaSetback.select().exists()


def test_the_failures_of_clocks_that_stopped_are_forgotten(culprit: int) -> None:
    firing.fire_clocks("workflow")
    assert firing.forget_setbacks("workflow") == 0
    SlaClock.update(next_fire_at=None).where(SlaClock.id == culprit).execute()
    assert firing.forget_setbacks("workflow") == 1
