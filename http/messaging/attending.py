"""What a ticket's page tells of its reader: that they type, and that they left. Nothing of it is stored."""

from __future__ import annotations

from typing import Any, Literal

from baton.http.api import Body, Call, Operation, Rate
from baton.http.messaging.presence import tell_typing
from baton.http.messaging.seeing import Seen, find_seen
from baton.http.messaging.watching import gone
from baton.http.types import Name
from baton.models.live import Signal, hub


class TypingBody(Body):
    """Whether the caller types now, and what: something that everybody may read, or staff only."""

    active: bool = True
    visibility: Literal["public", "internal"] = "public"


class LeaveBody(Body):
    """Which page was left: the name under which it followed the stream."""

    watch: Name


def type_on(call: Call, body: TypingBody) -> None:
    """Those who are there are told that the caller types, or stopped."""
    seen, internal = _seen(call), body.visibility == "internal"
    if not internal or seen.viewer.sees_internal:
        tell_typing(_topic(seen), seen.viewer, call.principal, active=body.active, internal=internal)


def leave(call: Call, body: LeaveBody) -> None:
    """The caller's page counts as being there no longer, before its stream is noticed to have ended."""
    seen = _seen(call)
    hub.signal([Signal(_topic(seen), gone(seen.viewer, body.watch))])


def _seen(call: Call) -> Seen:
    return find_seen(call.principal, call.params["ticket_number"])


def _topic(seen: Seen) -> str:
    return f"ticket:{seen.room.ticket_number}"


_TOLD: dict[str, Any] = {"permission": "comments.write", "status": 204, "problems": (404,), "transaction": "read", "tag": "live"}

ATTENDING_OPERATIONS = (
    Operation(
        "POST", "/api/v1/tickets/{ticket_number}/typing", type_on, **_TOLD, body=TypingBody, rate=Rate(120, 60),
        summary="Tell those who are on the ticket that one types",
    ),
    Operation(
        "POST", "/api/v1/tickets/{ticket_number}/leave", leave, **_TOLD, body=LeaveBody, rate=Rate(240, 60),
        summary="Tell those who are on the ticket that one left its page",
    ),
)  # fmt: skip
