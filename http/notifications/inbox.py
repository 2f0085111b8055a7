"""The caller's own notifications: the list, the unread count, read and unread, and the live stream."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

from baton.http.api import Call, NotFound, Operation, Page, page
from baton.http.notifications.views import (
    AllNotifications,
    Marked,
    NotificationQuery,
    NotificationView,
    SomeNotifications,
    UnreadCount,
    notification_view,
)
from baton.http.streaming import Event, EventStream, last_event_id
from baton.models.database import read_tx
from baton.models.live_poll import Poll
from baton.models.notifications import Notification, listing
from baton.models.notifications.mailboxes import topic_of
from baton.pipelines.audience import sees
from baton.pipelines.permissions import Principal

#: Notifications that a stream reads at a time.
_PIECE = 100


def _newest(recipients: list[str]) -> dict[str, int]:
    with read_tx("notifications"):
        return listing.newest_numbers(recipients)


#: What finds notifications that no signal told of.
POLL = Poll(topic_of(""), lambda keys: _newest(list(keys)))


def list_notifications(call: Call, query: NotificationQuery) -> Page[NotificationView]:
    """Return a page of the caller's notifications, newest first, without those of tickets they may not see any more."""
    found = listing.shown(call.principal.subject, unread=query.unread, kind=query.type, ticket=query.ticket)
    rows = page(found, key=Notification.number, cursor=query.cursor, limit=query.limit, descending=True)
    return Page(items=[notification_view(row) for row in rows.items if _sees(call.principal, row)], next=rows.next)


def read_unread(call: Call) -> UnreadCount:
    """Return how many of the caller's notifications are unread."""
    return UnreadCount(unread=listing.count_unread(call.principal.subject))


def mark_one_read(call: Call) -> Marked:
    """A notification of the caller's is read."""
    return _mark_one(call, read=True)


def mark_one_unread(call: Call) -> Marked:
    """A notification of the caller's is unread again."""
    return _mark_one(call, read=False)


def mark_read(call: Call, body: SomeNotifications) -> Marked:
    """These notifications of the caller's are read."""
    return _marked(call, listing.mark(call.tx, call.principal.subject, body.ids, read=True))


def mark_unread(call: Call, body: SomeNotifications) -> Marked:
    """These notifications of the caller's are unread again."""
    return _marked(call, listing.mark(call.tx, call.principal.subject, body.ids, read=False))


def mark_all_read(call: Call, body: AllNotifications) -> Marked:
    """All of the caller's notifications that fit are read."""
    changed = listing.mark_all(call.tx, call.principal.subject, up_to=body.up_to, kind=body.type, ticket=body.ticket)
    return _marked(call, changed)


def follow(call: Call) -> EventStream:
    """
    Return the stream of the caller's notifications: `notification` events, numbered, and `unread` with the count.

    Without `Last-Event-ID` it begins with what is new from now on; with it, with what came after that event.
    """
    recipient = call.principal.subject
    with read_tx(call.service):
        state = _State(last_event_id(call, listing.newest_numbers([recipient]).get(recipient, 0)))
    return EventStream(topics=(topic_of(recipient),), read=lambda _: state.read(call), poll=POLL)


@dataclasses.dataclass(slots=True)
class _State:
    """How far a stream has read, and the unread count it sent last."""

    last: int
    unread: int | None = None

    def read(self, call: Call) -> Iterator[Event]:
        while True:
            with read_tx(call.service):
                rows = listing.after(call.principal.subject, self.last, _PIECE)
                unread = listing.count_unread(call.principal.subject)
            for row in rows:
                self.last = row.number
                if _sees(call.principal, row):
                    yield Event(notification_view(row), id=row.number, name="notification")
            if len(rows) < _PIECE:
                break
        if unread != self.unread:
            self.unread = unread
            yield Event({"unread": unread}, name="unread")


def _sees(principal: Principal, row: Notification) -> bool:
    return sees(row.recipient, json.loads(row.roles), principal.roles)


def _mark_one(call: Call, *, read: bool) -> Marked:
    row = listing.find(call.principal.subject, call.integer("notification_id"))
    if row is None or not _sees(call.principal, row):
        raise NotFound("no such notification")
    return _marked(call, listing.mark(call.tx, call.principal.subject, [row.id], read=read))


def _marked(call: Call, changed: int) -> Marked:
    return Marked(changed=changed, unread=listing.count_unread(call.principal.subject))


_PATH = "/api/v1/notifications"
_READ, _WRITE = "notifications.read", "notifications.write"
OPERATIONS = (
    Operation(
        "GET",
        _PATH,
        list_notifications,
        permission=_READ,
        query=NotificationQuery,
        returns=Page[NotificationView],
        summary="List one's own notifications",
    ),
    Operation(
        "GET",
        f"{_PATH}/unread",
        read_unread,
        permission=_READ,
        returns=UnreadCount,
        summary="Count one's own unread notifications",
    ),
    Operation(
        "GET",
        f"{_PATH}/stream",
        follow,
        permission=_READ,
        live="events",
        summary="Follow one's own notifications live",
    ),
    Operation(
        "POST",
        f"{_PATH}/read",
        mark_read,
        permission=_WRITE,
        body=SomeNotifications,
        returns=Marked,
        summary="Mark notifications read",
    ),
    Operation(
        "POST",
        f"{_PATH}/unread",
        mark_unread,
        permission=_WRITE,
        body=SomeNotifications,
        returns=Marked,
        summary="Mark notifications unread",
    ),
    Operation(
        "POST",
        f"{_PATH}/read-all",
        mark_all_read,
        permission=_WRITE,
        body=AllNotifications,
        returns=Marked,
        summary="Mark all notifications read",
    ),
    Operation(
        "POST",
        f"{_PATH}/{{notification_id}}/read",
        mark_one_read,
        permission=_WRITE,
        returns=Marked,
        problems=(404,),
        summary="Mark a notification read",
    ),
    Operation(
        "POST",
        f"{_PATH}/{{notification_id}}/unread",
        mark_one_unread,
        permission=_WRITE,
        returns=Marked,
        problems=(404,),
        summary="Mark a notification unread",
    ),
)
