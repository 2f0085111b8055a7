"""
Dead letters on RabbitMQ: messages on `<queue>.XQ` that bear their story in headers beside their own.

`reason`, `attempts`, `traceback`, `died_at` and `dead_letter_id` are taken off again when a message goes back to its queue. To
look is to fetch without acknowledging and close the channel: RabbitMQ puts everything back where it was. Meanwhile another
observer does not see those messages; none is lost or overtaken.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import pika.exceptions
from dramatiq.common import xq_name

from baton.actors.broker_api import DeadLetter, WireMessage
from baton.actors.rabbitmq_connection import basic_properties, wire_message
from baton.actors.wire import describe, with_fresh_attempts

#: How much of a traceback is kept, in bytes: its end, where the error is. Headers must fit into one AMQP frame (128 kB).
TRACEBACK_BYTES = 8_000
#: How much of a reason is kept, in bytes.
REASON_BYTES = 1_000
_HEADERS = ("reason", "attempts", "traceback", "died_at", "dead_letter_id")
#: Dead letters that go back to their queue under one confirmation.
_BATCH = 100
#: Properties above this would not fit into a frame: the traceback is left out then.
_LARGEST_PROPERTIES = 120_000

Found = tuple[Callable[[], object], DeadLetter]
Publish = Callable[[Sequence[WireMessage]], None]


def dead_letter_of(wire: WireMessage, reason: str, attempts: int, traceback: str) -> WireMessage:
    """Return the message as it is stored among its queue's dead letters."""
    story = {
        "reason": _storable(reason, REASON_BYTES),
        "attempts": attempts,
        "traceback": _storable(traceback, TRACEBACK_BYTES),
        "died_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "dead_letter_id": uuid.uuid4().hex[:12],
    }
    letter = replace(wire, queue=xq_name(wire.queue), headers={**wire.headers, **story})
    if len(b"".join(basic_properties(letter).encode())) > _LARGEST_PROPERTIES:
        letter.headers["traceback"] = ""
    return letter


@contextmanager
def dead_letters_of(connection: Any, queue: str, limit: int | None = None) -> Iterator[Iterator[Found]]:
    """
    Give the oldest dead letters of a queue, fetched as they are asked for, each with a function that removes it.

    On leaving the block RabbitMQ puts back whatever was not removed.
    """
    channel = connection.channel()
    try:
        waiting = channel.queue_declare(xq_name(queue), passive=True).method.message_count
    except pika.exceptions.ChannelClosedByBroker as error:
        if error.reply_code != 404:
            raise
        yield iter(())
        return
    try:
        # No more than there are now: what dies meanwhile is for the next look, and this one ends.
        yield _fetch(channel, queue, waiting if limit is None else min(waiting, limit))
    finally:
        if channel.is_open:
            channel.close()


def requeue(connection: Any, queue: str, ids: Sequence[str] | None, publish: Publish) -> int:
    """Publish the named dead letters (all when None) to their queue, and remove each once it is stored there."""
    moved = 0
    with dead_letters_of(connection, queue) as letters:
        named = _named(letters, ids)
        while group := list(islice(named, _BATCH)):
            publish([with_fresh_attempts(letter.wire) for _, letter in group])
            for remove, _ in group:
                remove()
            moved += len(group)
    return moved


def purge(connection: Any, queue: str, ids: Sequence[str] | None) -> int:
    """Remove the named dead letters (all when None)."""
    removed = 0
    with dead_letters_of(connection, queue) as letters:
        for remove, _ in _named(letters, ids):
            remove()
            removed += 1
    return removed


def _fetch(channel: Any, queue: str, count: int) -> Iterator[Found]:
    for _ in range(count):
        method, properties, body = channel.basic_get(xq_name(queue))
        if method is None:
            return
        yield partial(channel.basic_ack, method.delivery_tag), _read(queue, properties, body)


def _named(letters: Iterator[Found], ids: Sequence[str] | None) -> Iterator[Found]:
    wanted = None if ids is None else set(ids)
    for found in letters:
        if wanted is None or found[1].id in wanted:
            yield found
        if wanted is not None:
            wanted.discard(found[1].id)
            if not wanted:
                return


def _read(queue: str, properties: Any, body: bytes) -> DeadLetter:
    stored = wire_message(queue, body, properties)
    story = stored.headers
    wire = replace(stored, headers={key: value for key, value in story.items() if key not in _HEADERS})
    actor_name, ticket_number = describe(wire)
    return DeadLetter(
        # A message that somebody else put here bears no id of ours: its own must do.
        id=str(story.get("dead_letter_id") or stored.message_id or uuid.uuid5(uuid.NAMESPACE_OID, repr(body)).hex[:12]),
        queue=queue,
        reason=str(story.get("reason", "unknown: put here by another program")),
        attempts=story["attempts"] if isinstance(story.get("attempts"), int) else 0,
        died_at=str(story.get("died_at", "")),
        actor_name=actor_name,
        ticket_number=ticket_number,
        traceback=str(story.get("traceback", "")),
        wire=wire,
    )


def _storable(text: str, size: int) -> str:
    """Return the end of a text as valid UTF-8 of at most `size` bytes."""
    return text.encode("utf-8", "replace")[-size:].decode("utf-8", "ignore")
