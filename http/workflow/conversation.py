"""The conversation's WebSocket on the workflow front's port, where the old clients look for it."""

from __future__ import annotations

from baton.http.api import Call, Operation


def conversation(call: Call) -> str:
    """Return the service that has the tickets' rooms."""
    return "messaging"


OPERATIONS = (
    Operation(
        "GET",
        "/ws/comments/{ticket_id}/",
        conversation,
        permission="comments.pass_on",
        live="tunnel",
        status=101,
        problems=(401, 403, 404, 502),
        summary="Take part in a ticket's conversation (passed on to the messaging service)",
        description="As the operation of the same path on the messaging front, which decides; 502 while that cannot be reached.",
        tag="live",
    ),
)
