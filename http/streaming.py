"""
Streams of events over HTTP (server-sent events, `text/event-stream`), as a kind of operation.

    def follow(call: Call) -> EventStream:
        user = ...                                       # checks; a Problem is answered before the stream starts
        last = last_event_id(call)                       # the number after which the client wants everything

        def read(news: News) -> Iterator[Event]:
            nonlocal last
            with read_tx(call.service):
                rows = ...                               # what came after `last`, a page at a time
            for row in rows:
                last = row.number
                yield Event({"text": row.text}, id=row.number, name="notification")

        return EventStream(topics=(f"user:{user}",), read=read, poll=POLL)

    Operation("GET", "/api/v1/me/stream", follow, "me.read", live="events", summary=...)

`read` is called with `News(behind=True)` once the stream has subscribed, so that nothing falls between, and then whenever the hub
has news; it reads in transactions of its own, and none is open while the stream waits. Every HEARTBEAT_SECONDS a comment shows
that the line lives. The stream ends, after an event `end` with the reason, within half a minute of the caller's token expiring or
of `still` saying no; the browser's EventSource comes back by itself with `Last-Event-ID`, and gets the 401, 403 or 404.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import falcon
import structlog
from gevent import GreenletExit, getcurrent
from pydantic_core import to_json

from baton.http import dispatch, lasting
from baton.http.operations import Call, Operation
from baton.http.problems import BadRequest
from baton.http.types import BIGGEST_INTEGER
from baton.models.database import DatabaseUnavailableError
from baton.models.live import News, Signal, Subscription, subscribe
from baton.models.live_poll import Poll

MEDIA_TYPE = "text/event-stream"
#: Seconds between two signs of life: proxies cut what is silent for a minute or so.
HEARTBEAT_SECONDS = 15.0
#: Pause before a read that failed because the database was away is tried again, in seconds.
RETRY_SECONDS = 1.0
#: How soon an EventSource comes back, in milliseconds.
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": alive\n\n"
#: What has a stream read although its topics have no news.
_WOKEN = Signal("")
_LINE_ENDS = re.compile(r"[\r\n\0]")

log = structlog.get_logger("baton.live")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `data` is sent as JSON (bytes: JSON already), `id` is what the client names when it comes back."""

    data: Any
    id: int | str | None = None
    name: str = ""

    def encoded(self) -> bytes:
        """Return the event as it goes over the line."""
        lines = []
        if self.id is not None:
            lines.append(f"id: {_LINE_ENDS.sub(' ', str(self.id))}\n".encode())
        if self.name:
            lines.append(f"event: {_LINE_ENDS.sub(' ', self.name)}\n".encode())
        data = self.data if isinstance(self.data, bytes) else to_json(self.data)
        return b"".join((*lines, b"data: ", data, b"\n\n"))


def _always() -> bool:
    return True


def _nothing(wake: Callable[[], None]) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(slots=True)
class EventStream:
    """
    What the handler of a streaming operation returns; see the module's text. `poll` is started while the stream lasts.

    `meanwhile` lasts as long as the stream; it gets what has the stream read again. `alive_seconds` stand for HEARTBEAT_SECONDS.
    """

    topics: Sequence[str]
    read: Callable[[News], Iterable[Event]]
    still: Callable[[], bool] = _always
    poll: Poll | None = None
    meanwhile: Callable[[Callable[[], None]], AbstractContextManager[None]] = _nothing
    alive_seconds: float | None = None


def last_event_id(call: Call, default: int = 0) -> int:
    """Return the number in `Last-Event-ID`, `default` without one; raises BadRequest when it is none of ours."""
    text = call.request.get_header("Last-Event-ID")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > BIGGEST_INTEGER:
        raise BadRequest("Last-Event-ID must be the id of an event of this stream")
    return int(text)


def responder(front: dispatch.Front, operation: Operation) -> Callable[..., None]:
    """Return the Falcon responder that answers with a stream."""
    dispatch.limit(front, operation)

    def respond(request: falcon.Request, response: falcon.Response, **params: str) -> None:
        call = Call(request, operation, front.service, front.settings, params, request.context.trace_id)
        arguments = dispatch.admit(front, call)
        lasting.admit_returning(call)
        stream: EventStream = operation.handler(call, **arguments)
        response.status = operation.status
        response.content_type = MEDIA_TYPE
        # Proxies that gather an answer before they pass it on must not.
        response.set_header("X-Accel-Buffering", "no")
        if request.method != "HEAD":
            front.places.take(call)
            response.stream = OpenStream(front, call, stream)

    return respond


class OpenStream:
    """The body of a streamed answer: yields encoded events until the client leaves or is let in no longer."""

    def __init__(self, front: dispatch.Front, call: Call, stream: EventStream) -> None:
        self._front = front
        self._call = call
        self._stream = stream
        self._reason = "left"
        self._greenlets: set[Any] = call.request.env.get("baton.lasting", set())
        self._pieces = self._run()
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Give the caller's place up; the server calls this however the answer ended."""
        if self._open:
            self._open = False
            self._pieces.close()
            self._front.places.leave(self._call, self._reason)

    def _run(self) -> Generator[bytes, None, None]:
        current = getcurrent()
        self._greenlets.add(current)
        watch = lasting.Watch(self._call, self._front.verifier, self._stream.still)
        try:
            with subscribe(*self._stream.topics) as subscription, self._stream.meanwhile(partial(subscription.offer, _WOKEN)):
                if self._stream.poll is not None:
                    self._stream.poll.start()
                yield _RETRY
                yield from self._events(subscription, watch)
        except GreenletExit:
            # The server stops. A proper end lets the client come back at once.
            self._reason = "stopping"
        finally:
            watch.close()
            self._greenlets.discard(current)

    def _events(self, subscription: Subscription, watch: lasting.Watch) -> Iterator[bytes]:
        news, alive_at = News(behind=True), time.monotonic()
        alive_seconds = self._stream.alive_seconds or HEARTBEAT_SECONDS
        while True:
            problem = watch.refusal()
            if problem is not None:
                self._reason = lasting.reason_of(problem)
                yield Event({"reason": problem.title}, name="end").encoded()
                return
            failed = False
            if news:
                try:
                    for event in self._stream.read(news):
                        alive_at = time.monotonic()
                        yield event.encoded()
                except DatabaseUnavailableError as error:
                    log.warning("stream_cannot_read", reason=str(error)[:200])
                    failed = True
            if time.monotonic() - alive_at >= alive_seconds:
                alive_at = time.monotonic()
                yield _HEARTBEAT
            left = alive_seconds - (time.monotonic() - alive_at)
            seconds = RETRY_SECONDS if failed else min(left, watch.seconds())
            news = subscription.news(max(seconds, 0.01))
            if failed:
                news = News(news.signals, behind=True)
