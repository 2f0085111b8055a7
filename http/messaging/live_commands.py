"""
What a client says over its WebSocket: new comments, typing, a question whether the line lives; and how it is answered.

    {"type": "new_comment", "content": "...", "client_id": "..."}   also visibility, mentions, reply_to, attachments as over HTTP;
                                                                    a `user_id` counts for nothing: the signed-in user writes
        -> {"type": "ack", "client_id": "...", "number": 7, "id": "HD-1:7", "new": true}
    {"type": "typing", "active": true, "visibility": "public"}      no answer
    {"type": "ping"}                                                -> {"type": "pong"}

Whatever cannot be done is answered {"type": "error", "code", "detail", "errors", "client_id"} and changes nothing. A comment
without an answer was perhaps stored: sent again under the same `client_id`, it is stored once.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field

from baton.http import bodies
from baton.http.messaging.gathering import Gatherer
from baton.http.messaging.live_rooms import LiveRoom, Member
from baton.http.messaging.seeing import refused
from baton.http.messaging.views import ClientId, Markdown, Subject
from baton.http.messaging.writing import Draft
from baton.http.problems import Invalid, Problem, problem_of
from baton.http.socket_line import POLICY, Socket, frame_of
from baton.http.types import BIGGEST_INTEGER
from baton.pipelines.conversation import MAX_ATTACHMENTS, MAX_MENTIONS, CommentRefusedError

#: Messages of one client per second on average, and at once.
PER_SECOND, AT_ONCE = 5.0, 30.0
#: Messages refused for coming too fast before the client is dropped.
MOST_REFUSED = 50
#: Seconds between two notices that somebody types.
TYPING_SECONDS = 1.0

log = structlog.get_logger("baton.live")


class _Command(BaseModel):
    """Unknown fields are ignored: old clients send more than is needed."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class NewCommentCommand(_Command):
    """A comment to write."""

    content: Markdown
    client_id: ClientId | None = None
    visibility: Literal["public", "internal"] = "public"
    reply_to: Annotated[int, Field(ge=1, le=BIGGEST_INTEGER)] | None = None
    mentions: Annotated[list[Subject], Field(max_length=MAX_MENTIONS)] = []
    attachments: Annotated[list[Subject], Field(max_length=MAX_ATTACHMENTS)] = []


class TypingCommand(_Command):
    """The writer types, or has stopped."""

    active: bool = True
    visibility: Literal["public", "internal"] = "public"


_PONG = frame_of({"type": "pong"})
_gatherer = Gatherer()


class Speaker:
    """One client's side of the talk."""

    def __init__(self, socket: Socket, room: LiveRoom, member: Member, *, notices: bool) -> None:
        self._socket = socket
        self._room = room
        self._member = member
        self._notices = notices
        self._allowance = AT_ONCE
        self._counted_at = time.monotonic()
        self._refused = 0
        self._typed_at = 0.0

    def hear(self, text: str) -> None:
        """Do what a message asks for, and answer it."""
        value: Any = None
        try:
            self._count()
            body = text.encode()
            value = bodies.parse_json(body)
            self._obey(body, value)
        except Problem as problem:
            self._answer(problem, value)
        except CommentRefusedError as error:
            self._answer(refused(error), value)
        except Exception as error:  # a database that is away, a fault of ours: the client hears of it and may try again
            self._answer(problem_of(error), value)

    def _obey(self, body: bytes, value: Any) -> None:
        if not isinstance(value, dict):
            raise Invalid.of("", "must be a JSON object with a type")
        kind = value.get("type")
        if kind == "new_comment":
            self._write(bodies.validate_body(NewCommentCommand, body, value))
        elif kind == "typing":
            self._type(bodies.validate_body(TypingCommand, body, value))
        elif kind == "ping":
            self._socket.put(_PONG)
        else:
            raise Invalid.of("type", "must be new_comment, typing or ping")

    def _write(self, command: Any) -> None:
        draft = Draft(
            body=command.content,
            visibility=command.visibility,
            client_id=command.client_id,
            reply_to=command.reply_to,
            mentions=tuple(command.mentions),
            attachments=tuple(command.attachments),
        )
        principal, number = self._member.principal, self._room.ticket_number
        written = _gatherer.write(principal, number, draft, notices=self._notices)
        entry = written.entry
        answer = {"type": "ack", "client_id": entry.client_id, "number": entry.number, "id": f"{number}:{entry.number}"}
        self._socket.put(frame_of({**answer, "new": written.was_new}))

    def _type(self, command: Any) -> None:
        now = time.monotonic()
        internal = command.visibility == "internal"
        if (internal and not self._member.viewer.sees_internal) or (command.active and now - self._typed_at < TYPING_SECONDS):
            return
        self._typed_at = now
        self._room.presence.typing(self._member.viewer, self._member.principal, active=command.active, internal=internal)

    def _count(self) -> None:
        now = time.monotonic()
        self._allowance = min(AT_ONCE, self._allowance + (now - self._counted_at) * PER_SECOND)
        self._counted_at = now
        if self._allowance >= 1:
            self._allowance -= 1
            return
        self._refused += 1
        if self._refused > MOST_REFUSED:
            self._socket.close(POLICY, "too many messages")
        raise Problem(429, "too-many-requests", "too many messages", f"at most {PER_SECOND:g} a second; nothing was done")

    def _answer(self, problem: Problem, value: Any) -> None:
        message: dict[str, Any] = {"type": "error", "code": problem.type.rpartition(":")[2]}
        message["detail"] = problem.detail or problem.title
        if "errors" in problem.extra:
            message["errors"] = problem.extra["errors"]
        client_id = value.get("client_id") if isinstance(value, dict) else None
        if isinstance(client_id, str) and client_id.isascii() and len(client_id) <= 200:
            message["client_id"] = client_id
        self._socket.put(frame_of(message))
