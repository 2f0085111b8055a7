"""
Kept connections to the services, and plain requests over them.

A page asks several services several things; what a request costs here is paid for each of them. The standard library's client
does what is needed for a fraction of what a client costs that can do everything. Nothing of one call stays for another: there
are no cookies here, no redirects and no proxies.
"""

from __future__ import annotations

import functools
import http.client
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds a service may take for a step of its answer, and to be connected to.
ANSWER_SECONDS, CONNECT_SECONDS = 10.0, 2.0
#: Seconds that an idle connection is kept; the services close theirs after a minute.
KEPT_SECONDS = 30.0
#: Idle connections kept per service.
KEPT = 64


class LineError(Exception):
    """The service cannot be reached, or broke off: whether it did what was asked is unknown."""


class TooSlowError(LineError):
    """The service took longer than it may."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: status, Content-Type without its parameters, and body."""

    status: int
    kind: str
    body: bytes


class Lines:
    """The connections to one address (`http://host:port/prefix`)."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._https = parts.scheme == "https"
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()
        self._lock = threading.Lock()

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """
        Return the answer to a request.

        Raises:
            LineError
        """
        kept = self._take()
        if kept is not None:
            try:
                return self._ask(kept, method, path, headers, body)
            except TooSlowError:
                raise
            except LineError:
                # A service that was started anew closed the connection unheard. What only reads is asked again.
                if method != "GET":
                    raise
        return self._ask(self._connect(), method, path, headers, body)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        try:
            connection.request(method, self._prefix + path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise (TooSlowError if isinstance(error, TimeoutError) else LineError)(repr(error)) from error
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._keep(connection)
        return Answer(response.status, (response.getheader("Content-Type") or "").partition(";")[0].strip(), content)

    def _take(self) -> http.client.HTTPConnection | None:
        """Return a connection that was left idle a moment ago and still stands, None where there is none."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                left_at, connection = self._idle.pop()
            if time.monotonic() - left_at < KEPT_SECONDS and _stands(connection):
                return connection
            connection.close()

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._idle.append((time.monotonic(), connection))
            surplus = self._idle.popleft()[1] if len(self._idle) > KEPT else None
        if surplus is not None:
            surplus.close()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(ANSWER_SECONDS)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise LineError(repr(error)) from error
        return connection


@functools.cache
def lines_to(base: str) -> Lines:
    """Return this process's connections to an address."""
    return Lines(base)


def _stands(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing has come on an idle connection: what comes there is its end."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
