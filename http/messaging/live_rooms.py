"""
Rooms: those who follow a ticket over a WebSocket in this process, and the green thread that tells them what is new.

A room reads the ticket's stream once for everybody in it and remembers how far (`last`). Whoever joins first reads what came
since the number they name, and is then taken in at a moment when both stand at the same number: no entry falls between, none
comes twice. Signals say when to read; those that got lost are made up for by the slow poll.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import gevent
import structlog
from gevent.event import Event

from baton.http.lasting import CHECK_SECONDS
from baton.http.messaging.live_frames import EVERYTHING, Told, changes_comments, restated, told, told_since
from baton.http.messaging.presence import Notice, Presence
from baton.http.messaging.watching import Watcher
from baton.http.problems import NotFound
from baton.http.socket_line import Socket
from baton.models.database import DatabaseUnavailableError, read_tx
from baton.models.live import News, subscribe
from baton.models.live_poll import Poll
from baton.models.messaging import Entry, Room, rooms, stream
from baton.pipelines.conversation import RoomFacts, Viewer, viewer_of
from baton.pipelines.permissions import Principal

#: Entries that a room remembers, for those who come back after a moment.
REMEMBERED = 100
#: Pause before the stream is read again when the database was away, in seconds.
RETRY_SECONDS = 1.0
SERVICE = "messaging"

log = structlog.get_logger("baton.live")
_rooms: dict[str, LiveRoom] = {}


def newest(ticket_numbers: Sequence[str]) -> dict[str, int]:
    """Return the newest number of each of these tickets' streams."""
    with read_tx(SERVICE):
        found = Room.select(Room.ticket_number, Room.last_number).where(Room.ticket_number.in_(list(ticket_numbers)))
        return {room.ticket_number: room.last_number for room in found}


POLL = Poll("ticket:", newest)


class Member:
    """A connected client in a room: who it is, how it stands there now, and the number up to which it has been told."""

    def __init__(self, socket: Socket, principal: Principal, viewer: Viewer) -> None:
        self.socket = socket
        self.principal = principal
        self.viewer = viewer
        self.position = 0

    def show(self, notice: Notice) -> None:
        """Pass on who is there and who types."""
        self.socket.put(notice.frame)

    def tell(self, told: Told) -> None:
        """Pass an entry on, unless it is not for this member or has been passed on already."""
        if told.number > self.position:
            self.position = told.number
            if self.viewer.sees_internal or not told.internal:
                self.socket.put(told.frame)


def enter(ticket_number: str) -> LiveRoom:
    """Return the ticket's room of this process, open; `leave` it in the end. Raises NotFound, DatabaseUnavailableError."""
    room = _rooms.get(ticket_number)
    if room is None:
        room = _rooms[ticket_number] = LiveRoom(ticket_number)
        gevent.spawn(room.run)
    room.users += 1
    room.ready.wait()
    if room.failure is not None:
        room.leave(None)
        raise room.failure
    return room


@contextmanager
def watched(ticket_number: str, watcher: Watcher) -> Iterator[None]:
    """Count somebody as being in the ticket's room meanwhile; while the room cannot be opened, nobody is counted."""
    room = None
    with suppress(DatabaseUnavailableError, NotFound):
        room = enter(ticket_number)
    try:
        if room is not None:
            room.watch(watcher)
        yield
    finally:
        if room is not None:
            room.leave(watcher)


def open_room(ticket_number: str) -> LiveRoom | None:
    """Return the ticket's room if somebody in this process is in it."""
    return _rooms.get(ticket_number)


