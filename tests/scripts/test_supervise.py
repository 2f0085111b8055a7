"""A supervised process that dies comes back; a supervisor told to stop takes its process with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

#: A process that notes each of its starts, then waits to be killed.
CHILD = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    starts = tmp_path / "starts"
    starts.touch()
    command = [sys.executable, "-m", "baton.scripts.cli", "supervise", "--", sys.executable, "-c", CHILD, str(starts)]
    process = subprocess.Popen(command)
    yield process, starts
    process.kill()
    process.wait()


def test_a_killed_process_is_started_again_and_stops_with_its_supervisor(
    supervised: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, starts = supervised
    first = _until(lambda: _pids(starts))[0]
    os.kill(first, signal.SIGKILL)
    second = _until(lambda: _pids(starts)[1:])[0]
    assert second != first
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=90) == 0
    _until(lambda: not _alive(second))


def test_a_killed_supervisor_leaves_no_process_behind(supervised: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, starts = supervised
    child = _until(lambda: _pids(starts))[0]
    process.kill()
    process.wait()
    _until(lambda: not _alive(child))


def _pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def _until(probe: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 90
    while not (value := probe()):
        assert time.monotonic() < deadline, "nothing happened within 90 s"
        time.sleep(0.02)
    return value
