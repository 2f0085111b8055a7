"""Workflow definitions: what can be read, and that what is written reads the same."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.definition_texts import read_definition, write_definition
from baton.pipelines.definitions import Definition, DefinitionError, definition_of, document_of
from baton.pipelines.validation import Surroundings, validate
from tests.designs import PURCHASE, definitions, purchase
from tests.strategies import json_values

FILES = sorted(
    (entry for entry in resources.files("baton.pipelines").joinpath("workflows").iterdir() if entry.name.endswith(".toml")),
    key=lambda each: each.name,
)


@given(definitions)
def test_what_is_exported_is_imported_as_the_same(definition: Definition) -> None:
    text = write_definition(definition)
    assert read_definition(text) == definition
    assert write_definition(read_definition(text)) == text
    assert read_definition(text.replace("\n", "\r\n")) == definition


@given(definitions)
def test_the_plain_form_goes_through_json_unchanged(definition: Definition) -> None:
    assert definition_of(json.loads(json.dumps(document_of(definition)))) == definition


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.name)
def test_the_workflows_that_come_along_are_written_as_they_stand_and_have_no_fault(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    definition = read_definition(text)
    assert write_definition(definition) == text
    assert validate(definition, Surroundings(roles=dict.fromkeys(definition.roles, 1))) == []


def test_steps_follow_each_other_unless_the_text_says_otherwise() -> None:
    text = 'name = "X"\n[[steps]]\nname = "A"\nrole = "R"\n[[steps]]\nname = "B"\nrole = "R"\naction = "End it"\n'
    first, last = read_definition(text).steps
    assert [(way.name, way.to, way.who) for way in first.transitions] == [("Complete", "B", "assignee")]
    assert [(way.name, way.to, way.who) for way in last.transitions] == [("End it", None, "assignee")]


def test_any_step_leads_to_any_by_ways_with_names_and_takers() -> None:
    approve = purchase().steps[1]
    assert approve.approvals_needed == 2
    assert [(way.name, way.to, way.who) for way in approve.transitions] == [
        ("Send back", "Triage", "coordinator"),
        ("Approve", "Order", "assignee"),
    ]
    assert 'transitions = [\n    { name = "Send back", to = "Triage", who = "coordinator" },' in write_definition(purchase())


def test_everything_wrong_with_a_shape_is_named_at_once() -> None:
    text = """
        name = " "
        end_logic = 7
        colour = "red"
        match = [{ categry = "x" }]
        [[steps]]
        name = "A"
        sla_share = "half"
        approvals_needed = -1
        escalation_role = "a\\u0000"
        transitions = [{ to = "B" }]
    """
    with pytest.raises(DefinitionError) as refused:
        read_definition(text)
    assert set(refused.value.errors) >= {
        "name must not be blank",
        "end_logic must be a text",
        "steps.1.role is missing",
        "steps.1.sla_share must be a number",
        "steps.1.approvals_needed must be a whole number from 0 to 1000",
        "steps.1.escalation_role must not contain the NUL character or a lone surrogate",
        "steps.1.transitions.1.name is missing",
        "match.1.categry is not known; there are category, department",
    }
    assert any(error.startswith("colour is not known; there are") for error in refused.value.errors)


@pytest.mark.parametrize("text", ["", "name", 'name = "X"', 'name = "X"\nsteps = 3', "steps = [1]", "[" * 5_000])
def test_what_defines_no_workflow_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_definition(text)
    assert refused.value.errors


@given(json_values)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for source in (value, {**PURCHASE, "steps": value}, {**PURCHASE, "match": value}, {"name": "X", "steps": [value]}):
        try:
            definition_of(source)
        except DefinitionError as error:
            assert error.errors


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_definition(text)
    except DefinitionError as error:
        assert error.errors
