"""
The states of a ticket, a task and an item, each listed once, and what moves a ticket from one to the next.

A ticket's status, as the workflow side tells it:

1. `New` when its snapshot is stored. `Open` is the employee's side before the workflow side has answered.
2. `In Triage` while no deployed workflow matches it.
3. `Pending` while its first step has nobody eligible, `Assigned` once somebody has it.
4. `In Progress` while it is worked, `On Hold` while its clock stands still.
5. `Resolved`, then `Closed`; `Withdrawn` by its requester; `Cancelled` by staff.

From a withdrawn, resolved or closed ticket a reopening leads back to 2 or 3. A cancelled ticket stays so.
"""

from __future__ import annotations

NEW = "New"
OPEN = "Open"
IN_TRIAGE = "In Triage"
PENDING = "Pending"
ASSIGNED = "Assigned"
IN_PROGRESS = "In Progress"
ON_HOLD = "On Hold"
RESOLVED = "Resolved"
CLOSED = "Closed"
WITHDRAWN = "Withdrawn"
CANCELLED = "Cancelled"

#: Every status a ticket can have, in the order of its life.
TICKET_STATUSES = (
    NEW,
    OPEN,
    IN_TRIAGE,
    PENDING,
    ASSIGNED,
    IN_PROGRESS,
    ON_HOLD,
    RESOLVED,
    CLOSED,
    WITHDRAWN,
    CANCELLED,
)
#: Statuses in which nothing more is done unless somebody reopens the ticket.
FINAL_STATUSES = frozenset({RESOLVED, CLOSED, WITHDRAWN, CANCELLED})
#: Statuses that a requester can reopen.
REOPENABLE_STATUSES = frozenset({RESOLVED, CLOSED, WITHDRAWN})

#: From which status to which: the only changes there are.
TICKET_TRANSITIONS: dict[str, frozenset[str]] = {
    NEW: frozenset({IN_TRIAGE, PENDING, ASSIGNED, WITHDRAWN, CANCELLED}),
    OPEN: frozenset({NEW, IN_TRIAGE, PENDING, ASSIGNED, WITHDRAWN, CANCELLED}),
    IN_TRIAGE: frozenset({PENDING, ASSIGNED, WITHDRAWN, CANCELLED}),
    PENDING: frozenset({ASSIGNED, WITHDRAWN, CANCELLED}),
    ASSIGNED: frozenset({PENDING, IN_PROGRESS, ON_HOLD, RESOLVED, WITHDRAWN, CANCELLED}),
    IN_PROGRESS: frozenset({ASSIGNED, PENDING, ON_HOLD, RESOLVED, WITHDRAWN, CANCELLED}),
    ON_HOLD: frozenset({ASSIGNED, PENDING, IN_PROGRESS, RESOLVED, WITHDRAWN, CANCELLED}),
    RESOLVED: frozenset({CLOSED, IN_TRIAGE, PENDING, ASSIGNED}),
    CLOSED: frozenset({IN_TRIAGE, PENDING, ASSIGNED}),
    WITHDRAWN: frozenset({IN_TRIAGE, PENDING, ASSIGNED}),
    CANCELLED: frozenset(),
}

ITEM_NEW = "new"
ITEM_IN_PROGRESS = "in progress"
ITEM_ON_HOLD = "on hold"
ITEM_ESCALATED = "escalated"
ITEM_TRANSFERRED = "transferred"
ITEM_COMPLETED = "completed"
#: Sent back to the step it came from: finished here, open there.
ITEM_RETURNED = "returned"
ITEM_CANCELLED = "cancelled"

ITEM_STATES = (
    ITEM_NEW,
    ITEM_IN_PROGRESS,
    ITEM_ON_HOLD,
    ITEM_ESCALATED,
    ITEM_TRANSFERRED,
    ITEM_COMPLETED,
    ITEM_RETURNED,
    ITEM_CANCELLED,
)
#: States in which an item is nobody's work any more.
FINAL_ITEM_STATES = frozenset({ITEM_COMPLETED, ITEM_RETURNED, ITEM_CANCELLED})
#: States in which an item is somebody's work, or waits to become it.
OPEN_ITEM_STATES = frozenset(ITEM_STATES) - FINAL_ITEM_STATES

TASK_OPEN = "open"
TASK_COMPLETED = "completed"
TASK_WITHDRAWN = "withdrawn"
TASK_CANCELLED = "cancelled"
TASK_STATUSES = (TASK_OPEN, TASK_COMPLETED, TASK_WITHDRAWN, TASK_CANCELLED)


def may_become(status: str, new_status: str) -> bool:
    """Return whether a ticket in this status may change to the other."""
    return new_status in TICKET_TRANSITIONS.get(status, frozenset())


def when_assigned(status: str) -> str:
    """Return a ticket's status after its step was given to somebody: work that already runs keeps its status."""
    return ASSIGNED if status in (NEW, OPEN, IN_TRIAGE, PENDING) or status in REOPENABLE_STATUSES else status


def when_waiting(status: str) -> str:
    """Return a ticket's status after its step found nobody eligible: work that already runs keeps its status."""
    return PENDING if status in (NEW, OPEN, IN_TRIAGE, PENDING) or status in REOPENABLE_STATUSES else status
