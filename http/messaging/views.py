"""What callers of the conversation service send and see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from baton.http.types import BIGGEST_INTEGER, Body, Query, View, storable
from baton.models.messaging import Entry, stream
from baton.pipelines import markdown
from baton.pipelines.conversation import COMMENT, MAX_ATTACHMENTS, MAX_BODY, MAX_MENTIONS, Viewer

Number = Annotated[int, Field(ge=0, le=BIGGEST_INTEGER)]
Markdown = Annotated[
    str, StringConstraints(max_length=MAX_BODY), AfterValidator(storable), Field(description="Markdown; raw HTML shows as text.")
]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(storable)]
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]


class NewComment(Body):
    """
    A comment to write. `client_id` is the writer's own name for it: sent again, it answers with the comment already there.

    `mentions` are subjects such as `user:7`; `attachments` ids of files that the writer has sent to this ticket before.
    """

    body: Markdown
    visibility: Literal["public", "internal"] = "public"
    client_id: ClientId | None = None
    reply_to: Annotated[int, Field(ge=1, le=BIGGEST_INTEGER)] | None = None
    mentions: list[Subject] = Field(default_factory=list, max_length=MAX_MENTIONS)
    attachments: list[Subject] = Field(default_factory=list, max_length=MAX_ATTACHMENTS)


class CommentChange(Body):
    """The new text of a comment, and whom it mentions from now on (left out: as before). Nobody new is told."""

    body: Markdown
    mentions: Annotated[list[Subject], Field(max_length=MAX_MENTIONS)] | None = None


class StreamQuery(Query):
    """
    `since` N: what came after entry N, oldest first. `before` N: the last entries before it. Neither: the newest.

    `q`: only entries whose text holds these words, in upper or lower case.
    """

    since: Number | None = None
    before: Annotated[int, Field(ge=1, le=BIGGEST_INTEGER)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    q: Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)] = ""

    @model_validator(mode="after")
    def _one_direction(self) -> StreamQuery:
        if self.since is not None and self.before is not None:
            raise ValueError("since and before exclude each other")
        return self


class AuthorView(View):
    """Who wrote an entry: a subject, the name they had then, and the side (`requester`, `staff`, `system`) they stood on."""

    id: str
    name: str
    side: str


class AttachmentView(View):
    """A file. `scan`: `none` (no scanner is set), `waiting` (not to be had yet), `clean`, `infected` (never to be had)."""

    id: str
    filename: str
    media_type: str
    size: int
    sha256: str
    scan: str
    created_at: datetime


class EventView(View):
    """What happened to the ticket: a word such as `status_changed`, and its particulars."""

    kind: str
    detail: dict[str, Any]


class EntryView(View):
    """
    An entry of a ticket's stream. `number` counts comments, notes and events of the ticket alike, so a requester sees gaps.

    `body` is Markdown, `body_html` safe HTML made of it; a deleted comment has neither. `client_id` is shown to its
    author only; that of an imported comment, its id at its source, to everybody.
    """

    id: str
    ticket_number: str
    number: int
    kind: str
    visibility: str
    author: AuthorView
    body: str
    body_html: str
    event: EventView | None
    reply_to: int | None
    mentions: list[str]
    attachments: list[AttachmentView]
    client_id: str | None
    imported: bool
    version: int
    created_at: datetime
    edited_at: datetime | None
    deleted: bool
    deleted_at: datetime | None


class StreamView(View):
    """
    Entries, oldest first. `more`: there are further ones in the direction asked for. `next` is the number to ask on with: as
    `since` after a question with `since`, as `before` otherwise. `last_number` is the newest number given out on the ticket.
    """

    items: list[EntryView]
    more: bool
    next: int | None
    last_number: int


class RevisionView(View):
    """What a comment said in an earlier version, until `changed_by` changed or deleted it (`what`: `edited`, `deleted`)."""

    version: int
    what: str
    body: str
    changed_by: str
    changed_at: datetime


class RevisionsView(View):
    """A comment's earlier versions, oldest first."""

    number: int
    items: list[RevisionView]


class ParticipantView(View):
    """Somebody who may be mentioned. `name` is empty where nothing but the id is known."""

    id: str
    name: str
    side: str


class ParticipantsView(View):
    """On which side the caller stands in the conversation, whether they write internal notes, and whom they may mention."""

    side: str
    internal: bool
    items: list[ParticipantView]


class TalkView(StreamView):
    """Entries of a stream with how the caller stands in the conversation: `side` and `internal`, and `people` to be mentioned."""

    side: str
    internal: bool
    people: list[ParticipantView]


def entry_dicts(entries: Sequence[Entry], viewer: Viewer) -> list[dict[str, Any]]:
    """Return entries as JSON for a viewer who may see them, with their files, in a constant number of queries."""
    files = stream.attachments_of(entries)
    return [stream.view_of(_fresh(entry), viewer, files.get((entry.ticket_number, entry.number), [])) for entry in entries]


def entry_view(entry: Entry, viewer: Viewer) -> EntryView:
    """Return one entry as its viewer sees it."""
    return EntryView(**entry_dicts([entry], viewer)[0])


def _fresh(entry: Entry) -> Entry:
    """Return the entry with HTML of the present renderer: what an older one made is not trusted."""
    if entry.kind == COMMENT and entry.rendering != markdown.RENDERING and entry.body:
        entry.body_html = markdown.render(entry.body)
    return entry
