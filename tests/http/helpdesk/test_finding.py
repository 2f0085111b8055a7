"""Tickets found by their requesters, and by the help desk's coordinators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.pipelines.permissions import Principal
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, bearer, ticket_body


@pytest.fixture
def front(client: Callable[[str], Any]) -> Any:
    return client("helpdesk")


def file(front: Any, who: Principal, **changes: Any) -> str:
    answer = front.simulate_post("/api/v1/tickets", json=ticket_body(**changes), headers=bearer(who))
    assert answer.status_code == 201, answer.text
    return str(answer.json["ticket_number"])


def found(front: Any, who: Principal, words: str, **query: Any) -> list[str]:
    answer = front.simulate_get("/api/v1/tickets", params={"q": words, **query}, headers=bearer(who))
    assert answer.status_code == 200, answer.text
    return [each["ticket_number"] for each in answer.json["items"]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_employees_find_their_own_tickets_and_coordinators_all(front: Any) -> None:
    mine = [file(front, EMPLOYEE, subject=f"The projector is dark {n}", description="Ümlaut") for n in range(3)]
    theirs = file(front, OTHER_EMPLOYEE, subject="Projector again")
    assert found(front, EMPLOYEE, "proj") == list(reversed(mine))
    assert found(front, OTHER_EMPLOYEE, "projector") == [theirs]
    assert found(front, COORDINATOR, "projector") == [theirs, *reversed(mine)]
    assert found(front, COORDINATOR, "oscar projector") == [theirs]
    assert found(front, EMPLOYEE, theirs) == []
    assert found(front, EMPLOYEE, mine[2].lower()) == [mine[2]]
    assert found(front, EMPLOYEE, str(int(mine[2][3:])))[0] == mine[2], "before those that hold the digits"
    assert found(front, EMPLOYEE, "umlaut dark 1") == [mine[1]]
    assert found(front, EMPLOYEE, "projector", status="Closed") == []
    assert found(front, EMPLOYEE, " ") == list(reversed(mine))


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_that_is_typed_is_an_error(front: Any) -> None:
    file(front, EMPLOYEE, description="w" * 3_000 + " " + " ".join(f"word{n}" for n in range(30_000)))
    for words in ("'", '"', "*", "a OR b", "NOT", "(", "😀", "שלום", "\u202e", "\\", "%", "x" * 500, ":*", "&", "\ue000313031"):
        assert found(front, EMPLOYEE, words) == []
    assert found(front, EMPLOYEE, "word1500 word7") != []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ticket_that_was_filed_before_is_kept_once(front: Any) -> None:
    body = ticket_body(employee={"id": EMPLOYEE.id, "name": "Eve", "email": EMPLOYEE.email}, source="old", source_id="1")
    answers = [front.simulate_post("/api/v1/tickets", json=body, headers=bearer(COORDINATOR)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert len(found(front, EMPLOYEE, "jammed")) == 1
