"""The mapping language: what it accepts, what it refuses, and with which words."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.import_mapping import MappingError, guess_mapping, missing_columns, parse_mapping, parse_template

SMALL = """
source = "acme"
source_id = "{id}"
columns = ["id", "title"]
[fields]
subject = "{title}"
category = "Others"
requester_id = "acme"
"""


def mapping(extra: str = "", document: str = SMALL):
    return parse_mapping("small", tomllib.loads(document + extra))


def test_a_small_mapping_is_read() -> None:
    assert mapping().fields["subject"].templates[0].names == ("title",)
    assert mapping().name == "small"


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        ('description = "{body}"', "body"),
        ("description = 3", "description must be"),
        ('colour = "red"', "colour"),
        ('description = { from = "{title}", lines = ["{title}"] }', "either"),
        ('description = { values = { a = ["b"] } }', "either"),
        ('priority = { from = "{title}", values = { High = "1" } }', "priority.values.High"),
        ('reported_at = { from = "{title}", zone = "Europe/Berlin" }', "needs `date`"),
        ('reported_at = { from = "{title}", date = "iso", zone = "Atlantis/Capital" }', "time zone"),
        ('description = "{title"', "braces"),
        ('description = "{}"', "braces"),
        ('description = "{ticket.category}"\ndepartment = "{ticket.priority}"', "ticket."),
    ],
)
def test_a_mistake_in_a_mapping_is_named(extra: str, word: str) -> None:
    with pytest.raises(MappingError, match=word.replace(".", r"\.")):
        mapping(extra)


@pytest.mark.parametrize("key", ["source", "source_id", "columns", "fields"])
def test_what_is_missing_is_named(key: str) -> None:
    document = tomllib.loads(SMALL)
    del document[key]
    with pytest.raises(MappingError, match=key):
        parse_mapping("small", document)


def test_a_mapping_is_guessed_by_the_header_that_has_its_columns() -> None:
    small = mapping()
    larger = mapping(document=SMALL.replace('"title"]', '"title", "text"]'))

    assert guess_mapping(["title", "id", "more"], [small, larger]) is small
    assert guess_mapping(["title", "id", "text"], [small, larger]) is larger
    assert guess_mapping(["title"], [small, larger]) is None
    assert guess_mapping(["title", "id"], [small, mapping()]) is None
    assert missing_columns(["id"], small) == ["title"]


@given(st.text(alphabet=st.characters(exclude_characters="{}")), st.text())
def test_a_template_inserts_texts_unchanged(literal: str, value: str) -> None:
    template = parse_template(literal + "{x}" + literal)

    assert template.fill({"x": value}) == literal + value + literal
    assert parse_template("{x}").fill({"x": value}) == value
    assert parse_template("{{" + literal + "}}").fill({}) == "{" + literal + "}"
