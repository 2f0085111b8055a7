"""
One WebSocket's line: whole frames out through a queue of its own, messages in within limits, signs of life both ways.

simple-websocket speaks the protocol; it writes with `send`, which cuts a frame short when the client reads slowly, and from
whichever thread has something to say. Here a writer of each line's own writes everything, whole, and a client that does not take
what waits for it is dropped, so that nobody else waits for it.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import simple_websocket
from gevent.event import Event
from pydantic_core import to_json
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Ping
from wsproto.frame_protocol import CloseReason, FrameProtocol
from wsproto.utilities import LocalProtocolError

from baton.http.lasting import reason_of
from baton.http.problems import Problem, Unauthorized

#: Longest message accepted, in characters: the longest comment with every character escaped, and some more.
MESSAGE_LENGTH = 200_000
#: Most that waits for one client before it is dropped.
WAITING_FRAMES, WAITING_BYTES = 1_000, 1_000_000
#: What the system holds for one client besides, in bytes; left to itself it takes megabytes.
_SYSTEM_BYTES = 131_072
#: Seconds of silence after which a client is asked for a sign of life, and until it must have given one.
PING_SECONDS, PONG_SECONDS = 25.0, 20.0
#: Longest wait for a message before the client is looked at again, in seconds.
LISTEN_SECONDS = 5.0
#: Longest time for a client to take what is being written to it, and for a closing to be answered, in seconds.
WRITE_SECONDS, CLOSE_SECONDS = 20.0, 2.0

NORMAL, GOING_AWAY, UNSUPPORTED, POLICY, INTERNAL_ERROR, TRY_AGAIN = 1000, 1001, 1003, 1008, 1011, 1013
TOKEN_EXPIRED, NOT_ALLOWED = 4401, 4403
#: Words for the metrics.
_REASONS = {
    NORMAL: "left", GOING_AWAY: "stopping", UNSUPPORTED: "unsupported", POLICY: "too-fast", INTERNAL_ERROR: "fault",
    TRY_AGAIN: "behind", TOKEN_EXPIRED: "token-expired", NOT_ALLOWED: "forbidden",
}  # fmt: skip


def frame_of(message: Any) -> bytes:
    """Return a message as a text frame that may be put to any number of sockets: encoded once."""
    return bytes(FrameProtocol(client=False, extensions=[]).send_data(to_json(message).decode(), fin=True))


class _NoThread:
    """In place of simple-websocket's reading thread: the request's own green thread reads."""

    name = ""

    def __init__(self, target: Any = None) -> None:
        pass

    def start(self) -> None:
        """Do nothing."""


class _Writing:
    """In place of the socket, for simple-websocket's own answers (pong, close): they queue up like everything else."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self.send = put


