"""What callers of the notifications service send and see."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from baton.http.types import Body, Id, Name, PageQuery, View
from baton.models.notifications import Notification
from baton.pipelines.audience import REASONS
from baton.pipelines.quiet_hours import is_zone


class NotificationView(View):
    """
    Something the caller was told. `why` says in words why they were: `reason` is the key. `detail` depends on the type.
    """

    id: int
    type: str
    reason: str
    why: str
    subject: str
    message: str
    ticket_number: str | None
    task_item_id: int | None
    detail: dict[str, Any]
    unread: bool
    read_at: datetime | None
    created_at: datetime


class NotificationQuery(PageQuery):
    """Which notifications to list, newest first; all given conditions must hold."""

    unread: bool | None = None
    type: Name | None = None
    ticket: Name | None = None


class UnreadCount(View):
    """How many notifications are unread."""

    unread: int


class Marked(View):
    """How many notifications changed, and how many are unread now."""

    changed: int
    unread: int


class SomeNotifications(Body):
    """Notifications by id; ids that are not the caller's change nothing."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=200)]


class AllNotifications(Body):
    """Which notifications: all up to an id (none: all there are), of a type, about a ticket."""

    up_to: Id | None = None
    type: Name | None = None
    ticket: Name | None = None


class AudienceReason(View):
    """Why somebody is told of a type, and whether it is mailed to them unless they choose otherwise."""

    reason: str
    why: str
    mailed: bool


class AudienceView(View):
    """
    A type of notification: what causes it, and who is told, strongest reason first.

    `always_in_app`: cannot be switched off in the application. `essential`: told although the ticket is muted. `critical`: may
    pass quiet hours and digests.
    """

    type: str
    trigger: str
    told: list[AudienceReason]
    always_in_app: bool
    essential: bool
    critical: bool


class PreferenceView(AudienceView):
    """
    What holds for the caller: `in_app`; `email` where they chose, null where the defaults by reason (`told`) hold.
    """

    in_app: bool
    in_app_chosen: bool
    email: bool | None


class PreferencesView(View):
    """The caller's preferences: every type that they may be told of."""

    items: list[PreferenceView]


class Choice(Body):
    """A choice for a type and channel; `enabled` null goes back to the default."""

    type: Name
    channel: Literal["in_app", "email"]
    enabled: bool | None


class Choices(Body):
    """Choices; the types and channels that are not named stay as they are."""

    preferences: Annotated[list[Choice], Field(min_length=1, max_length=100)]


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("is no zone of the tz database; write a name such as Europe/Berlin")
    return name


#: A time of day by the wall clock, `HH:MM`.
Time = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Days = Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=6)]


class SettingsBody(Body):
    """
    How the caller wants to be told. Quiet hours are from `quiet_from` to `quiet_until` by the clock of `time_zone` (over
    midnight if that is earlier; both null: none), and all of `quiet_days` (0 is Monday, at most six). Daily digests leave at
    `digest_at`.
    """

    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_zone)]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    digest: Literal["immediately", "hourly", "daily"] = "immediately"
    digest_at: Time = "08:00"
    quiet_from: Time | None = None
    quiet_until: Time | None = None
    quiet_days: Days = []  # noqa: RUF012 - pydantic copies it
    breaches_through: bool = False


class SettingsView(View):
    """How the caller is told; see the body of the change. `chosen` false: these are the defaults."""

    time_zone: str
    language: str
    digest: str
    digest_at: str
    quiet_from: str | None
    quiet_until: str | None
    quiet_days: list[int]
    breaches_through: bool
    chosen: bool


class MuteView(View):
    """A ticket that the caller does not want to hear of."""

    ticket_number: str
    muted_at: datetime


def notification_view(row: Notification) -> NotificationView:
    """Return a notification as its recipient sees it."""
    return NotificationView(
        id=row.id,
        type=row.type,
        reason=row.reason,
        why=REASONS.get(row.reason, ""),
        subject=row.subject,
        message=row.message,
        ticket_number=row.ticket_number,
        task_item_id=row.task_item_id,
        detail=json.loads(row.detail),
        unread=row.unread,
        read_at=row.read_at,
        created_at=row.created_at,
    )
