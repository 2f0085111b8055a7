"""The WSGI server, in a process of its own that is patched as the real ones are."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import sys, threading, time
from baton.http import server
server.IDLE_SECONDS, server.HEADER_SECONDS, server.BODY_SECONDS = 4.0, 3.0, 6.0
from baton.http.api import Body, Operation, create_service_app
from baton.http.tokens import SharedSecret
from baton.models import database, settings
class Wait(Body):
    seconds: float
def wait(call, body):
    time.sleep(body.seconds)
    return {"waited": body.seconds}
chosen = settings.get_settings()
database.configure(chosen)
operations = (Operation("POST", "/wait", wait, "session.sign_in", body=Wait, transaction="none"),)
app = create_service_app("helpdesk", operations, chosen, SharedSecret("x" * 32))
stop = threading.Event()
import signal; signal.signal(signal.SIGTERM, lambda *_: stop.set())
threads = [threading.Thread(target=server.serve, args=(app, "127.0.0.1", int(port), stop)) for port in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("ended well")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(count: int = 1) -> Iterator[tuple[list[int], subprocess.Popen[str]]]:
    ports = [free_port() for _ in range(count)]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, ports)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for port in ports:
            deadline = time.monotonic() + 90
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                assert time.monotonic() < deadline and process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
        yield ports, process
    finally:
        process.kill()
        process.communicate()


def post(port: int, body: bytes, length: int | None = None) -> bytes:
    head = f"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


def until_closed(connection: socket.socket, seconds: float = 90.0) -> bytes:
    """Return all that arrives until the server closes the connection; fails when it does not in time."""
    connection.settimeout(seconds)
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as (ports, _):
        yield ports[0]


def test_kept_connections_answer_at_once(port: int) -> None:
    with httpx.Client() as client:
        client.post(f"http://127.0.0.1:{port}/wait", json={"seconds": 0.0})
        seconds = []
        for _ in range(25):
            started = time.monotonic()
            assert client.post(f"http://127.0.0.1:{port}/wait", json={"seconds": 0.0}).status_code == 200
            seconds.append(time.monotonic() - started)
    # With Nagle's algorithm on, each would wait 40 ms for a delayed ACK. The quickest tells, however busy the machine is.
    assert min(seconds) < 0.035


def test_a_form_with_files_is_no_malformed_header(port: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/wait", files={"file": ("a.txt", b"text")})
    # The operation takes JSON; that it says so means that the request was read.
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:baton:problem:unsupported-media-type")


def test_requests_run_beside_each_other(port: int) -> None:
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    started = time.monotonic()
    for connection in connections:
        connection.sendall(post(port, b'{"seconds": 2.0}'))
    for connection in connections:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        connection.close()
    assert time.monotonic() - started < 18


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_get_their_answer(port: int, chunked: bool) -> None:
    body = b'"' + b"a" * 10_000_000 + b'"'
    content = (body[n : n + 100_000] for n in range(0, len(body), 100_000)) if chunked else body
    answer = httpx.post(f"http://127.0.0.1:{port}/wait", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /wait HTTP/1.1\r\nHost: x\r\nnonsense\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
def test_nonsense_is_a_400_and_closed(port: int, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_)
        answer = until_closed(connection)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.0 414", b"HTTP/1.1 431")), answer[:100]


class TestASlowClient:
    def test_that_never_asks_is_dropped(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert until_closed(connection) == b""

    def test_that_drips_headers_is_dropped(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\n")
            started = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - started < 60:
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.2)
            assert time.monotonic() - started < 50

    def test_that_drips_its_body_gets_a_408(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(post(port, b'{"seconds"', 100))
            assert until_closed(connection).startswith(b"HTTP/1.1 408")


def test_a_stop_finishes_requests_and_closes_idle_connections() -> None:
    with serving(2) as (ports, process):
        busy, idle = (socket.create_connection(("127.0.0.1", port)) for port in ports)
        busy.sendall(post(ports[0], b'{"seconds": 1.0}'))
        time.sleep(0.3)
        started = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        assert until_closed(idle) == b""
        answer = until_closed(busy)
        assert answer.startswith(b"HTTP/1.1 200")
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"waited": 1.0}
        assert process.wait(timeout=90) == 0
        assert time.monotonic() - started < 80


def test_a_taken_port_is_told_in_one_line_with_its_holder() -> None:
    from baton.http.server import PortTakenError, listen

    with serving() as (ports, process), pytest.raises(PortTakenError) as caught:
        listen("127.0.0.1", ports[0])
    message = str(caught.value)
    assert "\n" not in message
    assert str(ports[0]) in message
    assert f"process {process.pid}" in message
