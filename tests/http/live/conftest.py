"""Fronts in processes of their own, patched as the real ones are, and clients that read what lasts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import TECHNICIAN
from tests.http.live.talk import PROGRAM, QUICK, Join, Talker, add_room
from tests.http.test_server import free_port

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start a program in a process of its own and wait until it says `ready`; killed at the end."""
    processes: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        log = (tmp_path / f"process-{len(processes)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready"):
                return process
        raise AssertionError((tmp_path / f"process-{len(processes) - 1}.log").read_text()[-3000:])

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def front(started: Callable[..., Any], databases: Any) -> str:
    """The address of a messaging front's WebSockets, with the room HD-1."""
    add_room("HD-1")
    port = free_port()
    started(PROGRAM, str(port), "messaging", json.dumps(QUICK))
    return f"ws://127.0.0.1:{port}"


@pytest.fixture
def join(front: str) -> Iterator[Join]:
    """Have somebody (TECHNICIAN) join a room (HD-1); everybody leaves in the end."""
    talkers = []

    def enter(principal: Any = TECHNICIAN, query: str = "", ticket: str = "HD-1", **options: Any) -> Talker:
        talkers.append(Talker(f"{front}/ws/comments/{ticket}/{query}", principal, **options))
        talkers[-1].next("joined")
        return talkers[-1]

    yield enter
    for talker in talkers:
        talker.close()


@contextmanager
def streamed(url: str, headers: dict[str, str], **options: Any) -> Iterator[tuple[httpx.Response, Iterator[dict[str, Any]]]]:
    """Open a stream of events; give the answer and its events: `id`, `event`, `data`, and `comment` for a sign of life."""
    with httpx.Client(timeout=httpx.Timeout(90)) as client, client.stream("GET", url, headers=headers, **options) as answer:
        yield answer, events_of(answer)


def events_of(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield a stream's events as they come."""
    event: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            if event:
                yield event
            event = {}
            continue
        name, _, value = line.partition(": ")
        if name != "retry":
            event[name or "comment"] = json.loads(value) if name == "data" else value


def eventually(look: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Return what `look` returns once it is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"still {found!r}"
        time.sleep(0.02)
