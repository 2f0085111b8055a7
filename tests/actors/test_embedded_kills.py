"""Worker processes of the embedded broker are killed with SIGKILL, again and again: each message is handled, in effect once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.actors.notes import Note, T, eventually, in_file, kept, rows, wire_of


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


class Process:
    """A worker process on the same files."""

    def __init__(self, directory):
        command = [sys.executable, "-m", "tests.actors.drain_notes", str(directory)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.communicate()


def test_two_thousand_messages_survive_repeated_sigkill(broker, tmp_path):
    broker.publish([wire_of(f"n{number}") for number in range(2_000)])
    for progress in (200, 600, 1_000, 1_400):
        victim = Process(tmp_path)
        eventually(lambda progress=progress: len(kept()) >= progress, seconds=90)
        victim.kill()
        assert in_file(broker) > 0
    last = Process(tmp_path)
    try:
        broker.join(Note.queue, timeout=60_000)
    finally:
        last.stop()
    assert len(kept()) == len(rows(T.Outbox)) == 2_000
    assert rows(T.DeliveryAttempt) == []
    assert broker.dead_letters(Note.queue) == []


def test_a_message_that_kills_its_worker_ends_in_the_dead_letters_alone(broker, tmp_path):
    broker.publish([wire_of(text) for text in ("a", "poison", "b")])
    process = None
    for _ in range(10):
        process = Process(tmp_path)
        eventually(lambda process=process: process.process.poll() is not None or in_file(broker) == 0, seconds=90)
        if process.process.poll() is None:
            break
    process.stop()
    assert kept() == ["a", "b"]
    (letter,) = broker.dead_letters(Note.queue)
    assert "killed its worker" in letter.reason
