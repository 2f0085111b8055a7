"""
Who hears what: one table, read by the code that tells people, by the documentation and by the tests.

Each type of notification names its recipients by what they are to the ticket (the reason), and whether those get a mail unless
they chose otherwise. Somebody who is told for several reasons is told once, with the strongest. Whoever acted is not told.

Everything is shown in the application. The eight types of the contract cannot be switched off there; `essential` types are shown
and mailed although the ticket is muted, because they hand the person work; `critical` ones may pass quiet hours and digests, if
the person lets breaches through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: What somebody is to a ticket, strongest first.
ASSIGNEE, FORMER_ASSIGNEE, APPROVER, MENTIONED, ESCALATED, SUBSTITUTE = (
    "assignee", "former_assignee", "approver", "mentioned", "escalation_role", "substitute",
)  # fmt: skip
OWNER, MANAGER, NAMED, PARTICIPANT, REQUESTER = "owner", "manager", "named", "participant", "requester"

#: Reason -> the words that tell somebody why they were told. The order is the order of strength.
REASONS: Mapping[str, str] = {
    ASSIGNEE: "you are the assignee",
    FORMER_ASSIGNEE: "you were the assignee",
    APPROVER: "your approval is asked for",
    MENTIONED: "you were mentioned",
    ESCALATED: "you are a member of the role it was escalated to",
    SUBSTITUTE: "you can take over for somebody who is away",
    OWNER: "you own the ticket",
    MANAGER: "you are the manager of the step",
    NAMED: "the service level names you, or a role of yours",
    REQUESTER: "you asked for it",
    PARTICIPANT: "you take part in the task",
}

IN_APP, EMAIL = "in_app", "email"
CHANNELS = (IN_APP, EMAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """
    One type of notification: what causes it, and by reason whether it is mailed unless the person chose otherwise.

    `always_in_app`: a type of the contract, which cannot be switched off in the application.
    """

    type: str
    trigger: str
    mailed: Mapping[str, bool]
    always_in_app: bool = False
    essential: bool = False
    critical: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why somebody is told, strongest first."""
        return tuple(reason for reason in REASONS if reason in self.mailed)


AUDIENCES: Mapping[str, Audience] = {
    each.type: each
    for each in (
        Audience(
            type="task_assignment",
            trigger="a new assignment",
            mailed={ASSIGNEE: True},
            always_in_app=True,
            essential=True,
        ),
        Audience(
            type="task_transfer_in",
            trigger="a task was transferred to someone",
            mailed={ASSIGNEE: True},
            always_in_app=True,
            essential=True,
        ),
        Audience(
            type="task_transfer_out",
            trigger="a task was transferred away",
            mailed={FORMER_ASSIGNEE: False},
            always_in_app=True,
        ),
        Audience(
            type="task_escalation",
            trigger="a task was escalated",
            mailed={ESCALATED: True},
            always_in_app=True,
            essential=True,
        ),
        Audience(
            type="task_completed",
            trigger="a task is finished",
            mailed={OWNER: False},
            always_in_app=True,
        ),
        Audience(
            type="sla_warning",
            trigger="a ticket's time runs out",
            mailed={ASSIGNEE: True, OWNER: True, NAMED: True},
            always_in_app=True,
        ),
        Audience(
            type="sla_breach",
            trigger="a ticket's time has run out",
            mailed={ASSIGNEE: True, MANAGER: True, NAMED: True},
            always_in_app=True,
            essential=True,
            critical=True,
        ),
        Audience(
            type="comment_added",
            trigger="a new comment",
            mailed={ASSIGNEE: True, OWNER: False, PARTICIPANT: False},
            always_in_app=True,
        ),
        Audience(type="mention", trigger="a comment names someone", mailed={MENTIONED: True}),
        Audience(type="status_changed", trigger="a ticket has another status", mailed={REQUESTER: True}),
        Audience(type="reply", trigger="staff answered the requester", mailed={REQUESTER: True}),
        Audience(
            type="resolution", trigger="a ticket is resolved, closed or withdrawn for the requester", mailed={REQUESTER: True}
        ),
        Audience(
            type="approval_waiting",
            trigger="a step waits for approval",
            mailed={APPROVER: True},
            essential=True,
        ),
        Audience(
            type="handover_offer",
            trigger="work of somebody who is away can be taken over",
            mailed={SUBSTITUTE: True, OWNER: True},
        ),
    )
}

#: The types of the contract.
CONTRACT_TYPES = tuple(name for name, each in AUDIENCES.items() if each.always_in_app)
#: The types a requester may be told of. Nothing else is ever stored, shown or mailed to one.
REQUESTER_TYPES = frozenset(name for name, each in AUDIENCES.items() if REQUESTER in each.mailed)

_STRENGTH = {reason: place for place, reason in enumerate(REASONS)}


def strongest(reasons: Iterable[str]) -> str:
    """Return the strongest of these reasons."""
    return min(reasons, key=_STRENGTH.__getitem__)


def audience(notification_type: str, people: Mapping[str, Iterable[str | None]], *, actor: str = "") -> dict[str, str]:
    """
    Return who is told of something and why: recipient -> the strongest reason, in the order of their strength.

    `people` are the candidates by reason, staff by user id and requesters as `employee:ID`; reasons for which the table tells
    nobody of this type are left out, and so is `actor`, who did it.

    Raises:
        KeyError: the table has no such type.
    """
    told = AUDIENCES[notification_type].reasons
    found: dict[str, str] = {}
    for reason in told:
        for person in people.get(reason, ()):
            if person and person != actor:
                found.setdefault(person, reason)
    return found


def sees(recipient: str, roles: Iterable[str], held: Iterable[str]) -> bool:
    """
    Return whether somebody who holds these roles now may still be told of a ticket that `roles` see (none: anybody does).

    `tts:*` stands for any role of a system, as in the permission table. A requester is only ever told of their own tickets,
    whatever roles see them.
    """
    needed, own = set(roles), set(held)
    own |= {f"{role.partition(':')[0]}:*" for role in own}
    return recipient.startswith("employee:") or not needed or not needed.isdisjoint(own)


def is_mailed(notification_type: str, reason: str) -> bool:
    """
    Return whether the table has this mailed to somebody who chose nothing; what the table does not know is not.

    Whom a service level has told besides those that the table names, it names (`NAMED`). Without a reason (former services say
    none) a type is mailed that is mailed for each of its reasons.
    """
    known = AUDIENCES.get(notification_type)
    if known is not None and not reason:
        return all(known.mailed.values())
    return known is not None and known.mailed.get(reason, known.mailed.get(NAMED, False))
