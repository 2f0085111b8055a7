"""
What a service level policy says: for which tickets it is, what it promises, what is done when a promise is in danger.

`sla_policy_texts` reads one, and shows how one is written. Pauses hold the resolution and the steps, never a response: only a
reply answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from baton.pipelines.sla.clocks import Level

FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION, STEP = "first_response", "next_response", "resolution", "step"
METRICS = (FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION, STEP)
CONTINUE, NEW_CYCLE = "continue", "new_cycle"
FROM_START, FROM_CHANGE = "from_start", "from_change"
COUNTS, CANCELS = "counts", "cancels"
ASSIGNEE, OWNER, MANAGER = "assignee", "owner", "manager"
#: What a ticket is matched by, beside the requester's attributes.
NAMES = ("workflow", "category", "department", "priority")


@dataclass(frozen=True, slots=True)
class Effects:
    """
    What is done when something fires. `tell`: assignee, owner, manager (the holders of the step's escalation role),
    `role:NAME`, `user:ID`.
    """

    tell: tuple[str, ...] = ()
    raise_priority: bool = False
    escalate: bool = False
    transfer_to: str | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A warning before due, or an escalation after it: at which level, of which metrics, and what is done."""

    level: Level
    metrics: tuple[str, ...]
    effects: Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as its definition says. `targets` are working seconds by metric, `step_targets` by step name."""

    name: str
    calendar: str
    rank: int = 0
    description: str = ""
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requester: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, int] = field(default_factory=dict)
    step_share: bool = True
    step_targets: Mapping[str, int] = field(default_factory=dict)
    pause_on_hold: bool = True
    pause_waiting: bool = False
    reopening: str = CONTINUE
    change: str = FROM_START
    resolved_without_reply: str = COUNTS
    tell_on_attach: bool = False
    warnings: tuple[Rung, ...] = ()
    breach: Effects = Effects((ASSIGNEE, MANAGER))
    escalations: tuple[Rung, ...] = ()

    def step_seconds(self, name: str, share: float | None) -> int | None:
        """Return the target of a step: its own, else its share of the resolution's; None: it has no clock."""
        if name in self.step_targets:
            return self.step_targets[name]
        if not self.step_share or share is None or RESOLUTION not in self.targets:
            return None
        return round(self.targets[RESOLUTION] * share)
