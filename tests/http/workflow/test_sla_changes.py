"""Changing policies under running tickets: tried out without a trace, carried out in batches, taken back, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.actors.handling import RefusedError, delivery_of
from baton.actors.workflow import firing, sla_changes
from baton.models.runtime import runtime_tables
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import SlaCalendarVersion, SlaChange, SlaClock, SlaEvent, SlaMatch, SlaPolicyVersion
from baton.pipelines.messages import ApplySlaChange, NoteReply
from tests.factories import BACKENDS, COORDINATOR
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import ALWAYS, LOOSER, TIGHTER, change, clock, file, open_sla_office, pass_time, policy, undo

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
HOUR = 3600


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the policy for everything."""
    return open_sla_office(client)


def due(number: str) -> float:
    """Return how long after its start a ticket's resolution is due, in hours."""
    found = clock(number)
    assert found.due_at is not None
    return round((found.due_at - found.started_at).total_seconds() / HOUR, 3)


def stored() -> tuple[int, ...]:
    return tuple(t.select().count() for t in (SlaPolicyVersion, SlaCalendarVersion, SlaMatch, SlaEvent, SlaChange, SlaClock))


def test_a_preview_counts_what_would_happen_page_by_page_and_changes_nothing(office: DesignOffice) -> None:
    file(office, "HD-1")
    pass_time(3 * HOUR)
    file(office, "HD-2", "HD-3")
    before = stored()
    first = office.call("POST", "/sla/preview", {"policies": [TIGHTER], "limit": 2})
    assert first.status_code == 200, first.text
    assert (first.json["tickets"], first.json["seen"], first.json["concerned"], first.json["next"]) == (3, 2, 2, "HD-2")
    assert first.json["counts"] == {"moved": 2, "breaches": 1, "recovers": 0, "ends": 0, "begins": 0}
    late = first.json["items"][0]
    assert (late["ticket_number"], late["metric"], late["effect"]) == ("HD-1", "resolution", "breaches")
    assert late["due_then"] < first.json["as_of"] < late["due_at"]
    rest = office.call("POST", "/sla/preview", {"policies": [TIGHTER], "limit": 2, "after": "HD-2"}).json
    assert (rest["seen"], rest["counts"]["moved"], rest["next"]) == (1, 1, None)
    assert stored() == before and due("HD-1") == 8
    assert office.call("POST", "/sla/preview", {"policies": [policy()]}).json["concerned"] == 0, "nothing differs"


def test_what_would_end_or_begin_is_told_too(office: DesignOffice) -> None:
    file(office, "HD-1")
    fewer = policy(targets={"resolution": "8h"})
    told = office.call("POST", "/sla/preview", {"policies": [fewer]}).json
    assert [(item["metric"], item["effect"]) for item in told["items"]] == [("first_response", "ends")]
    retired = office.call("POST", "/sla/preview", {"retire": ["Everything"]}).json
    assert retired["counts"]["ends"] == 2
    special = policy(name="Special", rank=9, steps={"targets": {"Triage": "1h"}})
    begun = office.call("POST", "/sla/preview", {"policies": [special]}).json
    assert [(item["metric"], item["effect"]) for item in begun["items"]] == [("step", "begins")]


def test_a_change_moves_running_clocks_and_undoing_it_gives_them_back_what_they_had(office: DesignOffice) -> None:
    file(office, "HD-1", "HD-2")
    done = change(office, TIGHTER, reason="the board wants it")
    assert (done["state"], done["seen"], done["changed"], done["moved"], done["created_by"]) == ("done", 2, 2, 2, "user:1")
    assert due("HD-1") == due("HD-2") == 2
    match = SlaMatch.select().where(SlaMatch.ticket_number == "HD-1").order_by(SlaMatch.number.desc()).first()
    assert (match.decided_by, match.mode) == (f"change:{done['id']}", "from_start")
    file(office, "HD-3")
    assert due("HD-3") == 2, "new tickets get it, too"
    undone = undo(office, done["id"])
    assert (undone["kind"], undone["state"], undone["undoes"], undone["changed"]) == ("undo", "done", done["id"], 3)
    assert due("HD-1") == due("HD-3") == 8
    assert office.call("GET", f"/sla/changes/{done['id']}").json["state"] == "undone"
    file(office, "HD-4")
    assert due("HD-4") == 8
    assert office.call("POST", f"/sla/changes/{done['id']}/undo").status_code == 409


