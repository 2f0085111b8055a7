"""Rooms, and clients that talk in them: a messaging front in a process of its own, and what arrives at its WebSockets."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import simple_websocket

from baton.models.messaging import Room
from baton.models.transaction import write_tx
from baton.pipelines.permissions import Principal
from tests.factories import EMPLOYEE, TECHNICIAN, bearer

#: Serves a front (messaging unless it is named) at a port until it is killed; `seconds` makes checks come sooner.
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import sys, threading, signal, importlib, json
port, service, quick = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
for name, value in quick.items():
    module, _, attribute = name.rpartition(".")
    setattr(importlib.import_module("baton." + module), attribute, value)
from baton.actors import live_exchange
from baton.http import server
from baton.http.tokens import key_source
from baton.models import database, settings
chosen = settings.get_settings()
database.configure(chosen)
live_exchange.connect(chosen)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
app = importlib.import_module("baton.http." + service).create_app(chosen, key_source(chosen))
threading.Timer(0.2, lambda: print("ready", flush=True)).start()
server.serve(app, "127.0.0.1", port, stop)
"""
#: What makes checks come soon enough for a test.
QUICK = {"http.lasting.CHECK_SECONDS": 0.4, "http.messaging.live_rooms.CHECK_SECONDS": 0.4}


def add_room(number: str, **changes: Any) -> None:
    """Store a ticket's room: EMPLOYEE is the requester, TECHNICIAN works on it."""
    with write_tx("messaging") as tx:
        values = {
            "ticket_number": number,
            "version": 1,
            "status": "Open",
            "subject": "A printer",
            "requester_employee_id": EMPLOYEE.id,
            "requester_name": EMPLOYEE.name,
            "participants": json.dumps([TECHNICIAN.id]),
            "updated_at": tx.now,
        }
        Room.create(**{**values, **changes})


class Talker:
    """A client in a room. `frames` collects what arrives; `closed` is the code with which the server closed."""

    def __init__(
        self, url: str, principal: Principal | None = None, headers: Mapping[str, str] | None = None, **claims: Any
    ) -> None:
        sent = dict(headers) if headers is not None else bearer(principal or TECHNICIAN, **claims)
        self.line = simple_websocket.Client(url, headers=sent)
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None
        self._arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while True:
                frame = json.loads(self.line.receive())
                self.frames.append(frame)
                self._arrived.put(frame)
        except simple_websocket.ConnectionClosed as error:
            self.closed = int(error.reason)
        self._arrived.put(None)

    def say(self, **message: Any) -> None:
        """Send a message."""
        self.line.send(json.dumps(message))

    def write(self, content: str, **more: Any) -> None:
        """Send a comment."""
        self.say(type="new_comment", content=content, **more)

    def next(self, kind: str, seconds: float = 90.0) -> dict[str, Any]:
        """Return the next frame of a type; others before it are passed over. Fails when the line closes or time is up."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                frame = self._arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind} came; {self.frames[-5:]}") from None
            assert frame is not None, f"closed with {self.closed} instead of {kind}; {self.frames[-5:]}"
            if frame["type"] == kind:
                return frame

    def until_closed(self, seconds: float = 90.0) -> int | None:
        """Return the code with which the server closes."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), f"still open; {self.frames[-5:]}"
        return self.closed

    def close(self) -> None:
        """Leave."""
        if self.line.connected:
            self.line.close()


Join = Callable[..., Talker]
