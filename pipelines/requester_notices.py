"""
What requesters are told of their tickets: every new status but their own doing, and the end. By name, and nothing internal.

1. A ticket that is told of for the first time has no new status: its requester has just filed it.
2. Withdrawing is the requester's own doing. So is filing: `New` and `Open` are not told.
3. A ticket that is resolved, closed or cancelled is done: that is a resolution, told once for each time the ticket ends.
4. A requester who is staff and did it themselves is not told. One who owns the ticket too hears of its end once, as its owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.pipelines.audience import REQUESTER, audience
from baton.pipelines.notification_messages import NotifyStatus
from baton.pipelines.statuses import CANCELLED, CLOSED, NEW, OPEN, RESOLVED, WITHDRAWN

_OWN_DOING = frozenset({NEW, OPEN, WITHDRAWN})
_DONE = frozenset({RESOLVED, CLOSED, CANCELLED})


def requester_of(employee_id: str | None, user_id: str | None) -> str | None:
    """Return how messages name a requester: `employee:ID`, where that is unknown by their user id; None: unknown."""
    return f"employee:{employee_id}" if employee_id else user_id


def resolution_event(ticket_number: str, ended: str) -> str:
    """Return the event of a ticket's end, the same from whoever tells of it; `ended` tells each end from the others."""
    return f"resolution:{ticket_number}:{ended}"


def about_status(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], *, version: int, last_item: int | None, actor: str
) -> tuple[NotifyStatus, ...]:
    """
    Return the news for a ticket's requester (rules 1 to 4).

    `before` and `now` are the fields of FollowTicket, `version` theirs; `last_item` is the ticket's newest item and `actor` who
    changed an item of it last, as a subject.
    """
    status = now["status"]
    if before is None or before["status"] == status or status in _OWN_DOING:
        return ()
    number, requester = now["ticket_number"], now["requester"]
    kind = "resolution" if status in _DONE else "status_changed"
    person = requester_of(requester["employee_id"], requester["user_id"])
    if kind == "resolution" and requester["user_id"] is not None and requester["user_id"] == now["owner"]:
        person = requester["user_id"]
    ended = resolution_event(number, f"{status}:{last_item or version}")
    acting = actor.removeprefix("user:") if actor.startswith("user:") else actor
    return tuple(
        NotifyStatus(
            user_id=recipient,
            subject=f"{number}: {status}",
            message=f"Your ticket {number} ({now['subject']}) is now {status}. It was {before['status']} before.",
            notification_type=kind,
            related_ticket_number=number,
            metadata={
                "reason": reason,
                "event": ended if kind == "resolution" else f"status:{number}:{version}",
                "from": before["status"],
                "to": status,
            },
        )
        for recipient, reason in audience(kind, {REQUESTER: [person]}, actor=acting).items()
    )