class LiveRoom:
    """A ticket's room in this process."""

    def __init__(self, ticket_number: str) -> None:
        self.ticket_number = ticket_number
        self.users = 0
        self.members: set[Member] = set()
        self.watchers: set[Watcher] = set()
        self.ready = Event()
        self.failure: Exception | None = None
        self.last = 0
        self.presence = Presence(f"ticket:{ticket_number}")
        self._recent: deque[Told] = deque(maxlen=REMEMBERED)
        self._facts: RoomFacts | None = None
        self._facts_due = 0.0
        self._subscription = subscribe(f"ticket:{ticket_number}")

    def viewer(self, principal: Principal) -> Viewer | None:
        """Return how somebody stands in the room as its ticket was a few seconds ago; None: not at all."""
        return viewer_of(principal, self._facts) if self._facts is not None else None

    def join(self, member: Member, since: int | None) -> None:
        """Have the member told what came after `since` (None: nothing that was there before), and from then on everything."""
        if since is not None and since > self.last:
            # The client heard of it from another process before this room did.
            self._catch_up()
        member.position = self.last if since is None else min(since, self.last)
        while member.socket.open:
            target = self.last
            if member.position < target:
                member.position = self._replay(member, target)
            if member.position >= self.last:
                self.members.add(member)
                self.presence.came(member.viewer, member.principal)
                self._subscription.wake()
                return

    def watch(self, watcher: Watcher) -> None:
        """Count somebody who looks at the ticket's page as being there."""
        self.watchers.add(watcher)
        self.presence.came(watcher.viewer, watcher.principal)
        self._subscription.wake()

    def leave(self, member: Member | Watcher | None) -> None:
        """Let go of the room; the last one closes it."""
        self._went(member)
        self.users -= 1
        if not self.users and _rooms.get(self.ticket_number) is self:
            del _rooms[self.ticket_number]
        self._subscription.wake()

    def _went(self, member: Member | Watcher | None) -> None:
        """Count somebody as being there no longer, if they still are."""
        if member in self.members or member in self.watchers:
            assert member is not None
            self.members.discard(member)
            self.watchers.discard(member)
            self.presence.went(member.viewer)

    def offer(self, entry: Entry) -> None:
        """Tell of an entry that this process has just stored, without reading it again, if it is the next one."""
        if self.ready.is_set() and entry.number == self.last + 1:
            self._tell(told([entry]))

    def run(self) -> None:
        """Tell members what is new until the last has left."""
        try:
            self._open()
        except Exception as error:
            self.failure = error
            log.warning("room_cannot_open", ticket_number=self.ticket_number, reason=repr(error)[:200])
            _rooms.pop(self.ticket_number, None)
            self._subscription.close()
            self.ready.set()
            return
        self.ready.set()
        POLL.start()
        try:
            self._run()
        finally:
            self.presence.close()
            self._subscription.close()

    def _run(self) -> None:
        news, behind = News(behind=True), False
        while _rooms.get(self.ticket_number) is self:
            behind = behind or news.behind or any(signal.payload.get("up_to", 0) > self.last for signal in news.signals)
            try:
                if time.monotonic() >= self._facts_due:
                    self._read_facts()
                if behind:
                    self._catch_up()
                    behind = False
            except DatabaseUnavailableError as error:
                log.warning("room_cannot_read", ticket_number=self.ticket_number, reason=str(error)[:200])
                self._facts_due = time.monotonic() + RETRY_SECONDS
            for watcher in [each for each in self.watchers if each.is_gone(news.signals)]:
                self._went(watcher)
            self.presence.hear(news.signals, [*self.members, *self.watchers])
            due = min(self._facts_due, self.presence.due) - time.monotonic()
            news = self._subscription.news(min(max(due, 0.01), RETRY_SECONDS if behind else CHECK_SECONDS))

    def _open(self) -> None:
        with read_tx(SERVICE):
            self._read_room()
            for each in told(stream.read_before(self.ticket_number, self.last + 1, EVERYTHING, REMEMBERED)):
                self._recent.append(each)

    def _read_room(self) -> None:
        room = rooms.find_room(self.ticket_number)
        if room is None:
            raise NotFound(f"there is no ticket {self.ticket_number[:100]}")
        self.last = max(self.last, room.last_number)
        self._facts = RoomFacts(**rooms.facts_of(room))
        self._facts_due = time.monotonic() + CHECK_SECONDS

    def _read_facts(self) -> None:
        with read_tx(SERVICE):
            room = rooms.find_room(self.ticket_number)
            facts = RoomFacts(**rooms.facts_of(room)) if room is not None else None
        self._facts, self._facts_due = facts, time.monotonic() + CHECK_SECONDS

    def _catch_up(self) -> None:
        while True:
            with read_tx(SERVICE):
                found = told_since(self.ticket_number, self.last)
            self._tell(found)
            if len(found) < stream.MOST_ENTRIES:
                return

    def _tell(self, news: Sequence[Told]) -> None:
        """Pass entries on, in order, each once. Nothing in here waits, so that nobody joins in between."""
        for each in news:
            if each.number > self.last:
                self.last = each.number
                self._remember(each)
                for member in self.members:
                    member.tell(each)

    def _remember(self, each: Told) -> None:
        """Keep an entry for those who come back; all that is kept of a changed or deleted comment says what it says now."""
        self._recent.append(each)
        if changes_comments(each):
            self._recent = deque((restated(old, each) for old in self._recent), maxlen=REMEMBERED)

    def _replay(self, member: Member, target: int) -> int:
        """Tell a member the next page of what it missed; return up to where it knows everything that is its to know."""
        if self._recent and self._recent[0].number <= member.position + 1:
            page = [each for each in self._recent if member.position < each.number <= target]
            complete = True
        else:
            with read_tx(SERVICE):
                page = told_since(self.ticket_number, member.position, member.viewer)
            complete = len(page) < stream.MOST_ENTRIES
        for each in page:
            while member.socket.full() and member.socket.open:
                gevent.sleep(0.05)
            member.tell(each)
        return max(member.position, target) if complete else member.position
