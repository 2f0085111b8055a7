"""Each fault of a workflow by its name."""

from __future__ import annotations

import pytest
from hypothesis import given

from baton.pipelines.allocation import DeployedWorkflow, Rule
from baton.pipelines.definitions import Definition
from baton.pipelines.validation import ERROR, Surroundings, blocking, validate
from tests.designs import ROLES, definitions, purchase, with_step


def deployed(number: int, *rules: tuple[str | None, str | None]) -> DeployedWorkflow:
    return DeployedWorkflow(
        workflow_id=number,
        name=f"W{number}",
        version_id=number,
        version_number=1,
        rules=tuple(Rule(*rule) for rule in rules),
        first_step=1,
        first_role=1,
    )


def found(definition: Definition, around: Surroundings | None = None) -> list[tuple[str, str, str]]:
    faults = validate(definition, around or Surroundings(roles=ROLES))
    assert all(fault.message and fault.remedy for fault in faults)
    return [(fault.severity, fault.code, fault.where) for fault in faults]


def test_a_workflow_that_can_work_has_no_fault() -> None:
    assert found(purchase()) == []


WAY = {"name": "Go"}
CASES = [
    (purchase(steps=[]), ("error", "no-steps", "")),
    (purchase(end_logic="launch"), ("error", "end-logic-unknown", "")),
    (purchase(match=[]), ("warning", "no-rules", "")),
    (purchase(match=[{}]), ("error", "empty-rule", "match 1")),
    (purchase(match=[{"category": "A"}, {"category": " a "}]), ("warning", "duplicate-rule", "match 2")),
    (with_step(2, name="approve "), ("error", "duplicate-step", "approve ")),
    (with_step(2, transitions=[{**WAY}, {"name": "go"}], action=None), ("error", "duplicate-transition", "Order")),
    (with_step(1, transitions=[{**WAY, "to": "Nirvana"}]), ("error", "transition-to-nowhere", "Approve")),
    (with_step(1, transitions=[{**WAY, "to": "Approve"}, {"name": "End"}]), ("warning", "transition-to-itself", "Approve")),
    (with_step(1, transitions=[{**WAY, "who": "the boss"}]), ("error", "who-unknown", "Approve")),
    (with_step(0, transitions=[{**WAY, "to": "Order"}]), ("error", "unreachable", "Approve")),
    (with_step(2, action=None, transitions=[{**WAY, "to": "Order"}]), ("error", "no-way-to-the-end", "Order")),
    (with_step(2, action=None, transitions=[]), ("error", "no-way-to-the-end", "Order")),
    (with_step(2, role="Wizard"), ("error", "role-unknown", "Order")),
    (with_step(2, escalation_role="Wizard"), ("error", "role-unknown", "Order")),
    (with_step(2, escalation_role="Asset Manager"), ("error", "escalation-to-itself", "Order")),
    (with_step(1, approvals_needed=4), ("warning", "too-few-approvers", "Approve")),
    (with_step(1, sla_share=1.5), ("error", "share-out-of-range", "Approve")),
    (with_step(1, sla_share=0.5), ("warning", "share-missing", "")),
]


@pytest.mark.parametrize(("definition", "fault"), CASES, ids=[f"{fault[1]}-{n}" for n, (_, fault) in enumerate(CASES)])
def test_each_fault_is_named_with_where_it_is(definition: Definition, fault: tuple[str, str, str]) -> None:
    assert fault in found(definition)


def test_the_shares_of_the_time_add_up_to_one() -> None:
    def shares(*values: float) -> list[str]:
        steps = [{"name": f"S{n}", "role": "Admin", "sla_share": value} for n, value in enumerate(values)]
        return [code for _, code, _ in found(purchase(steps=steps))]

    assert shares(0.1, 0.2, 0.7) == shares(*[0.1] * 10) == []
    assert shares(0.5, 0.4) == shares(0.9, 0.9) == ["shares-do-not-add-up"]


def test_a_role_in_which_nobody_is_active_is_a_warning_and_roles_that_are_not_known_here_are_not_judged() -> None:
    assert found(purchase(), Surroundings(roles={**ROLES, "Asset Manager": 0})) == [("warning", "role-without-members", "Order")]
    assert found(with_step(2, role="Wizard"), Surroundings()) == []


def test_w_6_a_rule_that_a_deployed_workflow_matches_equally_is_an_error_that_may_be_overruled() -> None:
    def around(*rules: tuple[str | None, str | None]) -> Surroundings:
        return Surroundings(roles=ROLES, deployed=(deployed(1, *rules),))

    rivals = around(("purchase", "it-department"))
    assert found(purchase(), rivals) == [("error", "same-match", "match 1")]
    assert "W1" in validate(purchase(), rivals)[0].message
    faults = validate(purchase(), rivals)
    assert blocking(faults) == faults and blocking(faults, force=True) == []
    # More or less specific is no rival: the more specific rule decides.
    assert found(purchase(), around((None, "IT Department"), ("Purchase", "Asset Department"))) == []


@given(definitions)
def test_any_definition_is_judged_errors_first(definition: Definition) -> None:
    faults = validate(definition, Surroundings(roles=ROLES, deployed=(deployed(1, ("Purchase", None)),)))
    severities = [fault.severity != ERROR for fault in faults]
    assert severities == sorted(severities)
    assert all(fault.message and fault.remedy and fault.code for fault in faults)
