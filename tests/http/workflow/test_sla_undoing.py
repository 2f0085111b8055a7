"""Undoing changes of policies where more is at stake: clocks that ended, counting from a change; and the cost of it all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import TicketSnapshot
from baton.models.workflow.sla_journal import note_names
from baton.pipelines.messages import ApplySlaChange, TrackClocks
from tests.factories import BACKENDS
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import (
    LOOSER,
    TIGHTER,
    change,
    clock,
    file,
    open_sla_office,
    pass_time,
    policy,
    statements,
    undo,
)

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
HOUR = 3600


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the policy for everything."""
    return open_sla_office(client)


def test_a_retired_policy_ends_clocks_and_undoing_that_lets_them_run_again(office: DesignOffice) -> None:
    file(office, "HD-1")
    before = clock("HD-1")
    done = change(office, retire=["Everything"])
    assert done["changed"] == 1 and clock("HD-1").state == "cancelled" and clock("HD-1").next_fire_at is None
    undo(office, done["id"])
    after = clock("HD-1")
    assert (after.id, after.state, after.due_at, after.stopped_at) == (before.id, "running", before.due_at, None)
    assert after.next_fire_kind == "warning"


def test_what_counted_from_a_change_of_priority_counts_from_there_again_after_an_undoing(
    databases: Any, stub_broker: Any, client: Callable[[str], Any]
) -> None:
    urgent = policy(name="Urgent", match={"priority": ["High"]}, rank=5, change="from_change")
    office = open_sla_office(client, policy(), urgent)
    file(office, "HD-1")
    pass_time(2 * HOUR)
    with write_tx("workflow") as tx:
        note_names(tx, {"HD-1": {"priority": "High"}})
        TicketSnapshot.update(priority="High").where(TicketSnapshot.ticket_number == "HD-1").execute()
        tx.announce(TrackClocks(ticket_numbers=["HD-1"]))
    office.run()
    pass_time(HOUR)
    before = clock("HD-1")
    assert before.counted_from - before.started_at >= timedelta(hours=2)
    done = change(office, {**urgent, "targets": {"first_response": "4h", "resolution": "20h"}})
    moved = clock("HD-1")
    assert moved.counted_from - before.counted_from >= timedelta(hours=1) and moved.target_seconds == 20 * HOUR
    undo(office, done["id"])
    after = clock("HD-1")
    assert (after.counted_from, after.due_at, after.target_seconds) == (before.counted_from, before.due_at, 8 * HOUR)
    again = change(office, {**urgent, "targets": {"first_response": "4h", "resolution": "30h"}})
    undo(office, again["id"])
    assert clock("HD-1").due_at == before.due_at, "also the second time"


def test_a_preview_and_a_batch_take_as_many_statements_for_many_tickets_as_for_few(
    office: DesignOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> None:
        assert office.call("POST", "/sla/preview", {"policies": [LOOSER]}).status_code == 200

    def carry(document: dict[str, Any]) -> int:
        number = office.call("POST", "/sla/changes", {"policies": [document]}).json["id"]
        return statements(lambda: office.handle(ApplySlaChange(change_id=number)), monkeypatch)

    file(office, "HD-1")
    few_carried = carry(TIGHTER)
    office.run()
    few = statements(look, monkeypatch), few_carried
    file(office, *(f"HD-{number}" for number in range(2, 12)))
    many = statements(look, monkeypatch), carry(LOOSER)
    assert few == many
