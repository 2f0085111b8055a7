"""Open work of people who are away: offered, handed to the end of the chain or back to the rotation (A-9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
AWAY = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}
OVER = {"away_from": "2020-01-01T00:00:00Z", "away_to": "2020-02-01T00:00:00Z"}


def substitute(office: Any, user: int, other: int | None) -> Any:
    body = {"substitute": None if other is None else str(other)}
    return office.post(user, f"/members/{user}/substitute", body, method="PUT")


def away(office: Any, user: int, absence: dict[str, Any] = AWAY) -> None:
    assert office.post(21, f"/members/{user}/availability", absence, method="PUT").status_code == 200


def test_a_9_a_chain_reaches_its_end(office: Any) -> None:
    number, item = office.at_step_two()
    substitute(office, 31, 32)
    assert substitute(office, 32, 33).json["chain"] == ["33"]
    away(office, 31)
    away(office, 32)
    offered = office.post(31, "/members/31/handover", None, method="GET").json
    assert (offered["is_away"], offered["substitutes"]) == (True, ["32", "33"])
    assert (offered["items"][0]["item"]["id"], offered["items"][0]["heir"]) == (item.id, "33")
    turns = office.member(33, "3").last_turn
    done = office.post(31, "/members/31/handover", {"to": "substitute"}).json
    assert (done["done"], office.item(number).assignee) == (1, "33")
    assert (office.member(31, "3").open_items, office.member(33, "3").open_items) == (0, 1)
    assert office.member(33, "3").last_turn == turns and office.events(number)[-1] == "handed over"


def test_a_9_a_chain_that_goes_in_a_circle_is_refused_when_it_is_set(office: Any) -> None:
    assert substitute(office, 31, 31).status_code == 409
    assert substitute(office, 31, 32).status_code == 200
    refused = substitute(office, 32, 31)
    assert refused.status_code == 409 and refused.json["chain"] == ["32", "31", "32"]
    substitute(office, 32, 33)
    assert substitute(office, 33, 31).json["chain"] == ["33", "31", "32", "33"]
    assert office.post(21, "/members/33/substitute", None, method="GET").json["substitute"] is None
    assert substitute(office, 31, None).json["chain"] == [] and substitute(office, 33, 31).status_code == 200
    assert substitute(office, 31, 4711).status_code == 404


def test_a_chain_without_anybody_eligible_leaves_the_item_with_the_reasons(office: Any) -> None:
    number, _ = office.at_step_two()
    away(office, 31)
    nobody = office.post(31, "/members/31/handover", {"to": "substitute"}).json["results"][0]
    assert (nobody["status"], nobody["detail"]) == (409, "user 31 has no substitute")
    substitute(office, 31, 32)
    substitute(office, 32, 11)
    away(office, 32)
    stuck = office.post(31, "/members/31/handover", {"to": "substitute"}).json["results"][0]
    assert stuck["detail"] == "user 32 is away; user 11 is no active member of the role"
    assert office.item(number).assignee == "31"


def test_back_to_the_rotation_goes_to_the_next_in_turn(office: Any) -> None:
    number, _ = office.at_step_two()
    here = office.post(31, "/members/31/handover", {"to": "rotation"}).json["results"][0]
    assert here["status"] == 409 and "not away" in here["detail"]
    away(office, 31)
    assert office.post(31, "/members/31/handover", {"to": "rotation"}).json["done"] == 1
    assert (office.item(number).assignee, office.member(32, "3").turns) == ("32", 1)
    assert office.member(31, "3").open_items == 0


def test_an_absence_that_is_over_shows_no_more(office: Any) -> None:
    office.at_step_two()
    away(office, 31, OVER)
    assert office.post(31, "/members/31/handover", None, method="GET").json["is_away"] is False


def test_only_the_person_and_coordinators_hand_over_and_only_what_is_theirs(office: Any) -> None:
    _, item = office.at_step_two()
    assert office.post(32, "/members/31/handover", {"to": "rotation"}).status_code == 403
    assert office.post(32, "/members/31/substitute", {"substitute": "33"}, method="PUT").status_code == 403
    assert office.post(21, "/members/99/handover", None, method="GET").status_code == 404
    away(office, 32)
    foreign = office.post(32, "/members/32/handover", {"to": "rotation", "items": [item.id]}).json["results"][0]
    assert foreign["status"] == 404
