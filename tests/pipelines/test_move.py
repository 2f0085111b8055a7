"""What becomes of a task that is moved to another version, and why one stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.move import MOVED, REFUSED, UNCHANGED, Running, StepPlace, plan_move, unknown_goals
from baton.pipelines.statuses import OPEN_ITEM_STATES

ADMIN, MANAGER, OTHER = 1, 2, 3
STEPS = (
    StepPlace(id=21, name="Triage", role=ADMIN, escalation_role=None),
    StepPlace(id=22, name="Repair", role=MANAGER, escalation_role=ADMIN),
    StepPlace(id=23, name="Finalize", role=OTHER, escalation_role=None),
)


def running(name: str = "Resolve", **changes: Any) -> Running:
    step = StepPlace(id=12, name=name, role=MANAGER, escalation_role=ADMIN)
    values = {"step": step, "role": MANAGER, "state": "in progress", "assignee": "7", **changes}
    return Running(ticket_number="HD-1", status=values.pop("status", "open"), version=values.pop("version", 1), **values)


def test_a_step_that_is_mapped_leads_to_its_counterpart_and_stays_with_its_assignee() -> None:
    plan = plan_move(running(), 2, STEPS, {" resolve": "REPAIR"})
    assert (plan.outcome, plan.assignee, plan.state, plan.keeps_place) == (MOVED, "7", "in progress", True)
    assert plan.to_step is not None and plan.to_step.id == 22


def test_w_7_a_step_without_counterpart_stays_and_says_which_mapping_is_missing() -> None:
    plan = plan_move(running(), 2, STEPS, {})
    assert (plan.outcome, plan.to_step) == (REFUSED, None)
    assert plan.reason == "step 'Resolve' has no counterpart 'Resolve' in the new version: map it to a step"


def test_a_counterpart_of_another_role_is_given_out_in_turn() -> None:
    plan = plan_move(running("Finalize"), 2, STEPS, {})
    assert (plan.outcome, plan.role, plan.assignee, plan.state, plan.keeps_place) == (MOVED, OTHER, None, "new", False)


def test_an_escalated_item_stays_with_whom_it_was_escalated_to() -> None:
    plan = plan_move(running(role=ADMIN, state="escalated"), 2, STEPS, {"Resolve": "Repair"})
    assert (plan.role, plan.state, plan.assignee) == (ADMIN, "escalated", "7")


@pytest.mark.parametrize(
    ("task", "outcome", "reason"),
    [
        (running(status="completed"), REFUSED, "the task is completed"),
        (running(version=2), UNCHANGED, "it is on that version"),
        (running(step=None), REFUSED, "it stands at no step"),
        (running("Triage", state="on hold"), REFUSED, "step 'Triage' is on hold: resume it first"),
        (running("Triage", decisions=1), REFUSED, "step 'Triage' has decisions that would no longer count: finish it first"),
    ],
)
def test_what_stays_says_why(task: Running, outcome: str, reason: str) -> None:
    plan = plan_move(task, 2, STEPS, {"Resolve": "Repair"})
    assert (plan.outcome, plan.reason) == (outcome, reason)


def test_a_mapping_to_a_step_there_is_not_is_named() -> None:
    assert unknown_goals({"Resolve": "repair", "Triage": "Nirvana"}, STEPS) == ["Triage"]


@given(
    st.sampled_from(["Triage", "Resolve", "Repair", "Finalize"]),
    st.sampled_from([ADMIN, MANAGER, OTHER]),
    st.sampled_from(sorted(OPEN_ITEM_STATES)),
    st.none() | st.just("7"),
    st.sampled_from([{}, {"Resolve": "Repair"}, {"Triage": "Finalize"}]),
)
def test_nobody_keeps_what_is_not_their_roles_and_no_state_is_invented(
    name: str, role: int, state: str, assignee: str | None, mapping: dict[str, str]
) -> None:
    task = running(name, role=role, state=state, assignee=assignee)
    plan = plan_move(task, 2, STEPS, mapping)
    if plan.outcome == MOVED:
        assert plan.to_step in STEPS and plan.role in (plan.to_step.role, plan.to_step.escalation_role)
        assert (plan.assignee, plan.state) == ((assignee, state) if plan.role == role else (None, "new"))
    else:
        assert plan.reason and plan.assignee is None
