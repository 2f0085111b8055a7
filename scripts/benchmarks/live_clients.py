"""
The clients of `scripts/bench live`, in a process of their own: many sockets in rooms, one of each room writing, all checking.

    python -m baton.scripts.benchmarks.live_clients '{"port": 8005, "path": "/ws/comments/{ticket}/", ...}'

Prints one line of JSON: latencies from sending to each arrival, in milliseconds, and what was missing, doubled or out of order.
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import base64
import json
import os
import socket
import struct
import sys
import time
from typing import Any

import gevent

#: Arrivals of the first seconds are not counted in the latencies: connections and caches are warming up.
WARM_UP_SECONDS = 2.0
#: How long the last comments may take to arrive.
PATIENCE_SECONDS = 20.0
#: Sockets opened at the same time.
OPENING = 50


class Client:
    """One socket in one room."""

    def __init__(self, work: dict[str, Any], ticket: str, token: str) -> None:
        self.ticket = ticket
        self.numbers: list[int] = []
        self.latencies: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self._line = socket.create_connection(("127.0.0.1", work["port"]))
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {work['path'].format(ticket=ticket)} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        self._line.sendall(head.encode())
        self._read = self._line.makefile("rb", buffering=65_536)
        status = self._read.readline()
        if b" 101 " not in status:
            raise RuntimeError(f"not upgraded: {status!r}")
        while self._read.readline() not in (b"\r\n", b""):
            pass

    def write(self, number: int) -> None:
        """Write a comment that tells when it left. Every frame of a client is masked; a mask of zeros changes nothing."""
        body = json.dumps(
            {"type": "new_comment", "content": f"{number} {time.monotonic()} {'x' * 400}", "client_id": f"c{number}"}
        )
        data = body.encode()
        self._line.sendall(struct.pack("!BBHI", 0x81, 0x80 | 126, len(data), 0) + data)

    def listen(self) -> None:
        """Note every comment that arrives, until the line closes."""
        while True:
            head = self._read.read(2)
            if len(head) < 2:
                return
            length = head[1] & 127
            if length > 125:
                wide = self._read.read(2 if length == 126 else 8)
                length = int.from_bytes(wide, "big")
            data = self._read.read(length)
            if head[0] & 15 == 1:
                self._note(json.loads(data), time.monotonic())

    def _note(self, message: dict[str, Any], now: float) -> None:
        if message["type"] == "comment_message":
            number, sent, _ = message["comment"]["body"].split(" ")
            self.numbers.append(int(number))
            self.latencies.append((float(sent), now - float(sent)))
        elif message["type"] == "error":
            self.errors.append(message["detail"])


def run(work: dict[str, Any]) -> dict[str, Any]:
    """Open the sockets, write for so many seconds, wait for what is due, and return the figures."""
    tickets, tokens = work["tickets"], work["tokens"]
    started = time.monotonic()
    clients: list[Client] = []
    for start in range(0, len(tokens), OPENING):
        jobs = [
            gevent.spawn(Client, work, tickets[place % len(tickets)], tokens[place])
            for place in range(start, min(start + OPENING, len(tokens)))
        ]
        gevent.joinall(jobs, raise_error=True)
        clients += [job.value for job in jobs]
    connected = time.monotonic() - started
    for client in clients:
        gevent.spawn(client.listen)
    count = int(work["seconds"] * work["rate"])
    begun = time.monotonic()
    writers = {client.ticket: client for client in reversed(clients)}
    jobs = [
        gevent.spawn(_write, client, count, 1 / work["rate"], begun + place / len(writers) / work["rate"])
        for place, client in enumerate(writers.values())
    ]
    gevent.joinall(jobs, raise_error=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and any(len(client.numbers) < count for client in clients):
        gevent.sleep(0.05)
    return _figures(clients, count, begun, connected)


def _write(client: Client, count: int, pause: float, begin: float) -> None:
    for number in range(1, count + 1):
        gevent.sleep(max(0.0, begin + (number - 1) * pause - time.monotonic()))
        client.write(number)


def _figures(clients: list[Client], count: int, begun: float, connected: float) -> dict[str, Any]:
    wanted = list(range(1, count + 1))
    counted = sorted(
        seconds for client in clients for sent, seconds in client.latencies if sent >= begun + min(WARM_UP_SECONDS, count / 4)
    )
    wrong = [client for client in clients if client.numbers != wanted]
    return {
        "sockets": len(clients),
        "connect_seconds": connected,
        "arrivals": sum(len(client.numbers) for client in clients),
        "expected": count * len(clients),
        "wrong": len(wrong),
        "errors": [error for client in clients for error in client.errors][:3],
        "p50_ms": 1000 * counted[len(counted) // 2] if counted else None,
        "p99_ms": 1000 * counted[int(len(counted) * 0.99)] if counted else None,
        "most_ms": 1000 * counted[-1] if counted else None,
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.stdin.read()))))
