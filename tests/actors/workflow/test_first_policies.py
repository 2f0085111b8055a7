"""Tickets that came before the first policies: they get their clocks when these are seeded, or the doctor says so."""

from __future__ import annotations

from typing import Any

import pytest

from baton.actors.workflow import seeding, sla_changes
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import SlaChange, SlaClock, SlaEvent, SlaMatch
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from baton.pipelines.messages import SeedWorkflows, WithdrawTicket
from baton.scripts.checks.clocks import check_clocks
from tests.factories import BACKENDS, ticket_data

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def finding() -> Any:
    """Return what the doctor says of tickets without clocks."""
    (found,) = (each for each in check_clocks(full=False, older_than=0) if each.check == "tickets have clocks")
    return found


def test_seeding_the_first_policies_gives_open_tickets_their_clocks(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sla_changes, "BATCH", 2)
    now = database.now("workflow").isoformat()
    numbers = desk.file(5, submitted_at=now)
    (ended,) = desk.file(submitted_at=now)
    desk.send(WithdrawTicket(payload={"ticket": ticket_data(ended)}, request_id="w1"))
    desk.run()
    assert SlaClock.select().count() == 0
    desk.send(SeedWorkflows())
    desk.run()
    for number in numbers:
        clocks = list(SlaClock.select().where(SlaClock.ticket_number == number))
        assert {clock.metric for clock in clocks} == {"first_response", "resolution", "step"}
        assert {clock.state for clock in clocks} == {"running"}
    assert SlaClock.select().where(SlaClock.ticket_number == ended).count() == 0
    (change,) = SlaChange.select()
    assert (change.state, change.seen, change.changed, change.created_by) == ("done", 5, 5, "system")
    assert SlaEvent.select().count() == 0
    desk.send(SeedWorkflows(), SeedWorkflows())
    desk.run()
    assert SlaChange.select().count() == 1, "twice is once"
    assert finding().level == "ok"


def test_seeding_where_no_ticket_is_open_changes_no_ticket(desk: Any) -> None:
    desk.send(SeedWorkflows())
    assert SlaChange.select().count() == 0
    (number,) = desk.file()
    assert SlaClock.select().where(SlaClock.ticket_number == number).exists()


def test_seeding_that_dies_before_its_commit_leaves_neither_policies_nor_a_change(desk: Any) -> None:
    desk.file(2)
    with pytest.raises(RuntimeError), write_tx("workflow") as tx:
        seeding.seed_calendars(tx)
        seeding.seed_policies(tx)
        raise RuntimeError("the process dies")
    assert SlaChange.select().count() == 0
    assert not runtime_tables("workflow").Outbox.select().exists()


def test_the_doctor_warns_of_open_tickets_that_a_later_policy_would_match(desk: Any) -> None:
    first, second = desk.file(2, priority="Low")
    assert finding().level == "ok", "no policy matches them"
    with write_tx("workflow") as tx:
        store_calendar(tx, "Always", {"time_zone": "UTC", "windows": "always"}, "user:1")
        document = {"name": "Late", "calendar": "Always", "match": {"priority": ["Low"]}, "targets": {"resolution": "8h"}}
        store_policy(tx, "Late", document, "user:1")
    warned = finding()
    assert warned.level == "warn" and warned.detail.startswith("2 open tickets")
    assert first in warned.detail and second in warned.detail
    assert SlaMatch.select().where(SlaMatch.policy_version.is_null(False)).count() == 0, "looking changes nothing"
