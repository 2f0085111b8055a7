"""
Where a ticket is on its way, as its requester is told: the steps of its workflow in their order, and which is being worked.

1. A step is done when its last visit is completed, and no step before it is open again.
2. A step is now when one of its visits is open; who has it is told by name, nothing else about them.
3. All others are still to come. After the end everything that was visited is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from baton.pipelines.statuses import FINAL_ITEM_STATES, FINAL_STATUSES, ITEM_COMPLETED

DONE, NOW, NEXT = "done", "now", "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A visit to a step, oldest first: its state, and the name of whoever has it."""

    step: str
    state: str
    assignee: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step as the requester sees it: `state` is done, now or next."""

    name: str
    state: str
    assignee: str | None = None


def stages_of(steps: Sequence[str], visits: Sequence[Visited], status: str) -> list[Stage]:
    """Return every step of the workflow's version in its order (`steps`: their names), with where the ticket is."""
    last = {visit.step: visit for visit in visits}
    is_open = [name in last and last[name].state not in FINAL_ITEM_STATES for name in steps]
    first_open = is_open.index(True) if True in is_open else len(steps)
    stages = []
    for place, name in enumerate(steps):
        visit = last.get(name)
        if is_open[place]:
            stages.append(Stage(name=name, state=NOW, assignee=visit.assignee if visit else None))
        elif visit is not None and visit.state == ITEM_COMPLETED and (place < first_open or status in FINAL_STATUSES):
            stages.append(Stage(name=name, state=DONE))
        else:
            stages.append(Stage(name=name, state=NEXT))
    return stages
