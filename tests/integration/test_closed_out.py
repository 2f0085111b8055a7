"""S-3 through every process: who loses the role, or the account, hears nothing more of a ticket, and does not come back."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
import simple_websocket

from baton.scripts.stack import Stack
from tests.factories import ticket_body
from tests.http.live.conftest import events_of
from tests.http.live.talk import Talker
from tests.integration.test_notified import EMPLOYEE, eventually
from tests.integration.test_notified import request as send
from tests.integration.test_notified import stack as stack

pytestmark = pytest.mark.usefixtures("alone")
ROLE = "IT Manager"
#: Longest wait of this test for what is promised within half a minute (`test_s_3_half_a_minute_is_what_the_waits_add_up_to`):
#: a loaded machine is slower.
SECONDS = 120.0


class Person:
    """Somebody signed in at auth who follows a ticket over a WebSocket and a stream of events."""

    def __init__(self, stack: Stack, email: str, number: str) -> None:
        body = {"email": email, "password": "Password123"}
        answer = send("POST", f"{stack.url('auth')}/api/v1/sign-in", json=body).json()
        self.headers = {"Authorization": f"Bearer {answer['access_token']}"}
        self.id = jwt.decode(answer["access_token"], options={"verify_signature": False})["sub"].removeprefix("user:")
        self.base = f"{stack.url('messaging')}/api/v1/tickets/{number}"
        self.room = f"ws{stack.url('messaging').removeprefix('http')}/ws/comments/{number}/"
        self.events: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self.streams = threading.Event()

    def follow(self) -> None:
        """Open both."""
        self.talker = Talker(self.room, headers=self.headers)
        self.talker.next("joined", SECONDS)
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.streams.wait(SECONDS)

    def _listen(self) -> None:
        stream = httpx.stream("GET", f"{self.base}/stream", headers=self.headers, timeout=SECONDS)
        with contextlib.suppress(httpx.HTTPError), stream as answer:
            self.streams.set()
            self.events.extend(events_of(answer))
        self.ended.set()

    def told(self) -> list[str]:
        """Return the comments that came over the WebSocket."""
        return [frame["comment"]["content"] for frame in self.talker.frames if frame["type"] == "comment_message"]

    def refused(self) -> tuple[int, int]:
        """Return the statuses with which a new stream and a new WebSocket are answered; 200 and 101 let in."""
        with httpx.stream("GET", f"{self.base}/stream", headers=self.headers, timeout=SECONDS) as answer:
            stream = answer.status_code
        try:
            simple_websocket.Client(self.room, headers=self.headers).close()
        except simple_websocket.ConnectionError as error:
            return stream, int(error.status_code)
        return stream, 101

    def write(self, text: str) -> None:
        """Comment over HTTP."""
        answer = send("POST", f"{self.base}/comments", headers=self.headers, json={"body": text, "client_id": text})
        assert answer.status_code == 201, answer.text


@pytest.fixture
def number(stack: Stack) -> str:
    """A ticket at the step of the role, so that its holders see the conversation."""
    headers = {"Authorization": f"Bearer {stack.service_token('operator')}"}
    workflow, body = f"{stack.url('workflow')}/api/v1", ticket_body(employee=EMPLOYEE)
    filed = send("POST", f"{stack.url('helpdesk')}/api/v1/tickets", headers=headers, json=body)
    number: str = filed.json()["ticket_number"]

    def items() -> Any:
        return send("GET", f"{workflow}/items", headers=headers).json()["items"]

    (first,) = eventually(items, bool, SECONDS)
    assert send("POST", f"{workflow}/items/{first['id']}/complete", headers=headers, json={}).status_code == 200
    return number


@pytest.fixture
def people(stack: Stack, number: str) -> Iterator[tuple[Person, Person, Person]]:
    """Three holders of the role, each following the ticket."""
    names = ("kenji.tanaka", "aisha.rahman", "lucas.moreau")
    found = tuple(Person(stack, f"{name}@example.com", number) for name in names)
    for person in found:
        eventually(
            lambda person=person: send("GET", f"{person.base}/comments", headers=person.headers).status_code,
            lambda status: status == 200,
            SECONDS,
        )
        person.follow()
    yield found
    for person in found:
        person.talker.close()


def test_s_3_who_loses_the_role_or_the_account_is_closed_out_and_hears_nothing_more(
    stack: Stack, people: tuple[Person, Person, Person]
) -> None:
    demoted, dismissed, stays = people
    stays.write("before")
    for person in people:
        person.talker.next("comment_message", SECONDS)
    auth = f"{stack.url('auth')}/api/v1"
    admin = Person(stack, "Admintts@example.com", "none").headers
    grants = send("GET", f"{auth}/grants", headers=admin, params={"user_id": demoted.id}).json()["items"]
    (grant,) = [each["id"] for each in grants if (each["system"], each["role"]) == ("tts", ROLE)]
    assert send("DELETE", f"{auth}/grants/{grant}", headers=admin).status_code == 200
    assert send("DELETE", f"{auth}/users/{dismissed.id}", headers=admin).status_code == 200
    since = time.monotonic()
    assert demoted.talker.until_closed(SECONDS) == 4403
    assert dismissed.talker.until_closed(SECONDS) == 4401
    for person in (demoted, dismissed):
        assert person.ended.wait(SECONDS)
    print(f"closed out after {time.monotonic() - since:.1f} s")
    stays.write("after")
    assert stays.talker.next("comment_message", SECONDS)["comment"]["content"] == "after"
    for person in (demoted, dismissed):
        assert person.told() == ["before"]
        assert person.events[-1]["event"] == "end" and "after" not in str(person.events)
    # The tokens have not expired; they let nobody back in.
    assert (demoted.refused(), dismissed.refused()) == ((404, 404), (401, 401))
    assert stays.refused() == (200, 101)
