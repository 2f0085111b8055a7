"""
Messages that were given up on, of every service: the runtime reports on itself here. Seen, put back on their queues, deleted.

The broker is asked, never a table. Deciding twice is deciding once: an id is gone after the first time, and `died_before` means
those that had died by then. What a message says is for administrators only.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import dramatiq
import structlog

from baton.http.issues.dead_letter_views import (
    Chosen,
    CountList,
    CountView,
    Decided,
    LetterList,
    LetterQuery,
    LetterSummary,
    LetterView,
)
from baton.http.operations import Call, Operation
from baton.http.problems import NotFound, Problem
from baton.pipelines.messages import CATALOGUE

T = TypeVar("T")
#: Dead letters of one queue that one request decides about; a request for more is repeated.
MOST_AT_ONCE = 10_000
#: How much of a body is shown, in characters: enough for any of our messages, and not for a foreign one of a hundred megabytes.
MOST_SHOWN = 100_000
#: Ids that the log names of one decision.
MOST_LOGGED = 1_000
_PATH = "/api/v1/dead-letters"
log = structlog.get_logger("baton.dead_letters")


def count_queues(call: Call) -> CountList:
    """Return how every queue stands."""
    states = _ask(lambda broker: broker.queue_states(_queues()))
    receivers = {message.queue: message.receiver for message in CATALOGUE.values()}
    shared = ("queue", "ready", "consumers", "dead")
    items = [CountView(receiver=receivers[each.queue], **{name: getattr(each, name) for name in shared}) for each in states]
    return CountList(items=items)


def list_letters(call: Call, query: LetterQuery) -> LetterList:
    """Return dead letters, those of one queue after those of another, the oldest of each first."""
    if query.queue is not None:
        _known(query.queue)

    def read(broker: Any) -> tuple[int, list[Any]]:
        found: list[Any] = []
        dead = 0
        for state in broker.queue_states([query.queue] if query.queue else _queues()):
            dead += state.dead
            if state.dead and len(found) < query.limit:
                found += broker.dead_letters(state.queue, query.limit - len(found))
        return dead, found

    at = datetime.now(UTC)
    dead, found = _ask(read)
    return LetterList(items=[LetterSummary(**_outline(letter)) for letter in found], dead=dead, at=at)


def read_letter(call: Call) -> LetterView:
    """Return one dead letter with all that is known about it."""
    queue = _known(call.params["queue"])
    letter = _ask(lambda broker: broker.find_dead_letter(queue, call.params["letter_id"]))
    if letter is None:
        raise NotFound("there is no such dead letter")
    raw = letter.contents()
    try:
        body, is_text = letter.wire.body.decode(), True
    except UnicodeDecodeError:
        body, is_text = base64.b64encode(letter.wire.body).decode(), False
    return LetterView(
        **_outline(letter),
        message_id=letter.wire.message_id,
        traceback=letter.traceback,
        envelope=raw and raw.envelope,
        fields=raw and raw.kwargs,
        body=body[:MOST_SHOWN],
        encoding="text" if is_text else "base64",
        cut=len(body) > MOST_SHOWN,
    )


def requeue(call: Call, body: Chosen) -> Decided:
    """The chosen ones are back on their queue, with a fresh count of attempts."""
    return _decide(call, body, "requeue_dead_letters", "dead_letters_requeued")


def purge(call: Call, body: Chosen) -> Decided:
    """The chosen ones are deleted for good."""
    return _decide(call, body, "purge_dead_letters", "dead_letters_purged")


def _decide(call: Call, chosen: Chosen, act: str, event: str) -> Decided:
    queue = _known(call.params["queue"])

    def decide(broker: Any) -> tuple[list[str], int]:
        ids = list(dict.fromkeys(chosen.ids or _dead_before(broker, queue, chosen.died_before)))
        return ids, getattr(broker, act)(queue, ids) if ids else 0

    ids, done = _ask(decide)
    log.info(event, queue=queue, ids=ids[:MOST_LOGGED], done=done, by=call.principal.subject)
    return Decided(queue=queue, done=done)


def _dead_before(broker: Any, queue: str, bound: datetime | None) -> list[str]:
    letters = broker.dead_letters(queue, MOST_AT_ONCE)
    # One that does not say when it died was put there by another program.
    return [letter.id for letter in letters if bound is None or (_instant(letter.died_at) or bound) <= bound]


def _ask(question: Callable[[Any], T]) -> T:
    """Return the broker's answer; raises Problem 503 when it cannot be reached."""
    broker = dramatiq.broker.global_broker
    try:
        if not hasattr(broker, "find_dead_letter"):
            raise dramatiq.BrokerError("this process has no broker")
        return question(broker)
    except dramatiq.BrokerError as error:
        log.warning("broker_unavailable", reason=str(error)[:200])
        detail = "the broker cannot be reached; try again, some of what was asked for may be done"
        raise Problem(503, "broker-unavailable", "the broker cannot be reached", detail, headers={"Retry-After": "5"}) from None


def _queues() -> list[str]:
    return sorted({message.queue for message in CATALOGUE.values()})


def _known(queue: str) -> str:
    if queue not in _queues():
        raise NotFound("there is no such queue")
    return queue


def _outline(letter: Any) -> dict[str, Any]:
    return {
        "actor": letter.actor_name,
        "died_at": _instant(letter.died_at),
        **{name: getattr(letter, name) for name in ("queue", "id", "ticket_number", "attempts", "reason")},
    }


def _instant(text: str) -> datetime | None:
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _operation(method: str, path: str, handler: Callable[..., Any], permission: str, **more: Any) -> Operation:
    # No transaction: the broker is asked, and a transaction waits for nobody.
    return Operation(method, _PATH + path, handler, permission, transaction="none", tag="dead letters", **more)


OPERATIONS = (
    _operation("GET", "", list_letters, "runtime.messages", query=LetterQuery, returns=LetterList,
               summary="List messages that were given up on", problems=(404, 503)),
    _operation("GET", "/queues", count_queues, "runtime.read", returns=CountList,
               summary="Count messages and dead letters of every queue", problems=(503,)),
    _operation("GET", "/{queue}/{letter_id}", read_letter, "runtime.messages", returns=LetterView,
               summary="Read a message that was given up on", problems=(404, 503)),
    _operation("POST", "/{queue}/requeue", requeue, "runtime.decide", body=Chosen, returns=Decided,
               summary="Put messages that were given up on back on their queue", problems=(404, 503)),
    _operation("POST", "/{queue}/purge", purge, "runtime.decide", body=Chosen, returns=Decided,
               summary="Delete messages that were given up on for good", problems=(404, 503)),
)  # fmt: skip
