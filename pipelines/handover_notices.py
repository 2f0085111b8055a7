"""
What people are told when somebody with open work is away: whoever stands in for them, and the owners of the tasks, who can hand
the work over. Once for an absence; not for one that is over; nothing when there is no open work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from baton.pipelines.assignment import Candidate, is_away
from baton.pipelines.audience import OWNER, SUBSTITUTE, audience
from baton.pipelines.handover import chain_of
from baton.pipelines.notification_messages import NotifyHandover
from baton.pipelines.permissions import Principal

#: Tickets that a notification names at most.
MOST_NAMED = 20


def find_stand_in(
    user_id: str, substitutes: Mapping[str, str], people: Mapping[str, Sequence[Candidate]], now: datetime
) -> str | None:
    """Return the first of the person's chain of substitutes who is active and present in some role."""
    for person in chain_of(user_id, substitutes):
        if any(each.is_active and not is_away(each, now) for each in people.get(person, ())):
            return person
    return None


def has_absence_left(person: Candidate, now: datetime) -> bool:
    """Whether an absence of the person is noted that has not ended: they are away, or will be."""
    noted = person.away_from is not None or person.away_to is not None
    return noted and (person.away_to is None or person.away_to > now)


def about_absence(
    person: Candidate,
    work: Sequence[tuple[str, str | None]],
    stand_in: str | None,
    actor: Principal,
    now: datetime,
) -> tuple[NotifyHandover, ...]:
    """
    Return the news of a person's absence; `work` are their open items: ticket number and owner of the task.
    """
    begins, ends = person.away_from, person.away_to
    if not work or not has_absence_left(person, now):
        return ()
    tickets = sorted({number for number, _ in work})
    name = person.name or f"user {person.user_id}"
    until = "" if ends is None else f" until {ends:%Y-%m-%d %H:%M} UTC"
    owners: list[str | None] = [*sorted({owner for _, owner in work if owner and owner != person.user_id})]
    known = {SUBSTITUTE: [stand_in], OWNER: owners}
    return tuple(
        NotifyHandover(
            user_id=recipient,
            subject=f"{name} is away: {len(work)} open items can be handed over",
            message=f"{name} is away{until} with {len(work)} open items: {', '.join(tickets[:MOST_NAMED])}.",
            notification_type="handover_offer",
            metadata={
                "reason": reason,
                "event": f"away:{person.user_id}:{begins and begins.isoformat()}:{ends and ends.isoformat()}",
                "absent_user_id": person.user_id,
                "tickets": tickets[:MOST_NAMED],
                "items": len(work),
            },
        )
        for recipient, reason in audience("handover_offer", known, actor=actor.id if actor.kind == "user" else "").items()
    )
