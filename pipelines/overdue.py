"""
What is done to a ticket that is late, as its policy says, in the name of the scheduler.

1. Its priority is one higher, up to the highest.
2. Its open item is escalated; where that cannot be, and where the policy only says so, it is transferred to the one it names.
3. What cannot be done (there is nobody to escalate to, the item is on hold) is noted with the event and changes nothing.
4. A ticket that ended meanwhile, a clock that stopped and an event that was taken back ask for nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.pipelines.filing import PRIORITIES
from baton.pipelines.live_messages import ActOnOverdue
from baton.pipelines.permissions import Principal
from baton.pipelines.work import ACTIONS, Action

SCHEDULER = Principal("system", "scheduler")
PRIORITY, ESCALATE, TRANSFER = ACTIONS["task", "priority"], ACTIONS["item", "escalate"], ACTIONS["item", "transfer"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something to try: an action with its arguments, and what to try where it is refused."""

    action: Action
    arguments: Mapping[str, Any]
    otherwise: Attempt | None = None


def higher(priority: str) -> str | None:
    """Return the next higher priority; None: there is none, or this one is not known."""
    place = PRIORITIES.index(priority) + 1 if priority in PRIORITIES else len(PRIORITIES)
    return PRIORITIES[place] if place < len(PRIORITIES) else None


def is_moot(event: Mapping[str, Any]) -> str:
    """Return why an event (`retracted_at`, the clock's `stopped_at`) asks for nothing any more; "" if it does."""
    if event["retracted_at"] is not None:
        return "the event was taken back"
    return "" if event["stopped_at"] is None else "the clock has stopped"


def attempts(message: ActOnOverdue, priority: str) -> list[Attempt]:
    """Return what to try, in order."""
    found = []
    raised = higher(priority) if message.raise_priority else None
    if raised is not None:
        found.append(Attempt(PRIORITY, {"priority": raised, "reason": message.reason}))
    transfer = None
    if message.transfer_to:
        transfer = Attempt(TRANSFER, {"to_user": message.transfer_to, "reason": message.reason})
    if message.escalate:
        found.append(Attempt(ESCALATE, {"reason": message.reason}, transfer))
    elif transfer is not None:
        found.append(transfer)
    return found
