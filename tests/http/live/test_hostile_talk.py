"""Clients that break rules: each is answered or dropped, and nobody else in the room notices."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.factories import EMPLOYEE, TECHNICIAN, bearer
from tests.http.live.conftest import eventually
from tests.http.live.talk import Join, Talker

MESSAGES: list[Any] = [
    "", "null", "[]", '"x"', "{", "\x00", "NaN", '{"type": "new_comment"}', '{"type": "dance"}', '{"type": ["new_comment"]}',
    '{"type": "new_comment", "content": ""}', '{"type": "new_comment", "content": "  \\n"}',
    '{"type": "new_comment", "content": 7}', '{"type": "new_comment", "content": "a\\u0000b"}',
    '{"type": "new_comment", "content": "\\ud800"}', '{"type": "new_comment", "content": "x", "client_id": "\\udfff"}',
    '{"type": "new_comment", "content": "x", "content": "y"}', "[" * 5_000, '{"a":' * 100 + "1" + "}" * 100,
    json.dumps({"type": "new_comment", "content": "x" * 50_001}),
    '{"type": "new_comment", "content": "x", "reply_to": 99}', '{"type": "new_comment", "content": "x", "mentions": ["user:99"]}',
    '{"type": "new_comment", "content": "x", "attachments": ["nothing"]}',
    '{"type": "new_comment", "content": "x", "client_id": ""}',
]  # fmt: skip


@pytest.mark.parametrize("part", [MESSAGES[:12], MESSAGES[12:]])
def test_a_message_that_cannot_be_obeyed_is_answered_and_changes_nothing(join: Join, part: list[str]) -> None:
    talker, other = join(), join(EMPLOYEE)
    for message in part:
        talker.line.send(message)
        error = talker.next("error")
        assert error["detail"] and error["code"] in ("bad-request", "invalid-fields"), (message[:60], error)
    talker.write("Good", client_id="g")
    assert talker.next("ack")["number"] == 1
    assert other.next("comment_message")["number"] == 1


def test_a_message_that_is_too_long_closes_its_sender_only(join: Join) -> None:
    talker, other = join(), join(EMPLOYEE)
    talker.line.send("x" * 1_000_000)
    assert talker.until_closed() == 1009
    other.write("Still here")
    assert other.next("ack")["number"] == 1


def test_bytes_and_broken_text_close_their_sender(join: Join) -> None:
    talker = join()
    talker.line.send(b"\x00\x01")
    assert talker.until_closed() == 1003
    broken = join()
    broken.line.sock.sendall(b"\x81\x82\x00\x00\x00\x00\xff\xfe")
    assert broken.until_closed() == 1007
    unmasked = join()
    unmasked.line.sock.sendall(b"\x81\x02hi")
    assert unmasked.until_closed() == 1002


def test_the_metrics_tell_broken_frames_from_long_messages(front: str, join: Join) -> None:
    broken, long = join(), join()
    broken.line.sock.sendall(b"\x81\x02hi")
    assert broken.until_closed() == 1002
    long.line.send("x" * 200_001)
    assert long.until_closed() == 1009

    def ended() -> dict[str, str]:
        lines = httpx.get(f"http{front.removeprefix('ws')}/metrics", timeout=60).text.splitlines()
        counts = (line.rpartition(" ") for line in lines if line.startswith("baton_live_ended_total"))
        return {name.partition('reason="')[2].partition('"')[0]: count for name, _, count in counts}

    eventually(lambda: ended() == {"broken": "1.0", "too-long": "1.0"})


def test_whoever_sends_too_fast_is_told_so_and_then_dropped(join: Join) -> None:
    talker, other = join(), join(EMPLOYEE)
    for _ in range(40):
        talker.say(type="ping")
    assert talker.next("error")["code"] == "too-many-requests"
    for _ in range(60):
        talker.say(type="ping")
    assert talker.until_closed() == 1008
    other.say(type="ping")
    assert other.next("pong")


def test_a_slow_reader_is_dropped_and_slows_nobody(front: str, join: Join) -> None:
    address = front.removeprefix("ws://").split(":")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    lazy.connect((address[0], int(address[1])))
    head = "GET /ws/comments/HD-1/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    lazy.sendall(f"{head}{key}Authorization: {bearer(TECHNICIAN)['Authorization']}\r\n\r\n".encode())
    writers, reader = [join(TECHNICIAN) for _ in range(4)], join(EMPLOYEE)
    slowest = 0.0
    for number in range(100):
        begun = time.monotonic()
        writers[number % 4].write("x" * 19_000)
        assert reader.next("comment_message")["number"] == number + 1
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 30.0
    lazy.settimeout(90)
    received = 0
    while piece := lazy.recv(1_000_000):
        received += len(piece)
    assert received < 100 * 38_000


def test_a_client_that_vanishes_leaves_the_room(join: Join) -> None:
    staff, requester = join(TECHNICIAN), join(EMPLOYEE)
    while not staff.next("presence")["people"][1:]:
        pass
    requester.line.sock.shutdown(socket.SHUT_RDWR)
    assert [person["side"] for person in staff.next("presence")["people"]] == ["staff"]
    assert isinstance(requester, Talker)
