"""
Requests: the requester takes a ticket back, or wants it worked again.

1. A request that was handled before changes nothing more.
2. A request older than one already applied to the ticket comes too late and is ignored: the newer one has been answered. Requests
   are ordered by their version, or else by the instant at which they were sent; without either they count as they come.
3. A withdrawal stops whatever is not finished: open items are cancelled, their people freed, the ticket is `Withdrawn`. A ticket
   that is withdrawn before it was taken in is stored as withdrawn, and its arrival changes nothing.
4. A reopening brings back what was withdrawn, resolved or closed: the last step is opened once more and goes to whoever had it;
   a ticket without a task is allocated like a new one.
5. Every request that is not too late is answered with the ticket's status under a new version, also when it changed nothing: the
   requester's side ends with the same status.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from baton.pipelines.status_sync import is_news
from baton.pipelines.statuses import CANCELLED, REOPENABLE_STATUSES, WITHDRAWN, may_become

APPLIED = "applied"
REFUSED = "refused"
IGNORED = "too late"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: `applied`, `refused` (answered with the status as it is) or `too late` (not answered)."""

    outcome: str
    why: str = ""


def request_order(version: int | None, sent_at: str | None) -> int | None:
    """Return what orders the requests about one ticket: the version, else the sending time in microseconds since 1970."""
    if version is not None or sent_at is None:
        return version
    try:
        sent = datetime.fromisoformat(sent_at)
    except ValueError:
        return None
    return (sent - _EPOCH) // timedelta(microseconds=1) if sent.tzinfo is not None else None


def decide_withdrawal(status: str, known_version: int | None, version: int | None) -> Verdict:
    """Return what becomes of a withdrawal of a ticket in this status."""
    if not is_news(version, known_version):
        return Verdict(IGNORED, "a newer request was applied")
    if may_become(status, WITHDRAWN):
        return Verdict(APPLIED)
    return Verdict(REFUSED, f"the ticket is {status}")


def decide_reopening(status: str, known_version: int | None, version: int | None) -> Verdict:
    """Return what becomes of a reopening of a ticket in this status."""
    if not is_news(version, known_version):
        return Verdict(IGNORED, "a newer request was applied")
    if status in REOPENABLE_STATUSES:
        return Verdict(APPLIED)
    if status == CANCELLED:
        return Verdict(REFUSED, "a cancelled ticket stays cancelled")
    return Verdict(REFUSED, f"the ticket is {status}, which is open")
