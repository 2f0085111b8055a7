"""Several messaging processes, and one that is killed: whoever comes back with `since` misses nothing and gets nothing twice."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import simple_websocket

from baton.models.database import read_tx
from baton.models.messaging import Entry
from tests.factories import EMPLOYEE, TECHNICIAN, bearer
from tests.http.live.conftest import eventually, streamed
from tests.http.live.talk import PROGRAM, QUICK, Talker, add_room
from tests.http.test_server import free_port

#: The slow poll would hide a signal that never came.
NO_POLL = {**QUICK, "models.live_poll.POLL_SECONDS": 3600.0}


class Persistent:
    """A client that comes back with the last number it saw, and sends again whatever was not acknowledged."""

    def __init__(self, url: str, principal: Any, name: str) -> None:
        self.url, self.principal, self.name = url, principal, name
        self.seen: list[int] = []
        self.wanted: list[str] = []
        self.acknowledged: set[str] = set()
        self.came_back = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.done.is_set():
            try:
                since = self.seen[-1] if self.seen else 0
                line = simple_websocket.Client(f"{self.url}/ws/comments/HD-1/?since={since}", headers=bearer(self.principal))
            except (OSError, simple_websocket.ConnectionError):
                time.sleep(0.05)
                continue
            self.came_back += 1
            self._talk(line)

    def _talk(self, line: Any) -> None:
        try:
            sent = 0
            for name in self.wanted[:]:
                if name not in self.acknowledged:
                    line.send(json.dumps({"type": "new_comment", "content": name, "client_id": name}))
            sent = len(self.wanted)
            while not self.done.is_set():
                for name in self.wanted[sent:]:
                    line.send(json.dumps({"type": "new_comment", "content": name, "client_id": name}))
                    sent += 1
                text = line.receive(timeout=0.02)
                if text:
                    self._note(json.loads(text))
            line.close()
        except (OSError, simple_websocket.ConnectionClosed):
            pass

    def _note(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ack":
            self.acknowledged.add(frame["client_id"])
        elif frame["type"] == "comment_message":
            self.seen.append(frame["number"])


def test_a_killed_process_costs_nobody_a_comment(started: Callable[..., Any], databases: Any) -> None:
    add_room("HD-1")
    port = free_port()
    process = started(PROGRAM, str(port), "messaging", json.dumps(QUICK))
    writer = Persistent(f"ws://127.0.0.1:{port}", TECHNICIAN, "writer")
    readers = [Persistent(f"ws://127.0.0.1:{port}", EMPLOYEE, f"reader-{number}") for number in range(5)]
    for number in range(60):
        writer.wanted.append(f"comment {number}")
        time.sleep(0.02)
        if number in (20, 40):
            eventually(lambda: writer.acknowledged)
            process.kill()
            process.wait()
            process = started(PROGRAM, str(port), "messaging", json.dumps(QUICK))
        if number % 25 == 24:
            eventually(lambda: writer.acknowledged >= set(writer.wanted))
    eventually(lambda: writer.acknowledged >= set(writer.wanted), 90)
    for client in (writer, *readers):
        eventually(lambda client=client: len(client.seen) >= 60)  # type: ignore[misc]
        client.done.set()
        client.thread.join(5)
        assert client.seen == list(range(1, 61)), client.name
    assert min(client.came_back for client in readers) >= 3
    with read_tx("messaging"):
        bodies = [entry.body for entry in Entry.select().order_by(Entry.number)]
    assert sorted(bodies) == sorted(writer.wanted)


@pytest.mark.distributed
@pytest.mark.parametrize("backend", ["postgresql"])
def test_two_processes_share_a_room(
    backend: str, started: Callable[..., Any], rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch, databases: Any
) -> None:
    monkeypatch.setenv("BATON_BROKER_URL", rabbitmq_url)
    add_room("HD-1")
    ports = [free_port(), free_port()]
    for port in ports:
        started(PROGRAM, str(port), "messaging", json.dumps(NO_POLL))
    here, there = (
        Talker(f"ws://127.0.0.1:{port}/ws/comments/HD-1/", principal)
        for port, principal in zip(ports, (TECHNICIAN, EMPLOYEE), strict=True)
    )
    eventually(lambda: there.next("presence")["staff"])
    with streamed(f"http://127.0.0.1:{ports[1]}/api/v1/tickets/HD-1/stream?since=0", bearer(EMPLOYEE)) as (_, events):
        for number in range(1, 21):
            (here if number % 2 else there).write(f"Comment {number}")
            assert (here if number % 2 else there).next("ack")["number"] == number
        for talker in (here, there):
            eventually(lambda talker=talker: numbers(talker) == list(range(1, 21)))  # type: ignore[misc]
        told = [event["id"] for event in itertools.islice((event for event in events if "data" in event), 20)]
    assert told == [str(number) for number in range(1, 21)]
    here.say(type="typing")
    assert there.next("typing")["side"] == "staff"
    here.close()
    eventually(lambda: there.next("presence")["staff"] is False)
    there.close()


def numbers(talker: Talker) -> list[int]:
    return [frame["number"] for frame in talker.frames if frame["type"] == "comment_message"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_lost_signal_is_made_up_for_by_the_slow_poll(started: Callable[..., Any], databases: Any) -> None:
    add_room("HD-1")
    ports = [free_port(), free_port()]
    for port in ports:
        # Two processes without a broker: nothing tells one of the other's comments.
        started(PROGRAM, str(port), "messaging", json.dumps({**QUICK, "models.live_poll.POLL_SECONDS": 0.3}))
    here, there = (Talker(f"ws://127.0.0.1:{port}/ws/comments/HD-1/", TECHNICIAN) for port in ports)
    there.next("joined")
    here.write("Nobody tells you")
    assert there.next("comment_message")["number"] == 1
    here.close()
    there.close()
