"""A workflow as a form: read back as it was written, changed by its buttons, its faults beside the fields they concern."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.http.console.admin.design_faults import errors_by_field, faults_by_field
from baton.http.console.admin.design_forms import Design, design_of, document_of, drawable, read_design
from baton.http.console.admin.design_rows import press
from baton.pipelines.definitions import definition_of
from baton.pipelines.definitions import document_of as plain
from tests.designs import PURCHASE


def purchase() -> Design:
    return design_of(plain(definition_of(copy.deepcopy(PURCHASE))))


def sent(design: Design) -> dict[str, str]:
    """Return the fields that a browser sends of the form."""
    fields = {"name": design.name, "description": design.description, "end_logic": design.end_logic}
    fields |= {"rules": str(len(design.rules)), "steps": str(len(design.steps))}
    for n, (category, department) in enumerate(design.rules):
        fields |= {f"rule.{n}.category": category, f"rule.{n}.department": department}
    for n, step in enumerate(design.steps):
        names = ("name", "role", "escalation_role", "share", "approvals", "instructions")
        fields |= {f"step.{n}.{name}": getattr(step, name) for name in names}
        fields[f"step.{n}.ways"] = str(len(step.ways))
        for w, way in enumerate(step.ways):
            at = f"step.{n}.way.{w}"
            fields |= {f"{at}.name": way.name, f"{at}.to": design.place(way.to), f"{at}.who": way.who}
    return fields


def goals(design: Design) -> dict[str, list[Any]]:
    document = document_of(design, "no number")
    return {step["name"]: [way["to"] for way in step["transitions"]] for step in document["steps"]}


def test_what_is_sent_is_the_workflow_that_was_shown() -> None:
    document = plain(definition_of(copy.deepcopy(PURCHASE)))
    assert document_of(read_design(sent(purchase())), "no number") == document


def test_a_renamed_step_keeps_the_ways_that_lead_to_it() -> None:
    fields = {**sent(purchase()), "step.1.name": "Sign"}
    assert "Sign" in goals(read_design(fields))["Triage"]


def test_a_moved_step_keeps_the_ways_that_lead_to_it() -> None:
    design = purchase()
    before = goals(design)
    assert press(design, "up-step:2")
    assert [step.name for step in design.steps] == ["Triage", "Order", "Approve"]
    assert goals(design) == before


def test_an_added_step_stands_in_the_way_and_a_removed_one_is_passed_over() -> None:
    design = purchase()
    before = goals(design)
    press(design, "add-step:1")
    design.steps[1].name = "Look"
    assert goals(design)["Triage"] == ["Look" if goal == "Approve" else goal for goal in before["Triage"]]
    assert goals(design)["Look"] == ["Approve"]
    press(design, "remove-step:1")
    assert goals(design) == before


@given(st.lists(st.sampled_from(["add-step:0", "add-step:9", "remove-step:0", "up-step:1", "down-step:0", "add-way:0",
                                 "remove-way:0.0", "up-way:0.1", "add-rule", "remove-rule:0", "up-step:", "remove-step:-1",
                                 "up-step:1.2", "no-such:1", "", "remove-way:0"]), max_size=12))  # fmt: skip
def test_no_row_of_buttons_breaks_the_form(buttons: list[str]) -> None:
    design = purchase()
    for button in buttons:
        press(design, button)
        design = read_design(sent(design))
    definition_of(drawable(document_of(design, "no number")))


def test_a_number_that_is_none_is_named_beside_its_field() -> None:
    design = read_design({**sent(purchase()), "step.0.share": "half", "step.1.approvals": "-1"})
    document_of(design, "no number")
    assert design.wrong == {"steps.0.sla_share": "no number", "steps.1.approvals_needed": "no number"}


@pytest.mark.parametrize("steps", ["999999999999", "-1", "x", "12345"])
def test_a_made_up_number_of_rows_costs_no_more_than_the_form_has_fields(steps: str) -> None:
    assert len(read_design({"steps": steps, "rules": steps}).steps) <= 2


def test_faults_stand_at_their_fields() -> None:
    design = purchase()
    faults = [
        {"code": "role-unknown", "severity": "error", "where": "Approve", "message": "there is no role 'X'", "remedy": ""},
        {"code": "same-match", "severity": "error", "where": "match 1", "message": "m", "remedy": ""},
        {"code": "shares-do-not-add-up", "severity": "error", "where": "", "message": "m", "remedy": ""},
        {"code": "unreachable", "severity": "error", "where": "Order", "message": "m", "remedy": ""},
    ]
    assert set(faults_by_field(design, faults)) == {"steps.1.role", "match.0", "", "steps.2"}
    assert set(errors_by_field({"definition.steps.1.transitions.0.name": "m", "match.0.category": "m"})) == {
        "steps.1.ways",
        "match.0",
    }
