"""
What becomes of a notification: whether it is shown, whether it is mailed, and when.

1. It is shown unless the person switched its type off (the contract's types cannot be) or muted the ticket (which does not hold
   back essential types).
2. It is mailed where the person chose so, or where the table has it mailed to somebody who chose nothing; never when rule 1
   hides it because of a mute.
3. Not before the undo window is over: what is undone by then is never mailed.
4. With a digest, at the next full hour or the next day's time in the person's time zone, together with what else is due then.
5. Never in the person's quiet hours or quiet days: then when they end.
6. A critical one goes past rules 4 and 5 if the person lets breaches through.
7. A requester is told of the requester's types and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from baton.pipelines.audience import AUDIENCES, EMAIL, IN_APP, REQUESTER_TYPES, is_mailed
from baton.pipelines.quiet_hours import NEVER_QUIET, STAFF_QUIET, Quiet, end_of_quiet, zone_of

IMMEDIATELY, HOURLY, DAILY = "immediately", "hourly", "daily"
DIGESTS = (IMMEDIATELY, HOURLY, DAILY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    What is known about a recipient (`user:7`, `employee:3`): `choices` are (type, channel) -> on, where they chose.

    `digest_minute` is the minute of the day at which a daily digest is sent, by their clock.
    """

    recipient: str
    time_zone: str = "UTC"
    language: str = "en"
    digest: str = IMMEDIATELY
    digest_minute: int = 8 * 60
    quiet: Quiet = field(default_factory=Quiet)
    breaches_through: bool = False
    choices: Mapping[tuple[str, str], bool] = field(default_factory=dict)

    @classmethod
    def of(
        cls, recipient: str, stored: Mapping[str, Any] | None, choices: Mapping[tuple[str, str], bool], time_zone: str
    ) -> Person:
        """Return somebody as the store knows them; without `stored`, with the defaults of their kind in this time zone."""
        if stored is None:
            quiet = NEVER_QUIET if is_requester(recipient) else STAFF_QUIET
            return cls(recipient=recipient, time_zone=time_zone, quiet=quiet, choices=choices)
        days = frozenset(int(day) for day in stored["quiet_days"])
        return cls(
            recipient=recipient,
            time_zone=stored["time_zone"],
            language=stored["language"],
            digest=stored["digest"],
            digest_minute=stored["digest_minute"],
            quiet=Quiet(start=stored["quiet_start"], end=stored["quiet_end"], days=days),
            breaches_through=stored["breaches_through"],
            choices=choices,
        )

    @property
    def is_requester(self) -> bool:
        """Whether this is an employee, who may see nothing but their own tickets' public side."""
        return is_requester(self.recipient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a notification. `send_after` is None when it is not mailed; mails of one `digest_key` go together."""

    in_app: bool
    send_after: datetime | None = None
    digest_key: str | None = None

    @property
    def email(self) -> bool:
        """Whether it is mailed."""
        return self.send_after is not None


def recipient_of(user_id: str | int) -> str:
    """Return the subject that a message's `user_id` means: `user:7` for 7, `employee:3` for itself."""
    text = str(user_id)
    return text if text.startswith(("user:", "employee:")) else f"user:{text}"


def is_requester(recipient: str) -> bool:
    """Whether this recipient is an employee."""
    return recipient.startswith("employee:")


def decide(
    person: Person, notification_type: str, reason: str, now: datetime, *, muted: bool = False, undo_seconds: float = 0.0
) -> Verdict:
    """Return what becomes of a notification of this type, told for this reason (rules 1 to 7)."""
    if person.is_requester and notification_type not in REQUESTER_TYPES:
        return Verdict(in_app=False)
    kind = AUDIENCES.get(notification_type)
    if muted and not (kind is not None and kind.essential):
        return Verdict(in_app=False)
    always = kind is not None and kind.always_in_app
    in_app = always or person.choices.get((notification_type, IN_APP), True)
    if not person.choices.get((notification_type, EMAIL), is_mailed(notification_type, reason)):
        return Verdict(in_app=in_app)
    ready = now + timedelta(seconds=undo_seconds)
    if kind is not None and kind.critical and person.breaches_through:
        return Verdict(in_app=in_app, send_after=ready)
    slot = digest_slot(person, ready)
    send_after = end_of_quiet(person.quiet, person.time_zone, slot or ready)
    key = None if slot is None else f"{person.digest}:{send_after.isoformat()}"
    return Verdict(in_app=in_app, send_after=send_after, digest_key=key)


def digest_slot(person: Person, at: datetime) -> datetime | None:
    """Return when the person's next digest after `at` is due, None when they want none."""
    if person.digest == IMMEDIATELY:
        return None
    local = at.astimezone(zone_of(person.time_zone))
    if person.digest == HOURLY:
        # Counted from the instant, not from the wall clock: an hour that the clock repeats has a digest of its own.
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (at - past + timedelta(hours=1)).astimezone(UTC)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    for later in range(3):
        wall = (day + timedelta(days=later)).replace(hour=person.digest_minute // 60, minute=person.digest_minute % 60)
        if (slot := wall.astimezone(UTC)) > at:
            return slot
    raise AssertionError("a day has more than 48 hours")
