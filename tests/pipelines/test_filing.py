"""Filing: what a valid ticket is, said for every field at once, with texts left exactly as they came."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.filing import (
    MAX_DESCRIPTION,
    MAX_SUBJECT,
    Draft,
    FilingError,
    Person,
    accept,
    payload,
)
from baton.pipelines.ticket_values import MAX_COST_ITEMS
from tests.strategies import line, storable_text, unstorable_text

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVE = Person(id="101", name="Eve", email="eve@example.com")


def draft(**changes: Any) -> Draft:
    values: dict[str, Any] = {"subject": "It is broken", "category": "IT Support", "employee": EVE, **changes}
    return Draft(**values)


def refused_fields(wrong: Draft) -> list[str]:
    with pytest.raises(FilingError) as caught:
        accept(wrong)
    return [problem.field for problem in caught.value.problems]


@given(subject=line, description=storable_text, category=line)
def test_texts_are_kept_as_they_came(subject: str, description: str, category: str) -> None:
    accepted = accept(draft(subject=subject, description=description, category=category))
    assert (accepted.subject, accepted.description, accepted.category) == (subject, description, category)
    told = payload("HD-00000001", accepted, status="Open", submitted_at=NOON)["ticket"]
    assert json.loads(json.dumps(told))["description"] == description


@given(unstorable_text, st.sampled_from(["subject", "description", "category", "subcategory", "department"]))
def test_texts_that_no_database_could_hold_are_refused(text: str, name: str) -> None:
    assert refused_fields(draft(**{name: "x" + text})) == [name]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"subject": ""}, ["subject"]),
        ({"subject": " \t\n"}, ["subject"]),
        ({"subject": "x" * (MAX_SUBJECT + 1)}, ["subject"]),
        ({"description": "x" * (MAX_DESCRIPTION + 1)}, ["description"]),
        ({"category": " "}, ["category"]),
        ({"priority": "Whenever"}, ["priority"]),
        ({"employee": Person(id="")}, ["employee.id"]),
        ({"source": "forum"}, ["source_id"]),
        ({"source_id": "1"}, ["source"]),
        ({"source": "", "source_id": "1"}, ["source"]),
        ({"subject": "", "category": "", "extras": {"color": "red"}}, ["subject", "category", "color"]),
    ],
)
def test_every_offending_field_is_named(changes: dict[str, Any], fields: list[str]) -> None:
    assert refused_fields(draft(**changes)) == fields


def test_the_longest_texts_are_accepted() -> None:
    longest = accept(draft(subject="x" * MAX_SUBJECT, description="\U0001f600" * 100_000))
    assert len(longest.description) == 100_000


@pytest.mark.parametrize(
    ("given_priority", "stored"),
    [("Low", "Low"), ("medium", "Medium"), ("HIGH", "High"), ("Critical", "Critical"), ("Urgent", "Critical")],
)
def test_a_priority_has_one_spelling_and_urgent_means_critical(given_priority: str, stored: str) -> None:
    assert accept(draft(priority=given_priority)).priority == stored


@pytest.mark.parametrize("amount", ["0", "12", "1250.00", "999999999999999.9999"])
def test_money_is_a_decimal_as_text(amount: str) -> None:
    assert accept(draft(extras={"requested_budget": amount})).extras == {"requested_budget": amount}


@pytest.mark.parametrize("amount", [12, 12.5, True, "12,50", "-1", "1e3", "1.", ".5", "12.50\n", "NaN", "1" * 16, "١٢"])
def test_money_in_any_other_form_is_refused(amount: Any) -> None:
    assert refused_fields(draft(extras={"requested_budget": amount})) == ["requested_budget"]


@pytest.mark.parametrize(
    "sheet",
    [
        [],
        "a: 1",
        {"a": float("nan")},
        {"a": 2**63},
        {"a": "\x00"},
        {"\ud800": 1},
        {"a": [[[[[[[1]]]]]]]},
        {"a": "x" * MAX_COST_ITEMS},
    ],
)
def test_a_cost_sheet_is_a_small_plain_object(sheet: Any) -> None:
    assert refused_fields(draft(extras={"cost_items": sheet})) == ["cost_items"]
    good = {"Desks (4)": "1200.00", "more": [{"name": "Lamp", "each": 12.5, "count": 3, "approved": None}]}
    assert accept(draft(extras={"cost_items": good})).extras["cost_items"] == good


@pytest.mark.parametrize("day", ["2026-02-29", "29.02.2028", "20280229", "2028-02-29T00:00:00", 20280229])
def test_a_day_is_a_real_one(day: Any) -> None:
    assert refused_fields(draft(extras={"expected_return_date": day})) == ["expected_return_date"]
    assert accept(draft(extras={"expected_return_date": "2028-02-29"})).extras


def test_extra_fields_left_empty_are_left_out() -> None:
    assert accept(draft(extras={"asset_name": "", "serial_number": None, "location": "B2"})).extras == {"location": "B2"}


def test_the_payload_holds_the_whole_ticket_with_its_extra_fields_beside_the_others() -> None:
    accepted = accept(draft(extras={"asset_name": "Laptop"}, source="forum", source_id="7"))
    told = payload("HD-00000007", accepted, status="Open", submitted_at=NOON)
    assert told == {
        "ticket": {
            "ticket_number": "HD-00000007",
            "subject": "It is broken",
            "description": "",
            "category": "IT Support",
            "subcategory": "",
            "department": "",
            "priority": "Medium",
            "status": "Open",
            "employee": {"id": "101", "name": "Eve", "email": "eve@example.com"},
            "source_service": "hdts",
            "submitted_at": "2026-06-01T12:00:00+00:00",
            "asset_name": "Laptop",
        }
    }


def test_the_payload_says_when_a_ticket_came_through_the_gateway() -> None:
    told = payload("GW-00000001", accept(draft()), status="Open", submitted_at=NOON, gateway=True)
    assert told["ticket"]["gateway"] is True
