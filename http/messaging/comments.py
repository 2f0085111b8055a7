"""Writing comments over HTTP; `writing` has the act itself."""

from __future__ import annotations

from baton.http.api import Call, Reply
from baton.http.messaging.seeing import refused
from baton.http.messaging.views import NewComment, entry_view
from baton.http.messaging.writing import Draft, write_comment
from baton.pipelines.conversation import CommentRefusedError


def post_comment(call: Call, body: NewComment) -> Reply:
    """The comment is in the ticket's stream: 201; a `client_id` that the writer used here before: 200, with what is there."""
    draft = Draft(
        body=body.body,
        visibility=body.visibility,
        client_id=body.client_id,
        reply_to=body.reply_to,
        mentions=tuple(body.mentions),
        attachments=tuple(body.attachments),
    )
    number = call.params["ticket_number"]
    try:
        written = write_comment(call.tx, call.principal, number, draft, notices=call.settings.notifications)
    except CommentRefusedError as error:
        raise refused(error) from None
    entry = written.entry
    location = f"/api/v1/tickets/{entry.ticket_number}/comments/{entry.number}"
    status = 201 if written.was_new else 200
    return Reply(entry_view(entry, written.viewer), status=status, headers={"Location": location}, etag=entry.version)
