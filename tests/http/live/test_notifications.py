"""The stream of one's own notifications: what is new, what came meanwhile, and how many are unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from baton.models import database
from baton.pipelines.permissions import Principal
from tests.factories import bearer
from tests.http.live.conftest import streamed
from tests.http.test_server import free_port
from tests.told import handle, told

STAFF = Principal("user", "7", "Sam Staff", "sam@example.com", frozenset({"tts:IT Manager"}))
EVE = Principal("employee", "3", "Eve", "eve@example.com", frozenset({"hdts:Employee"}))
#: The front in a process of its own, which is not told of what this one writes and finds it by its poll.
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import signal, sys, threading
from baton.http import notifications, server
from baton.http.notifications import inbox
from baton.http.tokens import key_source
from baton.models import database, settings
inbox.POLL._seconds = 0.05
chosen = settings.get_settings()
database.configure(chosen)
app = notifications.create_app(chosen, key_source(chosen))
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
threading.Timer(0.3, lambda: print("ready", flush=True)).start()
server.serve(app, "127.0.0.1", int(sys.argv[1]), stop)
"""


@pytest.fixture
def url(started: Callable[..., Any], databases: Any, stub_broker: Any) -> Iterator[str]:
    port = free_port()
    started(PROGRAM, str(port))
    with database.connection("notifications"):
        yield f"http://127.0.0.1:{port}/api/v1/notifications"


def following(events: Any, name: str, count: int = 1) -> list[Any]:
    """Return the next `count` events of this name."""
    found = (event for event in events if event.get("event") == name)
    return [next(found) for _ in range(count)]


def test_what_is_new_comes_in_order_and_what_came_meanwhile_comes_first(url: str) -> None:
    handle(told("task_assignment"))
    with streamed(f"{url}/stream", bearer(STAFF)) as (_, events):
        assert following(events, "unread")[0]["data"] == {"unread": 1}
        handle(told("mention"), told("mention", 8), told("resolution", "employee:7"))
        (first,) = following(events, "notification")
        assert (first["data"]["type"], first["data"]["why"]) == ("mention", "you were mentioned")
        assert following(events, "unread")[0]["data"] == {"unread": 2}
    handle(*(told("task_transfer_in", item=n) for n in range(250)))
    with streamed(f"{url}/stream", bearer(STAFF) | {"Last-Event-ID": first["id"]}) as (_, events):
        numbers = [int(event["id"]) for event in following(events, "notification", 250)]
        assert numbers == list(range(int(first["id"]) + 1, int(first["id"]) + 251))


def test_marking_read_in_one_window_shows_in_another(url: str) -> None:
    handle(told("task_assignment"), told("mention"))
    with streamed(f"{url}/stream", bearer(STAFF)) as (_, events):
        assert following(events, "unread")[0]["data"] == {"unread": 2}
        assert httpx.post(f"{url}/read-all", headers=bearer(STAFF), json={}).json() == {"changed": 2, "unread": 0}
        assert following(events, "unread")[0]["data"] == {"unread": 0}


def test_n7_a_requester_gets_their_own_and_nobody_elses(url: str) -> None:
    with streamed(f"{url}/stream", bearer(EVE)) as (_, events):
        following(events, "unread")
        handle(told("comment_added", 3), told("status_changed", "employee:4"), told("comment_added", "employee:3"))
        handle(told("reply", "employee:3"))
        assert following(events, "notification")[0]["data"]["type"] == "reply"
