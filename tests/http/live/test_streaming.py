"""Streams of events: what reaches the client, when they end, and that nothing is held while they wait."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.factories import ADMIN, EMPLOYEE, bearer
from tests.http.live.conftest import eventually, streamed
from tests.http.test_server import free_port

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import sys, threading, signal, itertools
from baton.http import server, lasting, streaming
lasting.CHECK_SECONDS, streaming.HEARTBEAT_SECONDS, lasting.PER_CALLER = 0.4, 0.3, 2
from baton.http.api import Body, Forbidden, Operation, create_service_app
from baton.http.streaming import Event, EventStream, last_event_id
from baton.http.tokens import key_source
from baton.models import database, settings
from baton.models.live import hub, Signal
from baton.models.database import DatabaseUnavailableError
class Note(Body):
    text: str
notes, closed, away = [], [], [0]
def follow(call):
    if call.principal.id == "102":
        raise Forbidden("not you")
    last = last_event_id(call)
    def read(news):
        nonlocal last
        if away[0]:
            away[0] -= 1
            raise DatabaseUnavailableError("away")
        for number, text in enumerate(notes[last:], last + 1):
            last = number
            yield Event({"text": text}, id=number, name="note\\ninjected: 1")
    return EventStream(("notes",), read, still=lambda: not closed)
def write(call, body):
    if body.text == "close":
        closed.append(1)
    elif body.text == "away":
        away[0] = 1
    else:
        notes.append(body.text)
    if body.text != "silent":
        hub.signal([Signal("notes")])
chosen = settings.get_settings()
database.configure(chosen)
operations = (
    Operation("GET", "/notes/stream", follow, "tickets.read", live="events"),
    Operation("POST", "/notes", write, "session.sign_in", body=Note, transaction="none"),
)
app = create_service_app("helpdesk", operations, chosen, key_source(chosen))
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
threading.Timer(0.3, lambda: print("ready", flush=True)).start()
server.serve(app, "127.0.0.1", int(sys.argv[1]), stop)
"""


@pytest.fixture
def url(started: Callable[..., Any], databases: Any) -> str:
    port = free_port()
    started(PROGRAM, str(port))
    return f"http://127.0.0.1:{port}"


def write(url: str, text: str) -> None:
    assert httpx.post(f"{url}/notes", json={"text": text}).status_code == 200


def next_note(events: Any) -> dict[str, Any]:
    return next(event for event in events if "data" in event)


def opens(stream: str) -> bool:
    with streamed(stream, bearer(EMPLOYEE)) as (answer, _):
        return answer.status_code == 200


def test_events_come_as_they_happen_and_after_the_last_one_seen(url: str) -> None:
    write(url, "one")
    with streamed(f"{url}/notes/stream", bearer(EMPLOYEE)) as (answer, events):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert next_note(events) == {"id": "1", "event": "note injected: 1", "data": {"text": "one"}}
        write(url, "two")
        assert next_note(events)["data"] == {"text": "two"}
        assert "comment" in next(events)
    with streamed(f"{url}/notes/stream", bearer(EMPLOYEE) | {"Last-Event-ID": "1"}) as (_, events):
        assert next_note(events)["id"] == "2"


def test_a_refusal_is_a_problem_before_the_stream(url: str) -> None:
    stream = f"{url}/notes/stream"
    assert httpx.get(stream).status_code == 401
    assert httpx.get(stream, headers=bearer(EMPLOYEE) | {"Last-Event-ID": "x"}).status_code == 400
    other = httpx.get(stream, headers=bearer(EMPLOYEE, sub="employee:102"))
    assert (other.status_code, other.headers["Content-Type"]) == (403, "application/problem+json")
    assert httpx.head(stream, headers=bearer(EMPLOYEE)).status_code == 200


def test_a_stream_ends_when_its_caller_is_let_in_no_longer(url: str) -> None:
    with streamed(f"{url}/notes/stream", bearer(EMPLOYEE)) as (_, events):
        write(url, "close")
        assert list(events)[-1] == {"event": "end", "data": {"reason": "not found"}}


def test_a_stream_ends_when_its_token_expires(url: str) -> None:
    # Clocks may differ by five seconds, so that the token counts for one more.
    with streamed(f"{url}/notes/stream", bearer(EMPLOYEE, seconds=-4)) as (_, events):
        assert list(events)[-1] == {"event": "end", "data": {"reason": "token expired"}}


def test_a_caller_holds_so_many_streams_and_another_still_gets_one(url: str) -> None:
    stream = f"{url}/notes/stream"
    write(url, "one")
    with streamed(stream, bearer(EMPLOYEE)) as (_, one), streamed(stream, bearer(EMPLOYEE)) as (_, two):
        assert next_note(one) and next_note(two)
        assert httpx.get(stream, headers=bearer(EMPLOYEE)).status_code == 429
        with streamed(stream, bearer(ADMIN)) as (_, other):
            assert next_note(other)
        assert 'baton_live_connections{kind="events",service="helpdesk"}' in httpx.get(f"{url}/metrics").text
    eventually(lambda: opens(stream))


def test_a_stream_outlives_a_database_that_is_away(url: str) -> None:
    with streamed(f"{url}/notes/stream", bearer(EMPLOYEE)) as (_, events):
        write(url, "away")
        write(url, "one")
        assert next_note(events)["data"] == {"text": "one"}


def test_a_stop_ends_streams_at_once(started: Callable[..., Any], databases: Any) -> None:
    port = free_port()
    process = started(PROGRAM, str(port))
    with streamed(f"http://127.0.0.1:{port}/notes/stream", bearer(EMPLOYEE)) as (_, events):
        assert "comment" in next(events)
        process.send_signal(signal.SIGTERM)
        assert [event for event in events if "data" in event] == []
    assert process.wait(5) == 0
