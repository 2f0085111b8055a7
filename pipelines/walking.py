"""
Walking a ticket's task to a status, one action at a time: what a check, a demonstration or an operator in a hurry does next.

1. In Progress: the open item is started, once somebody has it.
2. Resolved: each step's item is started and completed, until the last one ends the task.

What is read is the task as the workflow API shows it. A walk never decides for anybody: a step that wants approvals ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.pipelines.statuses import (
    CANCELLED,
    CLOSED,
    FINAL_ITEM_STATES,
    IN_PROGRESS,
    IN_TRIAGE,
    ITEM_IN_PROGRESS,
    ITEM_ON_HOLD,
    RESOLVED,
    WITHDRAWN,
)

#: Statuses that a ticket can be walked to.
TARGETS = (IN_PROGRESS, RESOLVED)


@dataclass(frozen=True, slots=True)
class Act:
    """Carry out this action on this item; `step` and `assignee` are for the report."""

    action: str
    item: int
    step: str
    assignee: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again later: `reason` is what is missing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """The ticket has the status."""

    status: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The ticket will not get there by walking."""

    reason: str


def next_act(document: Mapping[str, Any] | None, target: str) -> Act | Wait | Arrived | Blocked:
    """Return what comes next for a task that is to reach the target; `document` is the API's view, None: not there yet."""
    if document is None:
        return Wait("the workflow side has not taken the ticket in yet")
    status = document["status"]
    if status == target or (target == RESOLVED and status == CLOSED):
        return Arrived(status)
    if status in (RESOLVED, CLOSED, WITHDRAWN, CANCELLED):
        return Blocked(f"the ticket is {status} already")
    if document["task"] is None:
        # Triage is left by a person, or by a workflow that is deployed meanwhile.
        return Wait("no deployed workflow matches it: it waits in triage" if status == IN_TRIAGE else "it has no task yet")
    item = next((each for each in reversed(document["items"]) if each["state"] not in FINAL_ITEM_STATES), None)
    if item is None:
        return Wait("no step is open yet")
    if item["assignee"] is None:
        return Wait(f"step {item['step']} waits for an eligible {item['role']}")
    return Act(_action_for(item["state"]), item["id"], item["step"], item["assignee"])


def _action_for(state: str) -> str:
    if state == ITEM_ON_HOLD:
        return "resume"
    return "complete" if state == ITEM_IN_PROGRESS else "start"
