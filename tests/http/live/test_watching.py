"""Being on a ticket's page: who is told of whom, until the page is left or its connection breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.factories import ADMIN, EMPLOYEE, TECHNICIAN, bearer
from tests.http.live.conftest import streamed


@pytest.fixture
def url(front: str) -> str:
    """The ticket HD-1 at the messaging front."""
    return front.replace("ws://", "http://") + "/api/v1/tickets/HD-1"


def watch(url: str, who: Any, key: str) -> Any:
    return streamed(f"{url}/stream?watch={key}", bearer(who))


def until(events: Iterator[dict[str, Any]], people: set[str]) -> dict[str, Any]:
    """Read on until the others on the page are these; return what was told."""
    for event in events:
        if event.get("event") == "presence" and {each["id"] for each in event["data"].get("people", ())} == people:
            return event
    raise AssertionError("the stream ended")


def test_two_pages_hear_of_each_other_by_name_and_of_who_leaves(url: str) -> None:
    with watch(url, ADMIN, "a") as (_, events), watch(url, TECHNICIAN, "b") as (_, others):
        told = until(events, {TECHNICIAN.subject})
        assert told["data"]["people"] == [{"id": TECHNICIAN.subject, "name": TECHNICIAN.name, "side": "staff"}]
        assert "id" not in told
        until(others, {ADMIN.subject})
        # The page says that it is left, and counts no more although its stream is still open.
        left = httpx.post(f"{url}/leave", headers=bearer(TECHNICIAN), json={"watch": "b"}, timeout=60)
        assert left.status_code == 204
        until(events, set())


def test_nobody_leaves_for_another(url: str) -> None:
    with watch(url, ADMIN, "a") as (_, events), watch(url, TECHNICIAN, "b") as (_, others):
        until(others, {ADMIN.subject})
        httpx.post(f"{url}/leave", headers=bearer(TECHNICIAN), json={"watch": "a"}, timeout=60)
        httpx.post(f"{url}/leave", headers=bearer(TECHNICIAN), json={"watch": "b"}, timeout=60)
        until(events, set())
        httpx.post(f"{url}/typing", headers=bearer(ADMIN), json={"active": True}, timeout=60)
    with watch(url, ADMIN, "a") as (_, events), watch(url, TECHNICIAN, "c") as (_, others):
        until(others, {ADMIN.subject})


def test_a_connection_that_breaks_is_noticed_by_its_signs_of_life(url: str) -> None:
    with watch(url, ADMIN, "a") as (_, events):
        with (
            closing(httpx.Client(timeout=60)) as client,
            client.stream("GET", f"{url}/stream?watch=b", headers=bearer(TECHNICIAN)) as answer,
        ):
            assert answer.status_code == 200
            until(events, {TECHNICIAN.subject})
        until(events, set())


def test_who_types_is_told_to_the_others_and_notes_to_nobody_but_staff(url: str) -> None:
    with watch(url, ADMIN, "a") as (_, events), watch(url, EMPLOYEE, "r") as (_, requester):
        until(events, {EMPLOYEE.subject})
        for visibility in ("internal", "public"):
            body = {"active": True, "visibility": visibility}
            assert httpx.post(f"{url}/typing", headers=bearer(TECHNICIAN), json=body, timeout=60).status_code == 204
        told = [next(each for each in events if each.get("event") == "typing")["data"] for _ in range(2)]
        assert [(each["name"], each["internal"]) for each in told] == [(TECHNICIAN.name, True), (TECHNICIAN.name, False)]
        # The requester learns what the WebSocket tells requesters, and of the internal note nothing.
        heard = next(each for each in requester if each.get("event") == "typing")["data"]
        assert heard == {"type": "typing", "side": "staff", "active": True}


def test_a_stream_without_a_name_is_told_of_nobody_and_counts_for_nobody(url: str) -> None:
    with streamed(f"{url}/stream", bearer(ADMIN)) as (_, events), watch(url, TECHNICIAN, "b") as (_, others):
        assert next(each for each in others if each.get("event") == "presence")["data"]["people"] == []
        httpx.post(f"{url}/typing", headers=bearer(TECHNICIAN), json={}, timeout=60)
        assert "event" not in next(events)


def test_who_does_not_see_the_ticket_tells_nothing(url: str) -> None:
    for path, body in (("typing", {}), ("leave", {"watch": "a"})):
        stranger = EMPLOYEE.__class__("employee", "999", "Sam Stranger", "sam@example.com")
        assert httpx.post(f"{url}/{path}", headers=bearer(stranger), json=body, timeout=60).status_code == 404
