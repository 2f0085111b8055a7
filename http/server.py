"""
Serving a front over HTTP: gevent's WSGI server on a socket of our own, so that answers leave at once (TCP_NODELAY).

Clients that send or read too slowly are dropped; a stop lets requests under way finish and closes idle connections. Several
servers may run in one process, each in a green thread.
"""

from __future__ import annotations

import email.errors
import logging
import signal
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import gevent
import structlog
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import Input, WSGIHandler, WSGIServer

from baton.http.ports import holder_of
from baton.models.settings import SettingsError

#: Longest wait for the next request of a kept connection, and for any single read or write, in seconds.
IDLE_SECONDS = 60.0
#: Longest time for all headers to arrive, in seconds.
HEADER_SECONDS = 10.0
#: Longest time for a whole body to arrive, in seconds.
BODY_SECONDS = 60.0
#: Most of a refused body that is read so that its sender sees the answer, in bytes; then the connection is cut.
DISCARD_BYTES = 32_000_000
#: Connections served at once by one front; more wait to be accepted.
CONNECTIONS = 2_000
#: How long a stop waits for requests under way, in seconds.
GRACE_SECONDS = 10.0
_BACKLOG = 1_024

log = structlog.get_logger("baton.server")

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class PortTakenError(SettingsError):
    """The port cannot be listened on; the message names who holds it and the remedy."""


class StopEvent(Protocol):
    """An event of threading or gevent that is set when the server shall stop."""

    def is_set(self) -> bool:
        """Whether to stop."""


def listen(host: str, port: int) -> Any:
    """Return a listening socket; raises PortTakenError with a remedy when the port is not to be had."""
    from gevent import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit this; without it every answer on a kept connection waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        holder = holder_of(port)
        reason = f"is held by {holder}" if holder else f"cannot be listened on ({error})"
        raise PortTakenError(
            f"port {port} on {host} {reason}; stop that, or set another port (BATON_<SERVICE>_PORT, or --port)"
        ) from error
    return listener


def serve(app: WsgiApp, host: str, port: int, stop: StopEvent | None = None, name: str = "") -> None:
    """
    Serve the application until `stop` is set (without one: until SIGTERM or SIGINT), then finish what is under way.

    Raises:
        PortTakenError: at once, when the port is not to be had.
    """
    listener = listen(host, port)
    stop = stop or _stop_on_signal()
    server = Server(listener, app, host)
    server.start()
    log.info("listening", url=f"http://{host}:{listener.getsockname()[1]}", front=name)
    try:
        while not stop.is_set():
            gevent.sleep(0.05)
    finally:
        server.drain(GRACE_SECONDS)
        log.info("stopped", front=name)


def _stop_on_signal() -> StopEvent:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    return stop


#: What the parser misses in the header of a form with files: it takes it for a whole mail, and looks for the parts.
_OF_BODIES = (
    email.errors.StartBoundaryNotFoundDefect,
    email.errors.CloseBoundaryNotFoundDefect,
    email.errors.NoBoundaryInMultipartDefect,
    email.errors.MultipartInvariantViolationDefect,
    email.errors.InvalidMultipartContentTransferEncodingDefect,
)


class Server(WSGIServer):
    """gevent's WSGI server with idle connections that can be told apart from busy ones."""

    def __init__(self, listener: Any, app: WsgiApp, host: str) -> None:
        super().__init__(
            listener,
            app,
            spawn=Pool(CONNECTIONS),
            log=None,
            error_log=logging.getLogger("baton.server"),
            handler_class=Handler,
            # Given, because gevent would otherwise look the name up in DNS.
            environ={"SERVER_NAME": host},
        )
        self.idle: set[Any] = set()
        #: Green threads of answers that end only when they are told to: streams and sockets.
        self.lasting: set[Any] = set()
        self.stopping = False

    def drain(self, seconds: float) -> None:
        """Accept no more, close idle connections, end streams and sockets, let requests under way finish for so many seconds."""
        self.stopping = True
        self.close()
        gevent.killall([*self.idle, *self.lasting], block=False)
        self.stop(timeout=seconds)


