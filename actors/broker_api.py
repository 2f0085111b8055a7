"""
What the runtime asks of a broker, beside what Dramatiq asks: the seam between RabbitMQ, the embedded broker and the rest.

The relay publishes `WireMessage`s and relies on them once `publish` returns. Consumers hand `RawDelivery`s to the handler,
several at a time. Dead letters keep the body as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import dramatiq


class BrokerUnavailableError(dramatiq.BrokerError):
    """The broker cannot be reached or did not confirm. Nothing is lost: the outbox keeps the messages; try again later."""


class UnreadableMessageError(Exception):
    """A body is not a message this system can read; `str(error)` is the reason. It goes to the dead letters as it came."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A message as it travels: the queue, the encoded body and (Celery only) its AMQP headers and properties."""

    queue: str
    body: bytes
    message_id: str
    headers: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawDelivery:
    """
    One message as a consumer received it, already translated from its wire format.

    `kwargs` and `envelope` are as read, not yet validated. `redelivered` says that a worker may have died over it.
    """

    queue: str
    actor_name: str
    kwargs: dict[str, Any]
    envelope: dict[str, Any]
    wire: WireMessage
    redelivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message given up on. `id` names it within its queue until it is requeued or purged."""

    id: str
    queue: str
    reason: str
    attempts: int
    died_at: str
    actor_name: str | None
    ticket_number: str | None
    traceback: str
    wire: WireMessage

    def contents(self) -> RawDelivery | None:
        """Return the message's fields and envelope, None where it cannot be read."""
        from baton.actors.wire import decode  # which knows the formats, and this module's classes

        try:
            return decode(self.wire)
        except UnreadableMessageError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How a queue stands: messages ready, processes consuming it now, dead letters; age in seconds of the oldest where known."""

    queue: str
    ready: int
    consumers: int
    dead: int
    oldest_seconds: float | None = None


class BatonBroker(Protocol):
    """A Dramatiq broker that can also do what the runtime needs. Implemented by `embedded_broker` and `rabbitmq_broker`."""

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return once every message is stored durably; raises BrokerUnavailableError otherwise (some may be stored)."""

    def dead_letter(self, wire: WireMessage, reason: str, attempts: int, traceback: str = "") -> None:
        """Store a message among its queue's dead letters, durably, before the original is acknowledged."""

    def queue_states(self, queues: Sequence[str]) -> list[QueueState]:
        """Return how each queue stands."""

    def dead_letters(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """Return the oldest dead letters of a queue, leaving them there."""

    def find_dead_letter(self, queue: str, letter_id: str) -> DeadLetter | None:
        """Return one dead letter of a queue, leaving it there; None where there is none of this id."""

    def requeue_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Put dead letters back on their queue with a fresh count of attempts (all when `ids` is None); return how many."""

    def purge_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Delete dead letters for good (all when `ids` is None); return how many."""


@dataclass(slots=True)
class Batch:
    """
    What travels from a consumer to a message handler: messages of one actor, and whether to acknowledge them.

    The consumer acknowledges the whole batch when the handler is done with it, unless `released` is set: then every
    message goes back to its queue.
    """

    deliveries: list[RawDelivery]
    tags: list[Any] = field(default_factory=list)
    released: bool = False


class BatchProxy(dramatiq.MessageProxy):
    """The Dramatiq message under which a batch passes through the worker: the actor is called with `batch=<Batch>`."""

    def __init__(self, queue_name: str, batch: Batch) -> None:
        first = batch.deliveries[0]
        super().__init__(
            dramatiq.Message(queue_name=queue_name, actor_name=first.actor_name, args=(), kwargs={"batch": batch}, options={})
        )
        self.batch = batch