class Socket:
    """A connected client. `refusal` is asked now and then whether it may stay."""

    def __init__(self, env: dict[str, Any], sock: Any, refusal: Callable[[], Problem | None], protocol: str) -> None:
        self.reason = "left"
        self._sock = sock
        self._sock.settimeout(WRITE_SECONDS)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SYSTEM_BYTES)
        self._refusal = refusal
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._something = Event()
        self._closing_at: float | None = None
        self._heard_at = time.monotonic()
        self._pinged = False
        self._deaf = False
        # Without compression: a frame is the same for everybody, and small messages are bombs to nobody.
        headers = {name: value for name, value in env.items() if name != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
        headers["werkzeug.socket"] = _Writing(self._put)
        self._line = simple_websocket.Server(
            headers, subprotocols=[protocol], max_message_size=MESSAGE_LENGTH, thread_class=_NoThread
        )
        # Turns an event of the protocol into bytes; sends nothing.
        self._encoded = self._line.ws.send
        self._writer = gevent.spawn(self._write)

    @property
    def open(self) -> bool:
        """Whether anything that is put may still arrive."""
        return self._closing_at is None and self._line.connected

    def put(self, frame: bytes) -> None:
        """Have an encoded frame leave, after those before it; a client for whom too much waits is dropped with code 1013."""
        if not self.open:
            return
        if len(self._waiting) >= WAITING_FRAMES or self._waiting_bytes + len(frame) > WAITING_BYTES:
            self._waiting.clear()
            self._waiting_bytes = 0
            self.close(TRY_AGAIN, "you read too slowly; come back with since")
            return
        self._put(frame)

    def full(self) -> bool:
        """Whether so much waits that a replay should pause."""
        return len(self._waiting) >= WAITING_FRAMES // 2 or self._waiting_bytes >= WAITING_BYTES // 2

    def messages(self) -> Iterator[str]:
        """Yield the client's text messages until either side closes."""
        while True:
            while self._line.input_buffer and self._closing_at is None:
                message = self._line.input_buffer.pop(0)
                if isinstance(message, bytes):
                    self.close(UNSUPPORTED, "send text, not bytes")
                else:
                    yield message
            if not self._line.connected or (self._closing_at is not None and time.monotonic() >= self._closing_at):
                return
            self._check()
            self._receive()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye with a code; what the client sends from now on counts no more."""
        if not self.open:
            return
        self.reason = _REASONS.get(code, "refused")
        self._closing_at = time.monotonic() + CLOSE_SECONDS
        try:
            self._put(self._encoded(CloseConnection(code, reason[:120])))
        except LocalProtocolError:  # the other side was first
            self._line.connected = False

    def finish(self) -> None:
        """Let what waits leave, for a moment, and cut the line."""
        self._line.connected = False
        self._something.set()
        self._writer.join(CLOSE_SECONDS)
        self._writer.kill(block=False)
        self._sock.close()

    def _check(self) -> None:
        problem = self._refusal() if self._closing_at is None else None
        if problem is not None:
            self.close(TOKEN_EXPIRED if isinstance(problem, Unauthorized) else NOT_ALLOWED, problem.title)
            self.reason = reason_of(problem)
        silent = time.monotonic() - self._heard_at
        if silent >= PING_SECONDS + PONG_SECONDS:
            self.reason = "silent"
            self._line.connected = False
        elif silent >= PING_SECONDS and not self._pinged and self.open:
            self._pinged = True
            self._put(self._encoded(Ping()))

    def _receive(self) -> None:
        seconds = 1.0 if self._closing_at is not None or self._pinged else LISTEN_SECONDS
        data = None
        with gevent.Timeout(seconds, False):
            try:
                data = self._sock.recv(16_384)
            except TimeoutError:
                return
            except OSError:
                data = b""
        if data is None:
            return
        self._heard_at, self._pinged = time.monotonic(), False
        if not data:
            self._line.connected = False
            return
        if self._deaf:
            return
        was_open = self._line.ws.state is ConnectionState.OPEN
        try:
            self._line.ws.receive_data(data)
            self._line.connected = self._line._handle_events()
        except LocalProtocolError:
            self._line.connected = False
        if was_open and self._closing_at is None and self._line.ws.state is ConnectionState.LOCAL_CLOSING:
            # The library closed, for a message that is too long or frames that are none. Give the client the time to read that.
            self.reason = "too-long" if self._line.close_reason == CloseReason.NO_STATUS_RCVD else "broken"
            self._closing_at, self._line.connected = time.monotonic() + CLOSE_SECONDS, True
            self._deaf = True

    def _put(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._something.set()

    def _write(self) -> None:
        try:
            while True:
                self._something.wait()
                self._something.clear()
                while self._waiting:
                    data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
                    self._waiting.clear()
                    self._waiting_bytes = 0
                    self._sock.sendall(data)
                if not self._line.connected:
                    return
        except OSError:
            if self.open:
                self.reason = "behind"
            self._line.connected = False
            self._wake_reader()

    def _wake_reader(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(2)
