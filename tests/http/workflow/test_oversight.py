"""What coordinators see at a glance: counts of what goes wrong, absent people's work, and names beside ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import Member, SlaClock
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, SERVICE, TECHNICIAN
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import file, open_sla_office, statements

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office that promises an answer in 4 and the end in 8 hours."""
    return open_sla_office(client)


def leave(office: DesignOffice, user: str) -> None:
    """Have somebody away from now on."""
    answer = office.call("PUT", f"/members/{user}/availability", {"away_from": "2026-01-01T00:00:00Z", "away_to": None})
    assert answer.status_code == 200
    office.run()


def test_the_overview_counts_what_needs_an_eye(office: DesignOffice) -> None:
    quiet = office.call("GET", "/overview", who=COORDINATOR).json
    counted = ("in_triage", "waiting", "breached", "at_risk", "absent")
    assert [quiet[name] for name in counted] == [0, 0, 0, 0, 0]
    assert (quiet["in_triage_since"], quiet["waiting_since"]) == (None, None)
    file(office, "HD-1", "HD-2")
    file(office, "HD-3", category="thunderbird")
    leave(office, "1")
    leave(office, "4")
    file(office, "HD-4")
    with write_tx("workflow") as tx:
        SlaClock.update(due_at=tx.now - timedelta(minutes=1)).where(SlaClock.ticket_number == "HD-1").execute()
    seen = office.call("GET", "/overview", who=COORDINATOR).json
    # Three tasks that nobody owns, as there is no coordinator, and the step of the last one.
    assert (seen["in_triage"], seen["waiting"], seen["absent"]) == (1, 4, 2)
    assert (seen["breached"], seen["at_risk"]) == (2, 6)
    assert seen["waiting_since"] is not None and seen["in_triage_since"] is not None


def test_the_overview_costs_the_same_however_much_there_is(office: DesignOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    few = statements(lambda: office.call("GET", "/overview"), monkeypatch)
    file(office, *(f"HD-{number}" for number in range(1, 8)))
    assert statements(lambda: office.call("GET", "/overview"), monkeypatch) == few


@pytest.mark.parametrize("path", ["/overview", "/handovers"])
def test_only_coordinators_and_services_oversee(office: DesignOffice, path: str) -> None:
    assert [office.call("GET", path, who=who).status_code for who in (ADMIN, COORDINATOR, SERVICE)] == [200, 200, 200]
    assert [office.call("GET", path, who=who).status_code for who in (TECHNICIAN, EMPLOYEE)] == [403, 403]


def test_people_who_are_not_there_are_listed_once_each_with_their_open_work(office: DesignOffice) -> None:
    file(office, "HD-1", "HD-2", "HD-3")
    assert office.call("GET", "/handovers").json == {"items": [], "next": None}
    leave(office, "1")
    office.call("PUT", "/members/1/substitute", {"substitute": "3"})
    with write_tx("workflow"):
        Member.update(is_active=False).where(Member.user_id == "4").execute()
    leave(office, "3")  # has no open work
    first = office.call("GET", "/handovers?limit=1").json
    second = office.call("GET", f"/handovers?limit=1&cursor={first['next']}").json
    ada, gone = first["items"][0], second["items"][0]
    assert (ada["user_id"], ada["is_active"], ada["substitute"], ada["open_items"]) == ("1", True, "3", 2)
    assert (ada["away_from"], ada["away_to"]) == ("2026-01-01T00:00:00Z", None)
    assert (gone["user_id"], gone["is_active"], gone["open_items"], gone["away_from"]) == ("4", False, 1, None)
    assert ada["substitute_name"] == Member.get(Member.user_id == "3").name
    assert second["next"] is None


def test_somebody_who_comes_back_or_has_not_left_yet_is_not_listed(office: DesignOffice) -> None:
    file(office, "HD-1")
    with write_tx("workflow") as tx:
        hour = timedelta(hours=1)
        Member.update(away_from=tx.now - 2 * hour, away_to=tx.now - hour).where(Member.user_id == "1").execute()
        Member.update(away_from=tx.now + hour, open_items=1).where(Member.user_id == "4").execute()
    assert office.call("GET", "/handovers").json["items"] == []
    assert office.call("GET", "/overview").json["absent"] == 0


def test_lists_name_people_and_tickets_beside_their_ids(office: DesignOffice) -> None:
    file(office, "HD-1")
    office.call("PUT", "/members/1/substitute", {"substitute": "4"})
    member = office.call("GET", "/members?user_id=1").json["items"][0]
    assert (member["substitute"], member["substitute_name"]) == ("4", Member.get(Member.user_id == "4").name)
    assert office.call("GET", "/members?user_id=4").json["items"][0]["substitute"] is None
    clock = office.call("GET", "/sla/at-risk").json["items"][0]
    assert clock["assignee_name"] == Member.get(Member.user_id == clock["assignee"]).name != ""
    leave(office, "1")
    leave(office, "4")
    file(office, "HD-2", subject="Nobody is there")
    assert [each["subject"] for each in office.call("GET", "/waiting?kind=item").json["items"]] == ["Nobody is there"]
