"""Kept connections: used again, not after their end, and never twice for what writes."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from baton.http.web.lines import LineError, Lines

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A server that answers each connection's requests as `plan` says: how many before it hangs up, unasked or when asked."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[tuple[int, bytes]] = []
        self.plan: list[int] = []
        self.hangs_up_when_asked = False
        self.hung_up = threading.Event()
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._talk, args=(connection, number), daemon=True).start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        answers = self.plan[number] if number < len(self.plan) else 1000
        with connection:
            for _ in range(answers):
                request = _heard(connection)
                if not request:
                    return
                self.requests.append((number, request))
                connection.sendall(HEAD)
            if self.hangs_up_when_asked:
                self.requests.append((number, _heard(connection)))
        self.hung_up.set()


def _heard(connection: socket.socket) -> bytes:
    """Return a request, head and body, which may come in pieces; what came of it if the other side hangs up."""
    heard = b""
    while piece := connection.recv(65_536):
        heard += piece
        head, _, body = heard.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: ([0-9]+)", head)
        if b"\r\n\r\n" in heard and len(body) >= (int(length[1]) if length else 0):
            break
    return heard


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.listener.close()


def test_a_connection_is_used_again(server: Server) -> None:
    lines = Lines(server.base + "/front")
    for _ in range(3):
        answer = lines.request("GET", "/a?b=c", {"X-Trace-Id": "t"})
        assert (answer.status, answer.kind, answer.body) == (200, "application/json", b"{}")
    assert server.connections == 1
    assert all(request.startswith(b"GET /front/a?b=c HTTP/1.1\r\n") for _, request in server.requests)


def test_a_connection_that_ended_meanwhile_is_not_written_to(server: Server) -> None:
    server.plan = [1]
    lines = Lines(server.base)
    lines.request("GET", "/", {})
    assert server.hung_up.wait(60)
    lines.request("POST", "/", {}, b"{}")
    assert [number for number, _ in server.requests] == [0, 1]


def test_what_reads_is_asked_again_where_the_service_hung_up_and_what_writes_is_not(server: Server) -> None:
    server.plan, server.hangs_up_when_asked = [1, 1], True
    lines = Lines(server.base)
    lines.request("GET", "/", {})
    assert lines.request("GET", "/again", {}).status == 200
    assert [number for number, _ in server.requests] == [0, 0, 1]
    with pytest.raises(LineError):
        lines.request("POST", "/", {}, b"{}")
    assert [number for number, _ in server.requests] == [0, 0, 1, 1]


def test_nobody_there_is_told_apart_from_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LineError):
        Lines(f"http://127.0.0.1:{port}").request("GET", "/", {})