def test_a_relaxed_policy_takes_a_breach_back_with_a_note_and_what_was_told_of_it(
    office: DesignOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_NOTIFICATIONS", "on")
    get_settings.cache_clear()
    file(office, "HD-1")
    pass_time(9 * HOUR)
    firing.fire_clocks("workflow")
    breach = SlaEvent.get(SlaEvent.kind == "breach", SlaEvent.clock == clock("HD-1").id)
    answer = office.call("POST", "/sla/changes", {"policies": [LOOSER]})
    with write_tx("workflow") as tx:
        sla_changes.apply_sla_change.handle(tx, [delivery_of(ApplySlaChange(change_id=answer.json["id"]))])
    taken_back = SlaEvent.get_by_id(breach.id)
    assert taken_back.retracted_at is not None and "is due" in taken_back.note
    assert clock("HD-1").state == "running" and clock("HD-1").next_fire_kind == "warning"
    outbox = runtime_tables("workflow").Outbox
    told = [row.kwargs for row in outbox.select().where(outbox.name.contains("retract"))]
    assert any(f"sla:{breach.id}" in each for each in told)
    assert outbox.select().where(outbox.kwargs.contains("sla_breach_retracted")).count() == 1
    done = office.call("GET", f"/sla/changes/{answer.json['id']}").json
    assert (done["unbreached"], done["breached"]) == (1, 0)


def test_a_change_that_makes_a_clock_late_breaches_it_once_flagged_and_tells_nobody(office: DesignOffice) -> None:
    file(office, "HD-1")
    pass_time(3 * HOUR)
    done = change(office, TIGHTER)
    assert done["breached"] == 1
    firing.fire_clocks("workflow")
    firing.fire_clocks("workflow")
    events = list(SlaEvent.select().where(SlaEvent.clock == clock("HD-1").id))
    assert [(event.kind, event.on_attach, event.detail) for event in events] == [("breach", True, '{"tell": []}')]


def test_finished_clocks_keep_their_verdict_through_change_and_undoing(office: DesignOffice) -> None:
    file(office, "HD-1")
    pass_time(3 * HOUR)
    with write_tx("workflow") as tx:
        written_at = tx.now.isoformat()
    reply = {"comment_id": "c1", "side": "staff", "author": "user:1", "written_at": written_at}
    office.handle(NoteReply(ticket_number="HD-1", **reply))
    assert clock("HD-1", "first_response").state == "met"
    before = SlaClock.select().where(SlaClock.metric == "first_response").dicts().get()
    stricter = policy(targets={"first_response": "1h", "resolution": "2h"})
    told = office.call("POST", "/sla/preview", {"policies": [stricter]}).json
    assert [item["metric"] for item in told["items"]] == ["resolution"]
    done = change(office, stricter)
    undo(office, done["id"])
    assert done["moved"] == 1
    assert SlaClock.select().where(SlaClock.metric == "first_response").dicts().get() == before


def test_a_calendar_changes_under_the_policies_that_count_in_it(office: DesignOffice) -> None:
    file(office, "HD-1")
    weekend = {
        "time_zone": "UTC",
        "windows": {day: [["00:00", "01:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    }
    proposal = {"calendars": [{"name": "Always", "definition": weekend}]}
    assert office.call("POST", "/sla/preview", proposal).json["counts"]["moved"] == 2
    done = change(office, **proposal)
    assert done["moved"] == 2 and due("HD-1") > 100
    undo(office, done["id"])
    assert due("HD-1") == 8
    assert office.call("GET", "/sla/calendars").json["items"][0]["version"] == 1


def test_a_change_goes_on_batch_by_batch_and_a_message_again_or_out_of_order_changes_nothing(
    office: DesignOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sla_changes, "BATCH", 2)
    file(office, *(f"HD-{number}" for number in range(1, 6)))
    number = office.call("POST", "/sla/changes", {"policies": [TIGHTER]}).json["id"]
    assert office.call("POST", "/sla/changes", {"policies": [LOOSER]}).status_code == 409, "one at a time"
    assert office.call("POST", f"/sla/changes/{number}/undo").status_code == 409
    runtime_tables("workflow").Outbox.delete().execute()
    first = ApplySlaChange(change_id=number)
    office.handle(first)
    once = stored()
    office.handle(first)
    office.handle(ApplySlaChange(change_id=number, after="HD-4"))
    assert stored() == once and [due(f"HD-{n}") for n in (1, 2, 3)] == [2, 2, 8]
    progress = office.call("GET", f"/sla/changes/{number}").json
    assert (progress["state"], progress["seen"], progress["tickets"]) == ("running", 2, 5)
    runtime_tables("workflow").Outbox.delete().execute()
    assert office.call("POST", f"/sla/changes/{number}/resume").status_code == 202
    office.run()
    done = office.call("GET", f"/sla/changes/{number}").json
    assert (done["state"], done["seen"], done["changed"]) == ("done", 5, 5)
    assert office.call("POST", f"/sla/changes/{number}/resume").status_code == 409
    office.handle(first)
    assert stored() == (*once[:2], 10, *once[3:]), "late is harmless"


def test_an_unknown_change_is_refused_and_a_crash_before_the_commit_leaves_nothing(office: DesignOffice) -> None:
    file(office, "HD-1")
    with write_tx("workflow") as tx:
        delivery = delivery_of(ApplySlaChange(change_id=77))
        sla_changes.apply_sla_change.handle(tx, [delivery])
        assert "no change 77" in str(delivery.refusal)
    number = office.call("POST", "/sla/changes", {"policies": [TIGHTER]}).json["id"]
    before = stored()
    with pytest.raises(RefusedError), write_tx("workflow") as tx:
        sla_changes.apply_sla_change.handle(tx, [delivery_of(ApplySlaChange(change_id=number))])
        raise RefusedError("the process dies here")
    assert stored() == before and due("HD-1") == 8
    assert SlaChange.get_by_id(number).state == "running"


def test_what_cannot_be_carried_out_is_refused_with_every_reason_and_by_permission(office: DesignOffice) -> None:
    before = stored()
    body = {
        "policies": [policy(calendar="Nowhere"), policy(name="Odd", targets={})],
        "calendars": [{"name": "Never", "definition": {"time_zone": "UTC", "windows": {}}}],
        "retire": ["Nobody"],
    }
    for path in ("/sla/preview", "/sla/changes"):
        answer = office.call("POST", path, body)
        assert answer.status_code == 422
        assert {error["field"] for error in answer.json["errors"]} >= {
            "policies.0.calendar", "policies.1", "calendars.0.definition.windows", "retire.0",
        }  # fmt: skip
        assert office.call("POST", path, {}).status_code == 422
        assert office.call("POST", path, {"policies": [TIGHTER, TIGHTER]}).status_code == 422
        assert office.call("POST", path, {"policies": [TIGHTER]}, who=COORDINATOR).status_code == 403
    assert stored() == before
    assert office.call("GET", "/sla/changes/5").status_code == 404
    with_new = {"calendars": [{"name": "New", "definition": ALWAYS}], "policies": [policy(name="N", calendar="New", rank=1)]}
    assert office.call("POST", "/sla/changes", with_new).status_code == 202


def test_what_was_changed_again_since_cannot_be_undone_first(office: DesignOffice) -> None:
    file(office, "HD-1")
    first = change(office, TIGHTER)
    second = change(office, LOOSER)
    refused = office.call("POST", f"/sla/changes/{first['id']}/undo")
    assert refused.status_code == 409 and "changed again" in refused.json["detail"]
    undo(office, second["id"])
    assert due("HD-1") == 2
    undo(office, first["id"])
    assert due("HD-1") == 8
