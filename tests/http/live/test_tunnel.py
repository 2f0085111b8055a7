"""The conversation through the workflow front's port."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.factories import EMPLOYEE, OTHER_EMPLOYEE, TECHNICIAN, bearer, token_for
from tests.http.live.talk import PROGRAM, QUICK, Talker, add_room
from tests.http.test_server import free_port

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def ports(started: Callable[..., Any], databases: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, Any]:
    """A workflow front and the messaging front it passes on to; the latter's process."""
    add_room("HD-1")
    workflow, messaging = free_port(), free_port()
    monkeypatch.setenv("BATON_MESSAGING_PORT", str(messaging))
    monkeypatch.setenv("BATON_WORKFLOW_PORT", str(workflow))
    process = started(PROGRAM, str(messaging), "messaging", json.dumps(QUICK))
    started(PROGRAM, str(workflow), "workflow", "{}")
    return workflow, messaging, process


def test_a_room_is_joined_through_the_workflow_port(ports: tuple[int, int, Any]) -> None:
    workflow, messaging, process = ports
    there = Talker(f"ws://127.0.0.1:{messaging}/ws/comments/HD-1/", EMPLOYEE)
    there.next("joined")
    here = Talker(f"ws://127.0.0.1:{workflow}/ws/comments/HD-1/?since=0", TECHNICIAN)
    here.next("joined")
    here.write("Through the other door", client_id="a")
    assert there.next("comment_message")["comment"]["body"] == "Through the other door"
    assert here.next("ack")["number"] == 1
    headers = {"Cookie": f"access_token={token_for(EMPLOYEE)}", "Origin": f"http://127.0.0.1:{workflow}"}
    cookie = Talker(f"ws://127.0.0.1:{workflow}/ws/comments/HD-1/?since=0", headers=headers)
    assert cookie.next("comment_message")["number"] == 1
    process.kill()
    assert here.until_closed() is not None
    answer = httpx.get(f"http://127.0.0.1:{workflow}/ws/comments/HD-1/", headers=bearer(TECHNICIAN) | HANDSHAKE)
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:baton:problem:bad-gateway")


def test_a_refusal_of_the_messaging_service_is_passed_on(ports: tuple[int, int, Any]) -> None:
    url = f"http://127.0.0.1:{ports[0]}/ws/comments"
    for headers, path, status in (
        ({}, "HD-1/", 401),
        (bearer(OTHER_EMPLOYEE), "HD-1/", 404),
        (bearer(EMPLOYEE), "HD-9/", 404),
        (bearer(EMPLOYEE), "%0d%0aX-Injected:%201/", 422),
        ({"Cookie": f"access_token={token_for(EMPLOYEE)}", "Origin": "https://evil.example"}, "HD-1/", 403),
    ):
        answer = httpx.get(f"{url}/{path}", headers=headers | HANDSHAKE)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), path
    assert httpx.get(f"{url}/HD-1/", headers=bearer(EMPLOYEE)).status_code == 426
