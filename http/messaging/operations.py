"""The operations of the conversation service over plain HTTP: everything but the live connections."""

from __future__ import annotations

from typing import Any

from baton.http.api import Operation, Page, Rate
from baton.http.messaging import attachments
from baton.http.messaging.attachments import UploadQuery
from baton.http.messaging.changing import delete_comment, edit_comment
from baton.http.messaging.comments import post_comment
from baton.http.messaging.finding import CommentSearch, FoundComment, search_comments
from baton.http.messaging.importing import ImportedComments, ImportOutcomes, import_comments
from baton.http.messaging.reading import export_entries, list_entries, read_entry, read_participants, read_revisions, read_talk
from baton.http.messaging.views import (
    AttachmentView,
    CommentChange,
    EntryView,
    NewComment,
    ParticipantsView,
    RevisionsView,
    StreamQuery,
    StreamView,
    TalkView,
)

_TICKET = "/api/v1/tickets/{ticket_number}"
_ALL = f"{_TICKET}/comments"
_ONE = f"{_TICKET}/comments/{{number}}"
#: What one person writes by hand; a program that says more has the import.
_WRITES = Rate(requests=120, seconds=60)
_READ: dict[str, Any] = {"permission": "comments.read", "problems": (404,)}
_WRITE: dict[str, Any] = {"permission": "comments.write", "problems": (403, 404), "rate": _WRITES}
_LATE = "A ticket that was filed a moment ago is unknown here until the workflow side has told of it."

HTTP_OPERATIONS = (
    Operation(
        "POST", _ALL, post_comment, **_WRITE, body=NewComment, returns=EntryView, status=201,
        summary="Write a comment or an internal note", description=_LATE,
    ),
    Operation(
        "GET", _ALL, list_entries, **_READ, query=StreamQuery, returns=StreamView,
        summary="Read a ticket's stream: what came after a number, before it, or the newest", description=_LATE,
    ),
    Operation(
        "GET", f"{_TICKET}/talk", read_talk, **_READ, query=StreamQuery, returns=TalkView,
        summary="Read a ticket's stream together with who takes part and how the caller stands in it", description=_LATE,
    ),
    Operation(
        "GET", f"{_TICKET}/conversation.jsonl", export_entries, **_READ, media_type="application/x-ndjson",
        summary="Export a ticket's conversation, an entry per line",
    ),
    Operation("GET", _ONE, read_entry, **_READ, returns=EntryView, summary="Read one entry of a stream"),
    Operation("PATCH", _ONE, edit_comment, **_WRITE, body=CommentChange, returns=EntryView, summary="Change one's own comment"),
    Operation("DELETE", _ONE, delete_comment, **_WRITE, returns=EntryView, summary="Delete a comment, leaving its place"),
    Operation(
        "GET", f"{_ONE}/history", read_revisions, permission="comments.history", problems=(404,), returns=RevisionsView,
        summary="Read what a comment said before it was changed or deleted",
    ),
    Operation(
        "GET", f"{_TICKET}/participants", read_participants, **_READ, returns=ParticipantsView,
        summary="List who may be mentioned, and how the caller stands in the conversation",
    ),
    Operation(
        "POST", f"{_TICKET}/attachments", attachments.upload, **{**_WRITE, "problems": (403, 404, 408, 409, 413)},
        query=UploadQuery, returns=AttachmentView, status=201, transaction="none",
        summary="Send a file, for a comment to be written",
        description="The file is the body (with `filename`), or the part `file` of multipart/form-data. " + _LATE,
    ),
    Operation(
        "GET", attachments.ONE, attachments.download, permission="comments.read", problems=(404, 409),
        media_type="application/octet-stream", summary="Download a file",
    ),
    Operation("DELETE", attachments.ONE, attachments.delete, **_WRITE, status=204, summary="Delete a file"),
    Operation(
        "GET", "/api/v1/comments/search", search_comments, permission="comments.read", query=CommentSearch,
        returns=Page[FoundComment], summary="Find comments by the words they hold, over all tickets",
    ),
    Operation(
        "POST", "/api/v1/comments/import", import_comments, permission="comments.import", body=ImportedComments,
        returns=ImportOutcomes, transaction="none", summary="Take over comments that were written elsewhere",
        description="For operators' programs. Nobody is told, and no clock looks at them.",
    ),
)  # fmt: skip
