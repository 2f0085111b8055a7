"""
From what was announced to what is kept: each event once per person, with the strongest reason and one mail at most.

1. An event is told to a person once. The same again changes nothing; for a stronger reason it changes what it says, and is
   mailed if that reason has it mailed and it was not before.
2. What was retracted is not told.
3. What becomes of it is decided by `notifying`; what its mail undoes, by `undoing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from baton.pipelines.audience import AUDIENCES, NAMED, REASONS, REQUESTER_TYPES
from baton.pipelines.notifying import Person, Verdict, decide, is_requester, recipient_of
from baton.pipelines.undoing import UNDOING, Mailing, undo
from baton.pipelines.work_messages import TaskNotification

_STRENGTH = {reason: place for place, reason in enumerate(REASONS)}
#: Keys of the metadata that say how a notification is kept, and are not shown as part of it.
_KEPT_APART = frozenset({"event", "reason", "roles"})

_BY_MESSAGE = "message:"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one person is told of one event. `roles` as in the notification's row, `detail` the rest of its metadata."""

    recipient: str
    event_key: str
    type: str
    reason: str
    subject: str
    message: str
    ticket_number: str | None
    task_item_id: int | None
    detail: Mapping[str, Any]
    roles: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Event and recipient: what is told once."""
        return self.event_key, self.recipient

    @property
    def may_be_retracted(self) -> bool:
        """Whether its sender named the event, and so can take it back."""
        return not self.event_key.startswith(_BY_MESSAGE)

    def mailing(self) -> Mailing:
        """Return it as a mail that has not left."""
        return Mailing(
            key=self.key,
            recipient=self.recipient,
            type=self.type,
            ticket_number=self.ticket_number,
            task_item_id=self.task_item_id,
            detail=self.detail,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A notification that is there already: its row, why it was told, and whether it was or will be mailed."""

    id: int
    reason: str
    mailed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What a plan is made from: `known` by event and recipient, `muted` (recipient, ticket) pairs, `waiting` unsent mails."""

    now: datetime
    undo_seconds: float
    people: Mapping[str, Person]
    known: Mapping[tuple[str, str], Known] = field(default_factory=dict)
    retracted: frozenset[str] = frozenset()
    muted: frozenset[tuple[str, str]] = frozenset()
    waiting: Sequence[Mailing] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is written: `fresh` notifications, `stronger` ones over the rows that they replace, each with what becomes of it, and
    the keys of waiting mailings (those of `Background.waiting`) that are not mailed any more.
    """

    fresh: list[tuple[News, Verdict]]
    stronger: dict[int, tuple[News, Verdict]]
    unmailed: frozenset[Any]


def news_of(message: TaskNotification, message_id: str) -> News:
    """Return what a message tells; without an event in its metadata the message itself is the event."""
    said = dict(message.metadata or {})
    event, reason, roles = said.get("event"), said.get("reason"), said.get("roles")
    known_roles = roles if isinstance(roles, list | tuple) else ()
    return News(
        recipient=recipient_of(message.user_id),
        event_key=event if isinstance(event, str) and event else _BY_MESSAGE + message_id,
        type=message.notification_type,
        reason=_reason(reason, message.notification_type),
        subject=message.subject,
        message=message.message,
        ticket_number=message.related_ticket_number,
        task_item_id=message.related_task_item_id,
        detail={key: value for key, value in said.items() if key not in _KEPT_APART},
        roles=tuple(role for role in known_roles if isinstance(role, str)),
    )


def _reason(said: Any, notification_type: str) -> str:
    """
    Return why somebody is told; a service level names a role or a user, such as `role:IT Manager`.

    Former services say no reason: then it is the type's, if it has but one.
    """
    if not isinstance(said, str):
        known = AUDIENCES.get(notification_type)
        return known.reasons[0] if known is not None and len(known.reasons) == 1 else ""
    return NAMED if said.startswith(("role:", "user:")) else said


def fault_of(news: News) -> str | None:
    """Return why this cannot be told to anybody, None when it can. What is not meant for requesters never reaches one."""
    kind, _, name = news.recipient.partition(":")
    if not name.strip():
        return "user_id names nobody"
    if kind == "employee" and news.type not in REQUESTER_TYPES:
        return f"{news.type} is not for requesters"
    return None


def plan(news: Sequence[News], background: Background) -> Plan:
    """Return what becomes of these news, oldest first (rules 1 to 3)."""
    fresh: dict[tuple[str, str], tuple[News, Verdict]] = {}
    stronger: dict[int, tuple[News, Verdict]] = {}
    waiting = {each.key: each for each in background.waiting}
    unmailed: set[Any] = set()
    for each in _once(news, background):
        known = background.known.get(each.key)
        verdict = _verdict(each, background)
        if known is not None:
            stronger[known.id] = each, replace(verdict, send_after=None) if known.mailed else verdict
            continue
        each, verdict, undone = _weigh(each, verdict, list(waiting.values()))
        for key in undone:
            waiting.pop(key)
            if key in fresh:
                fresh[key] = fresh[key][0], replace(fresh[key][1], send_after=None)
            else:
                unmailed.add(key)
        fresh[each.key] = each, verdict
        if verdict.email:
            waiting[each.key] = each.mailing()
    return Plan(list(fresh.values()), stronger, frozenset(unmailed))


def _once(news: Sequence[News], background: Background) -> list[News]:
    """Return the news worth keeping: each event once per person, for the strongest reason, if that is stronger than before."""
    found: dict[tuple[str, str], News] = {}
    for each in news:
        before = found.get(each.key)
        if before is None or _is_stronger(each.reason, before.reason):
            found[each.key] = each
    return [each for each in found.values() if each.event_key not in background.retracted and _adds(each, background)]


def _adds(news: News, background: Background) -> bool:
    known = background.known.get(news.key)
    return known is None or _is_stronger(news.reason, known.reason)


def _is_stronger(reason: str, than: str) -> bool:
    return _STRENGTH.get(reason, len(_STRENGTH)) < _STRENGTH.get(than, len(_STRENGTH))


def _verdict(news: News, background: Background) -> Verdict:
    person = background.people.get(news.recipient) or Person(recipient=news.recipient)
    muted = news.ticket_number is not None and (news.recipient, news.ticket_number) in background.muted
    return decide(person, news.type, news.reason, background.now, muted=muted, undo_seconds=background.undo_seconds)


def _weigh(news: News, verdict: Verdict, waiting: list[Mailing]) -> tuple[News, Verdict, frozenset[Any]]:
    if news.type not in UNDOING or (is_requester(news.recipient) and not verdict.in_app and not verdict.email):
        return news, verdict, frozenset()
    undone = undo(news.mailing(), waiting)
    if undone.detail:
        news = replace(news, detail={**news.detail, **undone.detail})
    return news, verdict if undone.mailed else replace(verdict, send_after=None, digest_key=None), undone.keys
