"""Which workflow a ticket gets, and why: W-6 and the matching rules."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.allocation import (
    Allocated,
    DeployedWorkflow,
    Parked,
    Rule,
    choose_by_hand,
    match_workflow,
    normalise,
    write_rule_book,
)
from baton.pipelines.definition_texts import read_definition


def workflow(number: int, *rules: tuple[str | None, str | None]) -> DeployedWorkflow:
    return DeployedWorkflow(
        workflow_id=number,
        name=f"W{number}",
        version_id=number,
        version_number=1,
        rules=tuple(Rule(*rule) for rule in rules),
        first_step=number,
        first_role=1,
    )


def chosen(category: str | None, department: str | None, *workflows: DeployedWorkflow) -> str | None:
    decision = match_workflow(category, department, write_rule_book(workflows))
    return decision.workflow.name if isinstance(decision, Allocated) else None


def test_the_most_specific_rule_decides() -> None:
    rivals = (workflow(1, (None, "IT")), workflow(2, ("Laptop", None)), workflow(3, ("Laptop", "IT")))
    assert chosen("Laptop", "IT", *rivals) == "W3"
    assert chosen("Laptop", "Sales", *rivals) == "W2"
    assert chosen("Printer", "IT", *rivals) == "W1"
    assert chosen("Printer", "Sales", *rivals) is None


@given(st.permutations([workflow(number, ("Laptop", "IT")) for number in range(1, 6)]))
def test_w_6_between_equals_the_older_workflow_decides_in_whatever_order_they_are_read(
    workflows: list[DeployedWorkflow],
) -> None:
    decision = match_workflow("Laptop", "IT", write_rule_book(workflows))
    assert isinstance(decision, Allocated) and decision.workflow.name == "W1"
    assert decision.reason == "matches by category and department; the oldest of 5 workflows that do"
    assert [entry["workflow"] for entry in decision.considered] == ["W1", "W2", "W3", "W4", "W5"]


def test_w_6_what_matches_nothing_is_parked_and_says_what_it_looked_for() -> None:
    decision = match_workflow("thunderbird", None, write_rule_book([workflow(1, ("Laptop", None))]))
    assert isinstance(decision, Parked)
    assert decision.reason == "no deployed workflow matches category 'thunderbird' and no department"
    assert decision.considered == []


def test_w_6_what_is_parked_names_the_rules_that_came_near_and_why_they_do_not_match() -> None:
    rules = write_rule_book(
        [
            workflow(1, ("IT Support", "IT Department")),
            workflow(2, ("Laptops", None)),
            workflow(3, ("Budget Proposal", "Budget Department")),
            workflow(4, (None, "Garden")),
        ]
    )
    decision = match_workflow("IT Suport", "IT Department", rules)
    assert isinstance(decision, Parked)
    assert [(near["workflow"], near["chosen"]) for near in decision.considered] == [("W1", False)]
    assert decision.considered[0]["why"] == "it wants category 'it support', the ticket has 'it suport'"
    only_one = match_workflow("it support", None, rules)
    assert isinstance(only_one, Parked)
    assert only_one.considered[0]["why"] == "it wants department 'it department', the ticket has none"
    many = write_rule_book([workflow(number, ("IT", f"D{number}")) for number in range(1, 30)])
    most = match_workflow("IT", "Elsewhere", many)
    assert isinstance(most, Parked) and [near["workflow"] for near in most.considered] == ["W1", "W2", "W3", "W4", "W5"]


@pytest.mark.parametrize("said", ["Check-in", "check in", " CHECK_IN ", "Check  In"])
def test_names_are_compared_without_case_spacing_and_hyphens(said: str) -> None:
    assert normalise(said) == "check in"


def test_a_ticket_without_category_and_department_matches_no_rule() -> None:
    assert chosen(None, None, workflow(1, ("Laptop", None), (None, "IT"))) is None
    assert chosen("", "  ", workflow(1, ("Laptop", None), (None, "IT"))) is None


def test_a_pick_by_hand_names_who_picked() -> None:
    assert choose_by_hand(workflow(1), "user:2").reason == "picked by user:2"


def seeded() -> list[DeployedWorkflow]:
    folder = resources.files("baton.pipelines").joinpath("workflows")
    definitions = [read_definition(f.read_text()) for f in sorted(folder.iterdir(), key=lambda f: f.name)]
    return [
        DeployedWorkflow(
            workflow_id=number,
            name=each.name,
            version_id=number,
            version_number=1,
            rules=each.rules,
            first_step=1,
            first_role=1,
        )
        for number, each in enumerate(definitions, start=1)
    ]


@pytest.mark.parametrize(
    ("category", "department", "name"),
    [
        ("IT Support", "IT Department", "IT Support"),
        ("IT Support", None, "IT Support"),
        ("Asset Check In", "Asset Department", "Asset Check In"),
        ("Check-out", "", "Asset Check Out"),
        ("Budget Proposal", "IT Department", "Budget Proposal"),
        ("Others", "Budget Department", "General Request"),
        ("General Request", None, "General Request"),
        ("thunderbird", "IT Department", None),
        (None, None, None),
    ],
)
def test_the_seeded_workflows_match_the_sample_categories_and_nothing_else(
    category: str | None, department: str | None, name: str | None
) -> None:
    assert chosen(category, department, *seeded()) == name
