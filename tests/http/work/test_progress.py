"""A ticket's progress: told to its requester and to staff who see it, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from baton.pipelines.permissions import Principal
from tests.factories import SERVICE, bearer
from tests.http.work.conftest import Office, person


def read(office: Office, number: str, who: Principal) -> Any:
    return office.front.simulate_get(f"/api/v1/progress/{number}", headers=bearer(who))


def requester(office: Office, number: str) -> Principal:
    import json

    from baton.models.workflow import TicketSnapshot

    data = json.loads(TicketSnapshot.get(TicketSnapshot.ticket_number == number).ticket_data)
    return Principal("employee", str(data["employee"]["id"]), "Requester")


def test_the_requester_sees_the_steps_and_who_has_the_ticket(office: Office) -> None:
    number, _ = office.at_step_two()
    answer = read(office, number, requester(office, number))
    assert answer.status_code == 200
    assert [stage["state"] for stage in answer.json["stages"]] == ["done", "now", "next"]
    assert answer.json["stages"][1]["assignee"]


@pytest.mark.parametrize(
    "who",
    [
        Principal("employee", "somebody-else", "Other"),
        person(99, "Budget Manager"),
        Principal("user", "55", "No role here", roles=frozenset({"ams:Admin"})),
    ],
)
def test_to_others_the_ticket_does_not_exist(office: Office, who: Principal) -> None:
    number, _ = office.at_step_two()
    assert read(office, number, who).status_code in (403, 404)
    assert read(office, "HD-99999999", requester(office, number)).status_code == 404


def test_staff_who_see_the_ticket_and_services_see_its_progress(office: Office) -> None:
    number, item = office.at_step_two()
    for who in (office.who(item.assignee), office.who(21), SERVICE):
        assert read(office, number, who).status_code == 200
