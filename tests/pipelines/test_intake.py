"""What a ticket must hold to be taken in, and that it is kept as it came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from baton.pipelines.intake import UnusableTicketError, read_ticket
from tests.strategies import json_values, ticket_bodies, unstorable_text


@given(ticket_bodies, json_values)
def test_a_ticket_is_kept_byte_for_byte_bare_or_wrapped(body: dict[str, Any], extra: Any) -> None:
    ticket = {**body, "ticket_number": "HD-00000001", "extra": extra}
    if "\\u0000" in json.dumps(extra) or "\\ud" in json.dumps(extra):
        return
    bare, wrapped = read_ticket(ticket), read_ticket({"ticket": ticket})
    assert bare == wrapped
    assert json.loads(bare.data) == ticket
    assert (bare.category, bare.department) == (body["category"], body["department"])


@given(unstorable_text)
def test_what_no_database_can_keep_is_refused_wherever_it_is(text: str) -> None:
    for ticket in ({"ticket_number": text}, {"ticket_number": "1", "a": [{"b": text}]}, {"ticket_number": "1", text: 1}):
        with pytest.raises(UnusableTicketError):
            read_ticket(ticket)


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        ({}, "neither `ticket_number` nor `ticket_id`"),
        ({"ticket_number": "  "}, "neither"),
        ({"ticket_number": True}, "`ticket_number` is neither a text nor a whole number"),
        ({"ticket_number": ["HD-1"]}, "`ticket_number` is neither"),
        ({"ticket_number": "9" * 201}, "longer than 200"),
        ({"ticket": "HD-1"}, "`ticket` is not an object"),
        ({"ticket_number": "1", "category": 5}, "`category` is not a text"),
        ({"ticket_number": "1", "department": "x" * 301}, "`department` is longer than 300"),
        ({"ticket_number": "1", "employee": "Eve"}, "`employee` is not an object"),
        ({"ticket_number": "1", "score": float("nan")}, "no JSON form"),
    ],
)
def test_what_is_no_ticket_is_refused_with_the_reason(ticket: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableTicketError, match=reason):
        read_ticket(ticket)


def test_odd_but_acceptable_tickets_are_taken_as_they_are() -> None:
    ticket = read_ticket({"ticket_id": 17, "department": None, "priority": "", "description": "x" * 1_000_000})
    assert (ticket.number, ticket.category, ticket.department, ticket.priority) == ("17", None, None, "Medium")
    assert len(json.loads(ticket.data)["description"]) == 1_000_000


def test_a_deeply_nested_ticket_is_searched_for_nul_to_its_bottom() -> None:
    nested: Any = "\\u0000"
    for _ in range(900):
        nested = [nested]
    assert read_ticket({"ticket_number": "1", "nested": nested}).number == "1"


def test_text_that_only_looks_like_an_escaped_nul_is_a_text() -> None:
    assert json.loads(read_ticket({"ticket_number": "1", "subject": "\\u0000"}).data)["subject"] == "\\u0000"


def test_an_employees_id_is_not_taken_for_a_users() -> None:
    ticket = read_ticket({"ticket_number": "1", "employee": {"id": 7, "name": "Eve", "email": " Eve@Example.com "}})
    assert (ticket.requester_user_id, ticket.requester_email) == (None, "eve@example.com")


def test_only_a_true_gateway_flag_sends_the_status_to_the_gateway() -> None:
    assert read_ticket({"ticket_number": "1", "gateway": True}).through_gateway
    assert not read_ticket({"ticket_number": "1", "gateway": "yes"}).through_gateway
