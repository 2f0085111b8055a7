"""
WebSockets, as a kind of operation.

    def join(call: Call) -> Accepted:
        room = ...                                  # checks; a Problem is answered before the connection is upgraded

        def talk(socket: Socket) -> None:
            for text in socket.messages():          # ends when either side closes
                socket.put(frame_of({"type": "echo", "text": text}))

        return Accepted(talk, still=lambda: ...)

    Operation("GET", "/ws/echo", join, "echo.use", live="socket", summary=...)

The token comes as for any operation (bearer, cookie), or, as browsers cannot set headers here, as a subprotocol beside `baton`:
`new WebSocket(url, ["baton", "bearer." + token])`. Never in the address: addresses end in logs. A cookie counts only with an
`Origin` of ours, as for writes: other sites' pages can open WebSockets, and browsers send cookies along.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import falcon
from gevent import GreenletExit, getcurrent

from baton.http import dispatch, lasting
from baton.http.operations import Call, Operation
from baton.http.problems import BadRequest, Problem
from baton.http.socket_line import GOING_AWAY, INTERNAL_ERROR, Socket

#: The subprotocol that is agreed on when the client names it.
PROTOCOL = "baton"
_TOKEN_PREFIX = "bearer."


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the handler of a socket operation returns: the talk, and whether the caller may still take part."""

    talk: Callable[[Socket], None]
    still: Callable[[], bool]


def responder(front: dispatch.Front, operation: Operation) -> Callable[..., None]:
    """Return the Falcon responder that upgrades the connection; the server runs the talk (`server.Handler.process_result`)."""
    dispatch.limit(front, operation)

    def respond(request: falcon.Request, response: falcon.Response, **params: str) -> None:
        env = request.env
        take_token(env)
        call = Call(request, operation, front.service, front.settings, params, request.context.trace_id)
        arguments = dispatch.admit(front, call)
        lasting.admit_returning(call)
        check_handshake(env)
        accepted: Accepted = operation.handler(call, **arguments)
        front.places.take(call)
        env["baton.upgrade"] = lambda sock: _talk(front, call, accepted, sock)
        response.status = 101

    return respond


def take_token(env: dict[str, Any]) -> None:
    """Put a token that came as a subprotocol where tokens are looked for, and take it out of the offered ones."""
    offered = offered_protocols(env)
    tokens = [name for name in offered if name.startswith(_TOKEN_PREFIX)]
    if tokens and "HTTP_AUTHORIZATION" not in env:
        env["HTTP_AUTHORIZATION"] = f"Bearer {tokens[0].removeprefix(_TOKEN_PREFIX)}"
    if tokens:
        env["HTTP_SEC_WEBSOCKET_PROTOCOL"] = ", ".join(name for name in offered if name not in tokens)
        if not env["HTTP_SEC_WEBSOCKET_PROTOCOL"]:
            del env["HTTP_SEC_WEBSOCKET_PROTOCOL"]


def offered_protocols(env: dict[str, Any]) -> list[str]:
    """Return the subprotocols that the client names."""
    return [name.strip() for name in env.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "").split(",") if name.strip()]


def check_handshake(env: dict[str, Any]) -> None:
    """Raise 426 unless the request asks for a WebSocket of version 13, 400 when it asks wrongly."""
    upgrades = [word.strip().lower() for word in env.get("HTTP_UPGRADE", "").split(",")]
    connection = [word.strip().lower() for word in env.get("HTTP_CONNECTION", "").split(",")]
    version = env.get("HTTP_SEC_WEBSOCKET_VERSION")
    if "websocket" not in upgrades or "upgrade" not in connection or version != "13":
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        raise Problem(426, "upgrade-required", "a WebSocket is wanted", "ask for a WebSocket, version 13", headers=headers)
    try:
        key = base64.b64decode(env.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 16:
        raise BadRequest("Sec-WebSocket-Key must be 16 bytes in base64")


def _talk(front: dispatch.Front, call: Call, accepted: Accepted, sock: Any) -> None:
    """Upgrade the connection and have the talk; whatever happens, the caller's place is given up and the line is closed."""
    greenlets: set[Any] = call.request.env.get("baton.lasting", set())
    current = getcurrent()
    watch = lasting.Watch(call, front.verifier, accepted.still)
    socket = None
    reason = "refused"
    greenlets.add(current)
    try:
        socket = Socket(call.request.env, sock, watch.refusal, PROTOCOL)
        accepted.talk(socket)
    except GreenletExit:
        if socket is not None:
            socket.close(GOING_AWAY, "the server stops; come back")
    except BaseException:
        if socket is not None:
            socket.close(INTERNAL_ERROR, "an unforeseen fault")
        raise
    finally:
        greenlets.discard(current)
        watch.close()
        if socket is not None:
            reason = socket.reason
            socket.finish()
        front.places.leave(call, reason)
