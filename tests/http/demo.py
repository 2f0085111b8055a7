"""A small service on helpdesk's database for testing the front itself: notes that can be written, changed, listed and read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import peewee as pw
from falcon.testing import TestClient
from pydantic import Field

from baton.http.api import (
    Body,
    Call,
    Conflict,
    Cookie,
    NotFound,
    Operation,
    Page,
    PageQuery,
    Rate,
    Reply,
    View,
    create_service_app,
    page,
)
from baton.http.tokens import key_source
from baton.http.types import Id, Instant, Name, ShortText, Text
from baton.models.database import InstantField, connection, service_database
from baton.models.settings import Settings
from baton.pipelines.messages import SendTicketStatus


class DemoNote(pw.Model):
    """A note of the demonstration."""

    id = pw.BigAutoField()
    subject = pw.TextField()
    text = pw.TextField()
    version = pw.IntegerField(default=1)
    written_at = InstantField()

    class Meta:
        database = service_database("helpdesk")
        legacy_table_names = False


class NewNote(Body):
    """A note to write."""

    subject: ShortText
    text: Text = ""
    author: Name | None = None
    weight: Annotated[int, Field(ge=0, le=10)] = 0
    due_at: Instant | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class NoteView(View):
    """A note."""

    id: int
    subject: str
    text: str
    version: int


class NoteQuery(PageQuery):
    """Which notes to list."""

    subject: ShortText | None = None
    above: Id | None = None


def _view(note: DemoNote) -> NoteView:
    return NoteView(id=note.id, subject=note.subject, text=note.text, version=note.version)


def write_note(call: Call, body: NewNote) -> Reply:
    if body.subject == "refuse":
        DemoNote.create(subject="never kept", text="", written_at=call.now)
        raise Conflict("notes of this kind are refused")
    if body.subject == "crash":
        raise RuntimeError("secret internals: password=hunter2")
    note = DemoNote.create(subject=body.subject, text=body.text, written_at=call.now)
    call.tx.announce(SendTicketStatus(ticket_id=f"N-{note.id}", new_status="Open"), ticket_number=f"N-{note.id}")
    return Reply(_view(note), etag=note.version, headers={"Location": f"/notes/{note.id}"})


def read_note(call: Call) -> Reply:
    note = DemoNote.get_or_none(DemoNote.id == call.integer("id"))
    if note is None:
        raise NotFound("no such note")
    return Reply(_view(note), etag=note.version)


def change_note(call: Call, body: NewNote) -> Reply:
    note = DemoNote.get_or_none(DemoNote.id == call.integer("id"))
    if note is None:
        raise NotFound("no such note")
    call.require_match(note.version)
    note.subject, note.version = body.subject, note.version + 1
    note.save()
    return Reply(_view(note), etag=note.version)


def list_notes(call: Call, query: NoteQuery) -> Page[NoteView]:
    rows = DemoNote.select()
    if query.subject is not None:
        rows = rows.where(DemoNote.subject == query.subject)
    if query.above is not None:
        rows = rows.where(DemoNote.id > query.above)
    return page(rows, key=(DemoNote.written_at, DemoNote.id), cursor=query.cursor, limit=query.limit, view=_view)


def sign_in(call: Call, body: NewNote) -> Reply:
    return Reply({"ok": True}, cookies=[Cookie("access_token", "t", 900)])


def who(call: Call) -> dict[str, Any]:
    return {"subject": call.principal.subject, "trace": call.trace_id}


OPERATIONS = (
    Operation("POST", "/notes", write_note, "tickets.file", body=NewNote, returns=NoteView, status=201, summary="Write"),
    Operation("GET", "/notes", list_notes, "tickets.read", query=NoteQuery, returns=Page[NoteView], summary="List"),
    Operation("GET", "/notes/{id}", read_note, "tickets.read", returns=NoteView, summary="Read"),
    Operation("PUT", "/notes/{id}", change_note, "tickets.withdraw", body=NewNote, returns=NoteView, summary="Change"),
    Operation("GET", "/who/", who, "session.read", returns=dict, transaction="none", summary="Who calls"),
    Operation(
        "POST",
        "/sign-in",
        sign_in,
        "session.sign_in",
        body=NewNote,
        returns=dict,
        transaction="none",
        rate=Rate(3, 60),
        summary="Sign in",
    ),
)


@contextmanager
def demo_client(settings: Settings) -> Iterator[TestClient]:
    """Give a test client of the demonstration on databases that are configured already."""
    with connection("helpdesk") as database:
        database.create_tables([DemoNote])
    yield TestClient(create_service_app("helpdesk", OPERATIONS, settings, key_source(settings)))
