"""Rating: what the requester of a finished ticket, and nobody else, says of how it went."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from falcon.testing import TestClient

from baton.models.helpdesk.tables import Ticket
from baton.models.transaction import write_tx
from tests.factories import COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, SERVICE, bearer, ticket_body

PATH = "/api/v1/tickets"


@pytest.fixture
def desk(client: Callable[[str], TestClient]) -> TestClient:
    return client("helpdesk")


@pytest.fixture
def number(desk: TestClient) -> str:
    return str(desk.simulate_post(PATH, json=ticket_body(), headers=bearer(EMPLOYEE)).json["ticket_number"])


def finish(status: str) -> None:
    with write_tx("helpdesk"):
        Ticket.update(status=status).execute()


def test_a_resolved_ticket_is_rated_and_rated_anew(desk: TestClient, number: str) -> None:
    finish("Resolved")
    for stars, comment in ((2, "slow"), (5, "but very kind")):
        answer = desk.simulate_put(f"{PATH}/{number}/rating", json={"stars": stars, "comment": comment}, headers=bearer(EMPLOYEE))
        assert (answer.status_code, answer.json["stars"]) == (200, stars)
    read = desk.simulate_get(f"{PATH}/{number}/rating", headers=bearer(COORDINATOR)).json
    assert (read["stars"], read["comment"]) == (5, "but very kind")


def test_an_open_ticket_has_no_outcome_to_rate(desk: TestClient, number: str) -> None:
    answer = desk.simulate_put(f"{PATH}/{number}/rating", json={"stars": 3}, headers=bearer(EMPLOYEE))
    assert answer.status_code == 409
    assert desk.simulate_get(f"{PATH}/{number}/rating", headers=bearer(EMPLOYEE)).status_code == 404


@pytest.mark.parametrize(("who", "status"), [(OTHER_EMPLOYEE, 404), (COORDINATOR, 403), (SERVICE, 403)])
def test_nobody_else_rates(desk: TestClient, number: str, who: object, status: int) -> None:
    finish("Closed")
    assert desk.simulate_put(f"{PATH}/{number}/rating", json={"stars": 1}, headers=bearer(who)).status_code == status  # type: ignore[arg-type]


@pytest.mark.parametrize("stars", [0, 6, -1, "five", None, 2.5])
def test_a_rating_is_one_to_five_stars(desk: TestClient, number: str, stars: object) -> None:
    finish("Resolved")
    assert desk.simulate_put(f"{PATH}/{number}/rating", json={"stars": stars}, headers=bearer(EMPLOYEE)).status_code == 422


def test_another_employees_rating_is_not_told(desk: TestClient, number: str) -> None:
    finish("Resolved")
    desk.simulate_put(f"{PATH}/{number}/rating", json={"stars": 4}, headers=bearer(EMPLOYEE))
    assert desk.simulate_get(f"{PATH}/{number}/rating", headers=bearer(OTHER_EMPLOYEE)).status_code == 404
