"""Following a ticket as it happens: the WebSocket on which people talk, and a stream of events for those who only listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from baton.http.api import Call, NotFound, Operation
from baton.http.messaging import live_rooms
from baton.http.messaging.live_commands import Speaker
from baton.http.messaging.live_frames import told_since
from baton.http.messaging.live_rooms import Member
from baton.http.messaging.seeing import find_seen
from baton.http.messaging.views import Number
from baton.http.messaging.watching import ALIVE_SECONDS, Watcher
from baton.http.socket_line import TRY_AGAIN, Socket, frame_of
from baton.http.sockets import Accepted
from baton.http.streaming import Event, EventStream, last_event_id
from baton.http.types import Name, Query
from baton.models.database import DatabaseUnavailableError, read_tx
from baton.models.live import News
from baton.models.messaging import stream


class SinceQuery(Query):
    """`since` N: first what came after entry N. Left out: only what comes from now on."""

    since: Number | None = None


class FollowQuery(SinceQuery):
    """`watch` names the page that follows: its reader counts as being there, and hears who else is (see `watching`)."""

    watch: Name | None = None


def join(call: Call, query: SinceQuery) -> Accepted:
    """Let somebody who sees the ticket's conversation into its room; 404 before the connection is upgraded otherwise."""
    with read_tx(call.service):
        seen = find_seen(call.principal, call.params["ticket_id"])
    # A client that names no number wants what comes from this moment on, not from when the room is open.
    since = seen.room.last_number if query.since is None else query.since
    number, inside = seen.room.ticket_number, Inside(call)

    def talk(socket: Socket) -> None:
        try:
            room = live_rooms.enter(number)
        except (DatabaseUnavailableError, NotFound):
            socket.close(TRY_AGAIN, "temporarily unavailable; come back")
            return
        member = inside.member = Member(socket, call.principal, seen.viewer)
        inside.room = room
        try:
            socket.put(frame_of(_welcome(room, member)))
            room.join(member, since)
            speaker = Speaker(socket, room, member, notices=call.settings.notifications)
            for text in socket.messages():
                speaker.hear(text)
        finally:
            room.leave(member)

    return Accepted(talk, inside.still)


class Inside:
    """Whether somebody may stay in the room they joined, judged by what the room knows of its ticket."""

    def __init__(self, call: Call) -> None:
        self.room: live_rooms.LiveRoom | None = None
        self.member: Member | None = None
        self._call = call

    def still(self) -> bool:
        """Bring the member up to date with the principal and the ticket as they are now; return whether they may stay."""
        if self.room is None or self.member is None:
            return True
        viewer = self.room.viewer(self._call.principal)
        if viewer is None:
            return False
        self.member.principal, self.member.viewer = self._call.principal, viewer
        return True


def _welcome(room: live_rooms.LiveRoom, member: Member) -> dict[str, object]:
    viewer = member.viewer
    you = {"id": viewer.subject, "side": viewer.side, "internal": viewer.sees_internal}
    return {"type": "joined", "ticket_number": room.ticket_number, "last_number": room.last, "you": you}


def follow(call: Call, query: FollowQuery) -> EventStream:
    """The ticket's stream as events: what came after `Last-Event-ID` (or `since`), then everything as it happens."""
    number = call.params["ticket_number"]
    with read_tx(call.service):
        seen = find_seen(call.principal, number)
    last = last_event_id(call, seen.room.last_number if query.since is None else query.since)
    last = min(last, seen.room.last_number)
    viewer, watcher = seen.viewer, None

    @contextmanager
    def watching(wake: Callable[[], None]) -> Iterator[None]:
        nonlocal watcher
        if query.watch is None:
            yield
            return
        watcher = Watcher(viewer, call.principal, query.watch, wake)
        with live_rooms.watched(number, watcher):
            yield

    def read(news: News) -> Iterator[Event]:
        nonlocal last
        for message in watcher.take() if watcher is not None else ():
            yield Event(message, name=message["type"])
        if not news.behind and all(signal.payload.get("up_to", 0) <= last for signal in news.signals):
            return
        while True:
            with read_tx(call.service):
                found = told_since(number, last, viewer)
            for told in found:
                last = told.number
                yield Event(told.message, id=told.number, name=told.message["type"])
            if len(found) < stream.MOST_ENTRIES:
                return

    def still() -> bool:
        nonlocal viewer
        with read_tx(call.service):
            try:
                viewer = find_seen(call.principal, number).viewer
            except NotFound:
                return False
        return True

    return EventStream((f"ticket:{number}",), read, still, live_rooms.POLL, watching, ALIVE_SECONDS if query.watch else None)


_TALK = (
    "A WebSocket. `{ticket_id}` is the ticket's number. The token comes as a bearer token, as the cookie `access_token` (then "
    "with an `Origin` of this system), or, from browsers, as a subprotocol: "
    "`new WebSocket(url, ['baton', 'bearer.' + token])`.\n\n"
    'Send `{"type": "new_comment", "content": "...", "client_id": "..."}`; `visibility`, `mentions`, `reply_to` and '
    '`attachments` as over HTTP. The signed-in user is the author, whatever `user_id` says. The answer is `{"type": "ack", '
    '"client_id", "number", "id", "new"}`, or `{"type": "error", "code", "detail", "errors", "client_id"}`; '
    'sent again under the same `client_id`, a comment is stored once. `{"type": "typing", "active", "visibility"}` tells '
    'others that you type; `{"type": "ping"}` is answered `{"type": "pong"}`.\n\n'
    "Everybody in the room gets `comment_message` (`number`, and `comment`, which also has `content` and `user_id`), "
    "`entry_edited`, `entry_deleted`, `ticket_event` (`number`, `event`), `presence` and `typing`. "
    "Each entry has a `number`; come back with the highest as `?since=` and "
    "nothing is missed or doubled. Requesters get no internal notes, and learn whether staff are there, not who.\n\n"
    "Closed with 4401 (the token expired), 4403 (not allowed any more), 1013 (you read too slowly: come back with `since`), 1009 "
    "(a message was too long), 1008 (too many messages), 1003 (not text), 1001 (the server stops). At most 5 messages a second."
)

LIVE_OPERATIONS = (
    Operation(
        "GET", "/ws/comments/{ticket_id}/", join, permission="comments.write", query=SinceQuery, live="socket", status=101,
        summary="Take part in a ticket's conversation (WebSocket)", description=_TALK, tag="live",
    ),
    Operation(
        "GET", "/api/v1/tickets/{ticket_number}/stream", follow, permission="comments.read", query=FollowQuery, live="events",
        summary="Follow a ticket's conversation (server-sent events)",
        description=(
            "The messages of the WebSocket that have a number, as events: `id` is the number, `event` the message's type, `data` "
            "the message. An event `end` tells why the stream ends. EventSource comes back by itself where it stopped. With "
            "`watch`, a name of the page's own, its reader counts as being there, and hears `presence` and `typing` as over the "
            "WebSocket (of the others, and without an `id`)."
        ),
        tag="live",
    ),
)  # fmt: skip
