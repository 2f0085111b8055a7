"""Where a ticket is on its way, as its requester is told."""

from __future__ import annotations

import pytest

from baton.pipelines.progress import Visited, stages_of

STEPS = ("Triage", "Resolve", "Finalize")


def shown(visits: list[tuple[str, str]], status: str = "In Progress") -> list[str]:
    seen = [Visited(step=step, state=state, assignee="Kenji") for step, state in visits]
    return [stage.state for stage in stages_of(STEPS, seen, status)]


@pytest.mark.parametrize(
    ("visits", "status", "states"),
    [
        ([], "In Triage", ["next", "next", "next"]),
        ([("Triage", "new")], "Assigned", ["now", "next", "next"]),
        ([("Triage", "completed"), ("Resolve", "on hold")], "On Hold", ["done", "now", "next"]),
        # Sent back: the step it came from is worked again, the later one is not done.
        ([("Triage", "completed"), ("Resolve", "returned"), ("Triage", "new")], "In Progress", ["now", "next", "next"]),
        ([("Triage", "completed"), ("Resolve", "completed"), ("Finalize", "completed")], "Resolved", ["done"] * 3),
        # A short cut: what was never visited is not called done.
        ([("Triage", "completed")], "Resolved", ["done", "next", "next"]),
        ([("Triage", "completed"), ("Resolve", "cancelled")], "Withdrawn", ["done", "next", "next"]),
    ],
)
def test_each_step_is_done_now_or_to_come(visits: list[tuple[str, str]], status: str, states: list[str]) -> None:
    assert shown(visits, status) == states


def test_only_whoever_has_it_now_is_named() -> None:
    visits = [Visited(step="Triage", state="completed", assignee="Ada"), Visited(step="Resolve", state="new", assignee="Kenji")]
    assert [stage.assignee for stage in stages_of(STEPS, visits, "In Progress")] == [None, "Kenji", None]
