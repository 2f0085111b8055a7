"""Rows become tickets by a mapping: text unchanged, every reason for a refusal named at once."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.csv_rows import Fault, Row
from baton.pipelines.import_mapping import parse_mapping
from baton.pipelines.importing import Filing, content_hash, idempotency_key, ticket_of

MAPPING = """
source = "acme"
source_id = "{id}"
columns = ["id", "title", "text", "kind", "prio", "opened", "place"]
empty = ["?"]
[fields]
subject = ["{title}: {place}", "{title}", "No subject"]
description = { lines = ["{text}", "Place: {place}"], default = "-" }
category = { from = "{kind}", values = { "IT Support" = ["pc", "mail"] }, otherwise = "Other {kind}", default = "None" }
department = { from = "{ticket.category}", values = { "IT Department" = ["IT Support"] }, otherwise = "Elsewhere" }
priority = { from = "{prio}", values = { High = ["1"], Low = ["2"] }, strict = true, default = "Medium" }
requester_id = "acme-{id}"
requester_name = "Someone"
reported_at = { from = "{opened}", date = "%d/%m/%Y %H:%M", zone = "Europe/Berlin" }
"""
COLUMNS = ("id", "title", "text", "kind", "prio", "opened", "place")


def filing(document: str = MAPPING, number: int = 1, **values: str) -> Filing:
    row = Row(number=number, line=number + 1, values={**dict.fromkeys(COLUMNS, ""), "id": "7", **values})
    return ticket_of(row, parse_mapping("acme", tomllib.loads(document)), "acme.csv")


def test_a_full_row_becomes_a_ticket() -> None:
    found = filing(title="Printer", text="<b>on fire</b>\n", kind="pc", prio="1", opened="5/3/2016 12:00", place="Attic")

    assert not found.faults
    assert found.body == {
        "subject": "Printer: Attic",
        "description": "<b>on fire</b>\n\nPlace: Attic",
        "category": "IT Support",
        "department": "IT Department",
        "priority": "High",
        "employee": {"id": "acme-7", "name": "Someone"},
        "reported_at": "2016-03-05T11:00:00Z",
        "source": "acme",
        "source_id": "7",
    }


def test_empty_columns_fall_back_and_never_leave_a_subject_empty() -> None:
    body = filing(place="?", title="  ", kind="?").body

    assert body["subject"] == "No subject"
    assert body["description"] == "-"
    assert body["category"] == "None"
    assert body["priority"] == "Medium"
    assert "reported_at" not in body


def test_values_that_are_not_listed_pass_on_or_are_refused() -> None:
    assert filing(title="x", kind="car").body["category"] == "Other car"
    assert filing(title="x", prio="9").faults == (Fault("priority", "'9' is not among the values of the mapping"),)


def test_every_fault_of_a_row_is_named_at_once() -> None:
    faults = filing(title="x" * 501, kind="pc", prio="9", opened="yesterday").faults

    assert {fault.field for fault in faults} == {"subject", "priority", "reported_at"}


def test_a_row_without_its_source_id_is_refused() -> None:
    assert "source_id" in {fault.field for fault in filing(id=" ", title="x").faults}


def test_a_record_that_was_no_row_stays_refused() -> None:
    bad = Row(number=3, line=4, faults=(Fault("", "1 columns where the header has 7"),))
    found = ticket_of(bad, parse_mapping("acme", tomllib.loads(MAPPING)), "acme.csv")

    assert found.faults == bad.faults
    assert found.source_id == ""


def test_times_are_exact_over_a_change_of_daylight_saving_time() -> None:
    assert filing(title="x", opened="26/03/2016 12:00").body["reported_at"] == "2016-03-26T11:00:00Z"
    assert filing(title="x", opened="27/03/2016 12:00").body["reported_at"] == "2016-03-27T10:00:00Z"


def test_rows_that_read_alike_are_rows_of_their_own_when_named_by_number_and_content() -> None:
    document = MAPPING.replace('source_id = "{id}"', 'source_id = "{#row}-{#hash}"')

    first, again, second = (filing(document, number, title="Same") for number in (1, 1, 2))

    assert first.source_id == again.source_id != second.source_id
    assert first.source_id.split("-")[1] == second.source_id.split("-")[1]


def test_the_key_is_the_same_for_the_same_row_and_another_for_another() -> None:
    assert idempotency_key(filing(title="x")) == idempotency_key(filing(title="x"))
    assert idempotency_key(filing(title="x")) != idempotency_key(filing(id="8", title="x"))
    assert idempotency_key(filing(title="x")) != idempotency_key(filing(title="changed at its source"))
    assert len(idempotency_key(filing(title="x"))) <= 255


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), min_size=2, max_size=4))
def test_a_content_hash_tells_where_one_text_ends_and_the_next_begins(texts: list[str]) -> None:
    joined = ["".join(texts)] + [""] * (len(texts) - 1)
    same = joined == texts

    assert (content_hash(dict(enumerate(texts))) == content_hash(dict(enumerate(joined)))) is same  # type: ignore[arg-type]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400))
def test_subjects_and_bodies_are_taken_character_for_character(text: str) -> None:
    body = filing(title="t" + text, text="t" + text).body

    assert body["subject"] == "t" + text
    assert body["description"] == "t" + text


@pytest.mark.parametrize("field", ["title", "text"])
def test_texts_that_are_longer_than_a_ticket_may_hold_are_refused(field: str) -> None:
    faults = filing(**{"title": "x", field: "y" * 500_001}).faults

    assert [fault.field for fault in faults] == [{"title": "subject", "text": "description"}[field]]
