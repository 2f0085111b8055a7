"""Whom to tell of what clocks fired, and in which words; the rules are in `firing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.pipelines.firing import DueClock, Event, Firing, severity
from baton.pipelines.live_messages import ActOnOverdue, TellTicketEvent
from baton.pipelines.notification_messages import NotifySla
from baton.pipelines.sla_clocks import Wanted
from baton.pipelines.sla_firing import BREACH, ESCALATION, WARNING
from baton.pipelines.sla_policies import ASSIGNEE, MANAGER, OWNER

#: More late ones than this, in one go and for one person, come as one message.
MOST_LATE = 10
#: Tickets that such a message names.
MOST_NAMED = 50
_WHAT = {"first_response": "the first response", "next_response": "the next response", "resolution": "the resolution"}


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who is who for a ticket now: user ids; `roles` by role name."""

    assignee: str | None
    owner: str | None
    managers: tuple[str, ...]
    roles: Mapping[str, Sequence[str]]
    item: int | None = None
    step: str = ""
    workflow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one person is told of one clock's event, and why this person."""

    user_id: str
    reason: str
    firing: Firing
    event: Event
    event_id: int
    people: People


def event_name(event_id: int) -> str:
    """Return what tells an event from every other to those who are told: what they were told is taken back by this name."""
    return f"sla:{event_id}"


def role_names(firing: Firing) -> set[str]:
    """Return the names of the roles that the policy has told."""
    words = (word for event in firing.events for word in event.effects.tell)
    return {word.removeprefix("role:") for word in words if word.startswith("role:")}


def tell(told: Iterable[tuple[Firing, Event, int, People]]) -> list[Notice]:
    """Return whom to tell of each clock's most severe event (its id comes with it): whomever any of its events names, once."""
    notices = []
    for firing, event, event_id, people in told:
        words = [word for each in firing.events for word in each.effects.tell]
        for user_id, reason in _named(words, people).items():
            notices.append(Notice(user_id=user_id, reason=reason, firing=firing, event=event, event_id=event_id, people=people))
    return notices


def _named(wanted: Iterable[str], people: People) -> dict[str, str]:
    """Return the people whom these words name, each with the first word that does."""
    named: dict[str, str] = {}
    for word in dict.fromkeys(wanted):
        found: Sequence[str | None]
        if word == ASSIGNEE:
            found = [people.assignee]
        elif word == OWNER:
            found = [people.owner]
        elif word == MANAGER:
            found = people.managers or [people.owner]
        else:
            kind, _, name = word.partition(":")
            found = [name] if kind == "user" else people.roles.get(name, ())
        for user_id in found:
            if user_id is not None:
                named.setdefault(user_id, word)
    return named


def write(notices: Sequence[Notice]) -> list[NotifySla]:
    """Return the messages to people, in the order of the events; very many late ones of a person are one message."""
    by_person: dict[str, list[Notice]] = {}
    for notice in notices:
        if notice.event.late:
            by_person.setdefault(notice.user_id, []).append(notice)
    many = {person: late for person, late in by_person.items() if len(late) > MOST_LATE}
    single = [_message(each) for each in notices if not (each.event.late and each.user_id in many)]
    return single + [_list(person, late) for person, late in many.items()]


def live_event(firing: Firing, event: Event, event_id: int) -> TellTicketEvent:
    """Return what those see who follow the ticket and are staff."""
    what = in_words(firing, event)
    return TellTicketEvent(
        ticket_number=firing.due.ticket_number,
        event_id=event_name(event_id),
        kind=live_kind(event.kind),
        text=what[:1].upper() + what[1:],
        happened_at=event.due_at.isoformat(),
        detail=detail(firing, event),
    )


def act(firing: Firing, event: Event, event_id: int) -> ActOnOverdue | None:
    """Return the command that does to the ticket what the policy says of the event; None: nothing."""
    effects = event.effects
    if not (effects.raise_priority or effects.escalate or effects.transfer_to):
        return None
    return ActOnOverdue(
        ticket_number=firing.due.ticket_number,
        event_id=event_id,
        reason=f"{in_words(firing, event)} (policy {firing.due.clock.policy.name})",
        raise_priority=effects.raise_priority,
        escalate=effects.escalate,
        transfer_to=effects.transfer_to,
    )


def live_kind(kind: str) -> str:
    """Return what a kind is called towards people: sla_warning or sla_breach."""
    return "sla_breach" if kind in (BREACH, ESCALATION) else "sla_warning"


def in_words(firing: Firing, event: Event) -> str:
    """Return an event in a sentence."""
    clock = firing.due.clock
    what = _what(clock, firing.due)
    due = "" if clock.due_at is None else f"{clock.due_at:%Y-%m-%d %H:%M} UTC"
    if event.kind == BREACH:
        return f"{what} was due at {due} and is late"
    if event.kind == ESCALATION:
        return f"{what} was due at {due}, is still late, and is escalated (level {event.level})"
    if event.kind == WARNING:
        return f"{what} is due at {due}"
    return f"{what} is due at {due}; with the steps that are left it will be late"


def detail(firing: Firing, event: Event) -> dict[str, Any]:
    """Return an event's facts as JSON."""
    clock = firing.due.clock
    return {
        "metric": clock.metric,
        "policy": clock.policy.name,
        "kind": event.kind,
        "level": event.level,
        "due_at": None if clock.due_at is None else clock.due_at.isoformat(),
        "late": event.late,
    }


def _message(notice: Notice) -> NotifySla:
    firing, event, people = notice.firing, notice.event, notice.people
    due = firing.due
    said = in_words(firing, event)
    return NotifySla(
        user_id=notice.user_id,
        subject=f"{due.ticket_number}: {said}",
        message=f"Ticket {due.ticket_number}, {people.workflow or 'in triage'}: {said} (policy {due.clock.policy.name}).",
        notification_type=live_kind(event.kind),
        related_task_item_id=people.item,
        related_ticket_number=due.ticket_number,
        metadata={
            "workflow_name": people.workflow,
            "step_name": people.step,
            "reason": notice.reason,
            "event": event_name(notice.event_id),
            **detail(firing, event),
        },
    )


def _list(person: str, late: Sequence[Notice]) -> NotifySla:
    worst = max(late, key=lambda notice: severity(notice.event))
    numbers = list(dict.fromkeys(notice.firing.due.ticket_number for notice in late))
    first = late[0]
    named = ", ".join(numbers[:MOST_NAMED]) + (f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else "")
    return NotifySla(
        user_id=person,
        subject=f"{len(numbers)} tickets are late or at risk",
        message=f"While service levels were not watched, these tickets became late or came to be at risk: {named}.",
        notification_type=live_kind(worst.event.kind),
        metadata={
            "workflow_name": first.people.workflow,
            "step_name": "",
            "reason": first.reason,
            "event": f"sla:late:{first.event_id}",
            "tickets": numbers[:MOST_NAMED],
            "count": len(numbers),
            "late": True,
        },
    )


def _what(clock: Wanted, due: DueClock) -> str:
    if clock.metric in _WHAT:
        return _WHAT[clock.metric]
    step = due.open_item.step if due.open_item is not None and due.open_item.id == clock.item else ""
    return f"the step {step}".strip()