class Handler(WSGIHandler):
    """One connection, with limits on how long its client may take."""

    wsgi_input: Any

    def __init__(self, sock: Any, address: Any, server: Server) -> None:
        sock.settimeout(IDLE_SECONDS)
        super().__init__(sock, address, server)

    def read_requestline(self) -> str:
        """Return the next request line, or nothing when the client stays away or sends it too slowly."""
        current = gevent.getcurrent()
        self.server.idle.add(current)
        try:
            with gevent.Timeout(IDLE_SECONDS, False):
                line: str = super().read_requestline()
                return line
            return ""
        finally:
            self.server.idle.discard(current)

    def read_request(self, raw_requestline: str) -> bool:
        """Read the headers; a ValueError (answered 400) when they take too long."""
        with gevent.Timeout(HEADER_SECONDS, False):
            return bool(super().read_request(raw_requestline))
        raise ValueError("the headers came too slowly")

    def MessageClass(self, *args: Any) -> Any:
        """Return the request's headers; a ValueError where a proxy in front might see the request end elsewhere than we do."""
        headers = super().MessageClass(*args)
        # The parser takes the headers to end at a line it does not understand, such as "Transfer-Encoding : chunked": what
        # follows, the body's length perhaps, would not count.
        if any(not isinstance(defect, _OF_BODIES) for defect in headers.defects):
            raise ValueError("a header line is malformed")
        # Looked at here, because gevent then drops the length of a body that is chunked besides.
        lengths, codings = headers.get_all("content-length") or [], headers.get_all("transfer-encoding") or []
        if len(lengths) + len(codings) > 1 or any(coding.strip().lower() != "chunked" for coding in codings):
            raise ValueError("the length of the body is ambiguous")
        return headers

    def get_environ(self) -> dict[str, Any]:
        """Return the request's environment with a body that must arrive in time."""
        env: dict[str, Any] = super().get_environ()
        env["baton.lasting"] = self.server.lasting
        body: Any = self.wsgi_input
        if env["wsgi.input"] is body:
            self.wsgi_input = env["wsgi.input"] = TimedInput(
                body.rfile, body.content_length, socket=body.socket, chunked_input=body.chunked_input
            )
        return env

    def process_result(self) -> None:
        """Send the answer; or, where the application upgraded the connection, let it talk and end the connection with it."""
        upgrade = self.environ.get("baton.upgrade")
        if upgrade is None:
            super().process_result()
            return
        self.close_connection = True
        # What the protocol sends from here on is its own affair: nothing of the HTTP answer may follow.
        self.status, self.headers_sent, self.response_use_chunked = None, True, False
        upgrade(self.socket)

    def handle_one_response(self) -> None:
        """Answer one request; the connection ends with it when the server is stopping or its body was not read."""
        super().handle_one_response()
        if self.server.stopping or getattr(self.wsgi_input, "abandoned", False):
            self.close_connection = True

    def _log_error(self, kind: Any, value: Any, traceback: Any) -> None:
        if issubclass(kind, OSError):
            log.debug("client_went_away", reason=repr(value))
        else:
            log.error("request_crashed", exc_info=(kind, value, traceback))


class TimedInput(Input):
    """A request body that must arrive within BODY_SECONDS, and of which little is read once it is not wanted."""

    __slots__ = ("abandoned",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.abandoned = False

    def read(self, length: int | None = None) -> bytes:
        """Return up to `length` bytes; raises TimeoutError when they do not come in time."""
        with gevent.Timeout(BODY_SECONDS, TimeoutError("the body came too slowly")):
            data: bytes = super().read(length)
            return data

    def _discard(self) -> None:
        self.send_100_continue_enabled = False  # type: ignore[misc]
        discarded = 0
        try:
            with gevent.Timeout(HEADER_SECONDS, TimeoutError("the rest of the body came too slowly")):
                while discarded < DISCARD_BYTES:
                    if not self.chunked_input and self.position >= (self.content_length or 0):
                        return
                    if self._chunked_input_error:
                        break
                    data = super().read(65_536)
                    if not data:
                        return
                    discarded += len(data)
        except OSError:
            pass
        self.abandoned = True
