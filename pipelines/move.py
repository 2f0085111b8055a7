"""
Moving a running task to another version of its workflow: what happens to it, or why it stays.

1. Only an open task of the workflow moves, and only to a version that was deployed: a draft may still change.
2. The step it stands at leads to its counterpart: the one that the mapping names, else the one of the same name. A step that has
   neither keeps its tasks, and says so; no state is invented.
3. The task's open item is closed as moved, and one at the counterpart takes its place. It stays its assignee's, in its state and
   at its place in the waiting list, if the counterpart belongs to the same role; otherwise that role's members take turns.
4. An item on hold, or with approvals given, stays: whoever put it there decides first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from baton.pipelines.statuses import ITEM_NEW, ITEM_ON_HOLD

MOVED, REFUSED, UNCHANGED = "moved", "refused", "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlace:
    """A step of a version as moving sees it: roles are row ids."""

    id: int
    name: str
    role: int
    escalation_role: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A task as it stands: `step` None when it has no open item, `decisions` the approvals and refusals given on that."""

    ticket_number: str
    status: str
    version: int
    step: StepPlace | None = None
    role: int | None = None
    state: str = ITEM_NEW
    assignee: str | None = None
    decisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What becomes of a task. Moved: to which step, whose role, and the state and assignee of its item there."""

    ticket_number: str
    outcome: str
    reason: str
    to_step: StepPlace | None = None
    role: int | None = None
    state: str | None = None
    assignee: str | None = None
    keeps_place: bool = False


def plan_move(task: Running, target: int, steps: Sequence[StepPlace], mapping: Mapping[str, str]) -> MovePlan:
    """Return what becomes of a task that shall go to the version `target` (its id), which has these steps."""
    if task.status != "open":
        return _stays(task, REFUSED, f"the task is {task.status}")
    if task.version == target:
        return _stays(task, UNCHANGED, "it is on that version")
    if task.step is None:
        return _stays(task, REFUSED, "it stands at no step")
    if task.state == ITEM_ON_HOLD:
        return _stays(task, REFUSED, f"step {task.step.name!r} is on hold: resume it first")
    if task.decisions:
        return _stays(task, REFUSED, f"step {task.step.name!r} has decisions that would no longer count: finish it first")
    name = find_counterpart(task.step.name, mapping)
    step = next((each for each in steps if same(each.name, name)), None)
    if step is None:
        return _stays(task, REFUSED, f"step {task.step.name!r} has no counterpart {name!r} in the new version: map it to a step")
    return _goes(task, step)


def find_counterpart(name: str, mapping: Mapping[str, str]) -> str:
    """Return the name that a step is mapped to, its own if it is not mapped."""
    return next((goal for source, goal in mapping.items() if same(source, name)), name)


def unknown_goals(mapping: Mapping[str, str], steps: Sequence[StepPlace]) -> list[str]:
    """Return the names in a mapping that lead to no step of the new version."""
    return [source for source, goal in mapping.items() if not any(same(step.name, goal) for step in steps)]


def same(one: str, other: str) -> bool:
    """Whether two names mean the same step."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _goes(task: Running, step: StepPlace) -> MovePlan:
    assert task.step is not None
    with_escalation = task.role != task.step.role and step.escalation_role is not None
    role = step.escalation_role if with_escalation else step.role
    stays = role == task.role
    if not stays:
        reason = "its role is another: the next in turn gets it"
    else:
        reason = f"it stays with {task.assignee}" if task.assignee else "it waits on"
    return MovePlan(
        ticket_number=task.ticket_number,
        outcome=MOVED,
        reason=reason,
        to_step=step,
        role=role,
        state=task.state if stays else ITEM_NEW,
        assignee=task.assignee if stays else None,
        keeps_place=stays,
    )


def _stays(task: Running, outcome: str, reason: str) -> MovePlan:
    return MovePlan(ticket_number=task.ticket_number, outcome=outcome, reason=reason)
