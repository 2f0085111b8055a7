"""
Taking over what was written elsewhere: comments with their own authors and times, many in one request.

Nobody is told of them and no clock looks at them. HTML becomes Markdown and is kept beside it, for the record; it is never shown.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from baton.http.api import Call, Forbidden
from baton.http.messaging.views import ClientId, Subject
from baton.http.types import Body, Instant, View, storable
from baton.models.messaging import rooms, stream
from baton.models.messaging.stream import NewEntry
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.conversation import COMMENT, PUBLIC
from baton.pipelines.markdown import RENDERING, from_html, render
from baton.pipelines.searching import words_of
from baton.pipelines.work import OPERATORS

#: Longest text of an imported comment, in characters; other systems had other limits than ours.
_MOST = 200_000
_Text = Annotated[str, StringConstraints(max_length=_MOST), AfterValidator(storable)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^:]+$"), AfterValidator(storable)]


class ImportedComment(Body):
    """
    A comment of another system (`source`): written there by `author` at `written_at`, in Markdown (`body`) or in HTML (`html`).

    `client_id` is its id there: the same again is the same comment.
    """

    ticket_number: Subject
    source: _Name
    client_id: ClientId
    author: Subject
    author_name: Annotated[str, StringConstraints(max_length=255), AfterValidator(storable)] = ""
    side: Literal["requester", "staff"]
    body: _Text | None = None
    html: _Text | None = None
    written_at: Instant

    @model_validator(mode="after")
    def _one_text(self) -> ImportedComment:
        if (self.body is None) == (self.html is None):
            raise ValueError("give either body or html")
        return self


class ImportedComments(Body):
    """Comments to take over; those of one ticket are numbered in the order they are given."""

    comments: Annotated[list[ImportedComment], Field(min_length=1, max_length=200)]


class ImportOutcome(View):
    """What became of one: `stored`, `there` (it was already) or `unknown ticket` (not stored), and its number if it has one."""

    ticket_number: str
    client_id: str
    outcome: Literal["stored", "there", "unknown ticket"]
    number: int | None


class ImportOutcomes(View):
    """What became of the comments, in the order they were given."""

    items: list[ImportOutcome]


def import_comments(call: Call, body: ImportedComments) -> ImportOutcomes:
    """The comments are in their tickets' streams, each once; those of tickets that are not known yet are left out and named."""
    if call.principal.id not in OPERATORS:
        raise Forbidden("comments are imported by operators' programs only")
    # Made before the transaction: no other writer waits for it.
    news = [(each.ticket_number, _entry(each)) for each in body.comments]
    with write_tx(call.service) as tx:
        return ImportOutcomes(items=_store(tx, news))


def _store(tx: Transaction, news: list[tuple[str, NewEntry]]) -> list[ImportOutcome]:
    known = {number: room for number, room in rooms.lock_rooms(tx, {number for number, _ in news}).items() if room.version}
    stored = iter(stream.add_entries(tx, known, [pair for pair in news if pair[0] in known]))
    found = []
    for number, new in news:
        name = new.client_id or ""
        if number not in known:
            found.append(ImportOutcome(ticket_number=number, client_id=name, outcome="unknown ticket", number=None))
            continue
        entry, was_new = next(stored)
        outcome: Literal["stored", "there"] = "stored" if was_new else "there"
        found.append(ImportOutcome(ticket_number=number, client_id=name, outcome=outcome, number=entry.number))
    return found


def _entry(comment: ImportedComment) -> NewEntry:
    body = comment.body if comment.body is not None else from_html(comment.html or "")
    return NewEntry(
        kind=COMMENT,
        visibility=PUBLIC,
        # No subject of ours: what somebody wrote elsewhere is nobody's to change here.
        author=f"imported:{comment.source}:{comment.author}",
        author_name=comment.author_name,
        side=comment.side,
        body=body,
        words=words_of(body),
        body_html=render(body),
        rendering=RENDERING,
        client_id=comment.client_id,
        original_html=comment.html,
        imported=True,
        created_at=comment.written_at,
    )
