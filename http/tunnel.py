"""
A WebSocket of another service through this front's port, as a kind of operation: the handler names the service.

The request goes there as it came (path, token, cookie, Origin, host), and that service alone decides on it: its answer, an
upgrade or a problem, is the answer. After an upgrade bytes pass both ways, unread, until one side ends.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import falcon
import gevent
import structlog
from gevent import socket

from baton.http import dispatch, lasting
from baton.http.operations import Call, Operation
from baton.http.problems import Problem
from baton.http.sockets import take_token
from baton.models.settings import Settings

#: Longest wait for a connection to the service, and for its answer, in seconds.
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 15.0
#: Longest silence on an upgraded line: sockets ask their clients for a sign of life long before.
SILENT_SECONDS = 120.0
#: Most of an answer's head, and of a refusal's body, in bytes.
HEAD_BYTES, BODY_BYTES = 16_384, 65_536
_PIECE = 65_536
#: What of a refusal is passed on, besides its status and body.
_PASSED_ON = ("content-type", "www-authenticate", "retry-after", "upgrade", "sec-websocket-version")

log = structlog.get_logger("baton.live")


def pass_on(call: Call, service: str) -> tuple[Any, bytes]:
    """
    Put the request to the service; return the connection and the head of its answer, with whatever came right after it.

    Raises:
        Problem: 502, it cannot be reached or does not answer.
    """
    upstream = None
    try:
        upstream = _connect(call.settings, service)
        upstream.settimeout(ANSWER_SECONDS)
        upstream.sendall(_request(call))
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = upstream.recv(_PIECE)
            if not piece or len(answer) > HEAD_BYTES:
                raise OSError("no answer that can be read")
            answer += piece
        return upstream, answer
    except OSError as error:
        if upstream is not None:
            upstream.close()
        log.warning("service_away", service=service, reason=repr(error)[:200])
        detail = f"the {service} service cannot be reached at present; try again"
        raise Problem(502, "bad-gateway", f"{service} is away", detail, headers={"Retry-After": "5"}) from error


def responder(front: dispatch.Front, operation: Operation) -> Callable[..., None]:
    """Return the Falcon responder that passes the request on."""

    dispatch.limit(front, operation)

    def respond(request: falcon.Request, response: falcon.Response, **params: str) -> None:
        take_token(request.env)
        call = Call(request, operation, front.service, front.settings, params, request.context.trace_id)
        dispatch.admit(front, call)
        front.places.take(call)
        upgraded = False
        try:
            upstream, answer = pass_on(call, operation.handler(call))
            upgraded = answer.split(b" ", 2)[1:2] == [b"101"]
            if not upgraded:
                _refuse(response, upstream, answer)
                return
        finally:
            if not upgraded:
                front.places.leave(call, "refused")
        greenlets: set[Any] = request.env.get("baton.lasting", set())
        request.env["baton.upgrade"] = lambda sock: _relay(front, call, greenlets, sock, upstream, answer)
        response.status = 101

    return respond


def _connect(settings: Settings, service: str) -> Any:
    parts = urlsplit(settings.url(service))
    host, secure = parts.hostname or "127.0.0.1", parts.scheme == "https"
    upstream = socket.create_connection((host, parts.port or (443 if secure else 80)), CONNECT_SECONDS)
    upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ssl.create_default_context().wrap_socket(upstream, server_hostname=host) if secure else upstream


def _request(call: Call) -> bytes:
    """Return the request as it came: its address and its headers; a line end in one was refused when it was read."""
    env = call.request.env
    query = f"?{env['QUERY_STRING']}" if env.get("QUERY_STRING") else ""
    lines = [f"GET {quote(env['PATH_INFO'].encode('latin-1'))}{query} HTTP/1.1"]
    for name, value in env.items():
        if name.startswith("HTTP_") and name not in ("HTTP_X_REQUEST_ID", "HTTP_CONNECTION"):
            lines.append(f"{name[5:].replace('_', '-').title()}: {value}")
    lines += [f"X-Request-Id: {call.trace_id}", f"Connection: {env.get('HTTP_CONNECTION') or 'close'}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _refuse(response: falcon.Response, upstream: Any, answer: bytes) -> None:
    """Answer with what the service answered instead of an upgrade."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = min(int(headers.get("content-length") or 0), BODY_BYTES)
    with contextlib.suppress(OSError), contextlib.closing(upstream):
        while len(body) < length and (piece := upstream.recv(_PIECE)):
            body += piece
    response.status = " ".join(lines[0].split(" ")[1:]) or "502"
    response.data = body[:length]
    for name in _PASSED_ON:
        if name in headers:
            response.set_header(name, headers[name])


def _relay(front: dispatch.Front, call: Call, greenlets: set[Any], sock: Any, upstream: Any, answer: bytes) -> None:
    """Carry bytes both ways until one side ends, or the server stops."""
    current = gevent.getcurrent()
    greenlets.add(current)
    back = None
    reason = "left"
    try:
        sock.settimeout(SILENT_SECONDS)
        upstream.settimeout(SILENT_SECONDS)
        sock.sendall(answer)
        back = gevent.spawn(_carry, upstream, sock)
        _carry(sock, upstream)
        back.join(lasting.CHECK_SECONDS)
    except gevent.GreenletExit:
        reason = "stopping"
    except OSError:
        pass
    finally:
        greenlets.discard(current)
        if back is not None:
            back.kill(block=False)
        upstream.close()
        sock.close()
        front.places.leave(call, reason)


def _carry(source: Any, target: Any) -> None:
    """Pass bytes on until the source ends; then the target is told so."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
