"""
Comments from live connections, gathered: those of one moment are stored in one transaction.

While one transaction commits, what comes in waits for the next; a front that has just committed gathers for a moment longer, as
each transaction costs what four comments do. A quiet front stores at once. Each comment is judged by itself; a refused one is
answered and holds nobody up. What needs more than the plain text (files, an answer to another comment) is stored alone, as over
HTTP.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import gevent
import structlog
from gevent.event import AsyncResult

from baton.http.api import NotFound
from baton.http.messaging.live_rooms import open_room
from baton.http.messaging.seeing import Seen, seen_in
from baton.http.messaging.writing import Comment, Draft, announce_comment, write_comment
from baton.models.messaging import Entry, Room, rooms, stream
from baton.models.messaging.stream import NewEntry
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.conversation import COMMENT, CommentRefusedError, decide_comment, may_see_entry
from baton.pipelines.markdown import RENDERING, render
from baton.pipelines.permissions import Principal
from baton.pipelines.searching import words_of

#: Comments in one transaction at most.
AT_ONCE = 100
#: A front that stored comments less than BUSY_SECONDS ago gathers for GATHER_SECONDS: a third of the processor's time, at a
#: hundred comments a second, for a delay that nobody sees.
BUSY_SECONDS, GATHER_SECONDS = 0.1, 0.03
SERVICE = "messaging"
log = structlog.get_logger("baton.live")


@dataclass(slots=True)
class Wish:
    """A comment that somebody wants to write, and what became of it: a Comment, or the exception that says why not."""

    principal: Principal
    ticket_number: str
    draft: Draft
    result: AsyncResult = field(default_factory=AsyncResult)

    @property
    def plain(self) -> bool:
        """Whether it is text alone."""
        return self.draft.reply_to is None and not self.draft.attachments


@dataclass(slots=True)
class Judged:
    """A wish that is granted: in which room, as what, and whom it mentions."""

    wish: Wish
    seen: Seen
    new: NewEntry
    mentions: tuple[str, ...]


class Gatherer:
    """The green thread that stores what is wished for."""

    def __init__(self) -> None:
        self._waiting: deque[Wish] = deque()
        self._busy = False
        self._stored_at = 0.0

    def write(self, principal: Principal, ticket_number: str, draft: Draft, *, notices: bool) -> Comment:
        """Store a comment, with others of the same moment; returns and raises as `writing.write_comment` does."""
        wish = Wish(principal, ticket_number, draft)
        self._waiting.append(wish)
        if not self._busy:
            self._busy = True
            gevent.spawn(self._run, notices)
        comment: Comment = wish.result.get()
        return comment

    def _run(self, notices: bool) -> None:
        try:
            while self._waiting:
                if time.monotonic() - self._stored_at < BUSY_SECONDS:
                    gevent.sleep(GATHER_SECONDS)
                some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                plain = [wish for wish in some if wish.plain]
                if plain:
                    _store_together(plain, notices)
                for wish in some:
                    if not wish.plain:
                        _store_alone(wish, notices)
                self._stored_at = time.monotonic()
        finally:
            self._busy = False


def _store_together(wishes: Sequence[Wish], notices: bool) -> None:
    html = {id(wish): render(wish.draft.body) for wish in wishes}
    done: list[tuple[Wish, Comment | Exception]] = []
    try:
        with write_tx(SERVICE) as tx:
            done = _store(tx, wishes, html, notices)
    except Exception as error:
        log.warning("comments_stored_one_by_one", comments=len(wishes), reason=repr(error)[:200])
        for wish in wishes:
            _store_alone(wish, notices)
        return
    for wish, comment in done:
        _answer(wish, comment)


def _store(
    tx: Transaction, wishes: Sequence[Wish], html: dict[int, str], notices: bool
) -> list[tuple[Wish, Comment | Exception]]:
    locked = rooms.lock_rooms(tx, {wish.ticket_number for wish in wishes})
    done: list[tuple[Wish, Comment | Exception]] = []
    judged: list[Judged] = []
    for wish in wishes:
        try:
            judged.append(_judge(locked, wish, html[id(wish)]))
        except (NotFound, CommentRefusedError) as error:
            done.append((wish, error))
    entries = stream.add_entries(tx, locked, [(each.wish.ticket_number, each.new) for each in judged])
    for each, (entry, was_new) in zip(judged, entries, strict=True):
        if was_new:
            announce_comment(tx, each.seen, entry, each.mentions, notices=notices)
        done.append((each.wish, _outcome(each.seen, entry, was_new)))
    return done


def _judge(locked: dict[str, Room], wish: Wish, html: str) -> Judged:
    """Return the wish as it is to be stored; raises NotFound and CommentRefusedError."""
    seen = seen_in(wish.principal, wish.ticket_number, locked.get(wish.ticket_number))
    draft = wish.draft
    mentions = decide_comment(seen.viewer, seen.facts, body=draft.body, visibility=draft.visibility, mentions=draft.mentions)
    new = NewEntry(
        kind=COMMENT, visibility=draft.visibility, author=wish.principal.subject, author_name=wish.principal.name,
        side=seen.viewer.side, body=draft.body, body_html=html, words=words_of(draft.body), rendering=RENDERING,
        client_id=draft.client_id, mentions=mentions,
    )  # fmt: skip
    return Judged(wish, seen, new, mentions)


def _outcome(seen: Seen, entry: Entry, was_new: bool) -> Comment | Exception:
    if not may_see_entry(seen.viewer, entry.visibility):
        # Written under this client_id when they still saw internal notes of this ticket.
        return NotFound("there is no such comment")
    return Comment(entry, seen.viewer, was_new)


def _store_alone(wish: Wish, notices: bool) -> None:
    try:
        with write_tx(SERVICE) as tx:
            comment = write_comment(tx, wish.principal, wish.ticket_number, wish.draft, notices=notices)
    except Exception as error:
        wish.result.set_exception(error)
        return
    _answer(wish, comment)


def _answer(wish: Wish, comment: Comment | Exception) -> None:
    if isinstance(comment, Exception):
        wish.result.set_exception(comment)
        return
    room = open_room(wish.ticket_number)
    # An entry with files is told as it is read, with them.
    if room is not None and comment.was_new and wish.plain:
        room.offer(comment.entry)
    wish.result.set(comment)
