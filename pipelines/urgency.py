"""
What to do first.

1. What is late comes first, the latest of all on top.
2. Then what is due, soonest first.
3. Then what nothing is promised for, by priority, oldest first. What is on hold comes last: its clock stands still.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PRIORITIES = ("Critical", "High", "Medium", "Low")
LATE, TODAY, LATER, UNPROMISED, HELD = "late", "soon", "later", "unpromised", "on hold"
#: What is due within this is soon.
SOON = timedelta(hours=4)
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An item as urgency sees it. `due_at` is the earliest of the clocks that run for it."""

    id: int
    state: str
    priority: str
    due_at: datetime | None


def earliest(dues: Iterable[datetime | None]) -> datetime | None:
    """Return the first of these instants, None where there is none."""
    return min((due for due in dues if due is not None), default=None)


def urgency_of(job: Job, now: datetime) -> str:
    """Return how pressing it is: late, soon, later, unpromised or on hold."""
    if job.state == "on hold":
        return HELD
    if job.due_at is None:
        return UNPROMISED
    if job.due_at < now:
        return LATE
    return TODAY if job.due_at - now <= SOON else LATER


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs, the most urgent first."""
    return sorted(jobs, key=_rank)


def _rank(job: Job) -> tuple[bool, datetime, int, int]:
    priority = PRIORITIES.index(job.priority) if job.priority in PRIORITIES else len(PRIORITIES)
    return job.state == "on hold", job.due_at or _FAR, priority, job.id
