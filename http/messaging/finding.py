"""Finding comments: over all conversations that the caller sees."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import BadRequest, Call, Page, PageQuery, View
from baton.http.messaging.views import AuthorView
from baton.http.paging import decode_cursor, encode_cursor
from baton.http.types import Name, storable
from baton.models.messaging import Entry, Room, finding, rooms
from baton.pipelines.conversation import RoomFacts, eyes_of, may_see_entry, viewer_of
from baton.pipelines.permissions import Principal
from baton.pipelines.searching import Wanted, snippet, wanted_in


class CommentSearch(PageQuery):
    """What to look for: comments that hold these words, the last may be the beginning of one. `ticket`: of this one only."""

    q: Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)]
    ticket: Name | None = None


class FoundComment(View):
    """A comment that was found; `snippet` is plain text around the first word that was looked for."""

    ticket_number: str
    subject: str
    status: str
    number: int
    visibility: str
    author: AuthorView
    created_at: datetime
    snippet: str


def search_comments(call: Call, query: CommentSearch) -> Page[FoundComment]:
    """The newest comments first that hold the words, of those that the caller sees."""
    wanted, eyes = wanted_in(query.q), eyes_of(call.principal)
    beyond = decode_cursor(query.cursor, [Entry.id])[0] if query.cursor is not None else None
    if beyond is not None and beyond < 0:
        raise BadRequest("the cursor is not one that this list gave out")
    if wanted is None or eyes is None:
        return Page[FoundComment](items=[])
    found = finding.comments(eyes, wanted, beyond=beyond, limit=query.limit + 1, ticket=query.ticket)
    shown = found[: query.limit]
    return Page[FoundComment](
        items=[_view(entry, room, wanted) for entry, room in shown if _sees(call.principal, entry, room)],
        next=encode_cursor([shown[-1][0].id]) if len(found) > len(shown) else None,
    )


def _sees(principal: Principal, entry: Entry, room: Room) -> bool:
    """Return what the rule itself says: the query that found the comment says it in another language."""
    viewer = viewer_of(principal, RoomFacts(**rooms.facts_of(room)))
    return viewer is not None and may_see_entry(viewer, entry.visibility)


def _view(entry: Entry, room: Room, wanted: Wanted) -> FoundComment:
    return FoundComment(
        ticket_number=entry.ticket_number,
        subject=room.subject,
        status=room.status,
        number=entry.number,
        visibility=entry.visibility,
        author=AuthorView(id=entry.author, name=entry.author_name, side=entry.side),
        created_at=entry.created_at,
        snippet=snippet(entry.body, wanted),
    )
