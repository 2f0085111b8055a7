"""
RabbitMQ as the broker: Dramatiq's broker with confirmed publishing, batches, and dead letters that keep their reason.

Queues are declared durable and without any arguments, because a Celery producer declares the same queues without arguments and
RabbitMQ refuses a second declaration that differs (406). What arguments would say belongs to the virtual host: for replicated
queues give it the default type quorum (`rabbitmqctl add_vhost baton --default-queue-type quorum`); limits go into policies.

A queue that exists with other arguments is used as it is. There are no delay queues: waiting is a row with a due time. Dead
letters are messages published to `<queue>.XQ`, durable and without expiry, before the original is acknowledged. Under RabbitMQ 4
with quorum queues give those a policy `delivery-limit: -1`: every look at them counts as a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dramatiq
import pika.exceptions
import structlog
from dramatiq.brokers import rabbitmq
from dramatiq.common import xq_name

from baton.actors import rabbitmq_dead_letters as dead
from baton.actors.broker_api import DeadLetter, QueueState, WireMessage
from baton.actors.publisher import Publisher
from baton.actors.rabbitmq_connection import parameters_of, short_connection
from baton.actors.rabbitmq_consumer import RabbitmqConsumer
from baton.models.settings import Settings

_PRECONDITION_FAILED = 406
log = structlog.get_logger("baton.broker")


def make_rabbitmq_broker(settings: Settings, middleware: list[dramatiq.Middleware]) -> RabbitmqBroker:
    """Return the broker for `settings.broker_url`. Nothing is connected before its first use."""
    return RabbitmqBroker(settings.broker_url, batch_size=settings.batch_size, middleware=middleware)


class RabbitmqBroker(rabbitmq.RabbitmqBroker):
    """A Dramatiq broker on RabbitMQ that is a `broker_api.BatonBroker`. `url` may name several nodes, separated by `;`."""

    def __init__(self, url: str, *, batch_size: int = 50, middleware: list[dramatiq.Middleware] | None = None) -> None:
        super().__init__(confirm_delivery=True, url=url, middleware=middleware)
        self.parameters = parameters_of(url, "consumer")
        self.batch_size = batch_size
        self._publisher = Publisher(url)

    # What the runtime asks for beside Dramatiq.

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return once RabbitMQ has confirmed every message; raises BrokerUnavailableError otherwise (some may be stored)."""
        self._publisher.publish_batch(messages)

    def dead_letter(self, wire: WireMessage, reason: str, attempts: int, traceback: str = "") -> None:
        """Store a message among its queue's dead letters, confirmed. Raises BrokerUnavailableError."""
        self.publish([dead.dead_letter_of(wire, reason, attempts, traceback)])

    def queue_states(self, queues: Sequence[str]) -> list[QueueState]:
        """Return how each queue stands; one that does not exist yet is empty. Raises BrokerUnavailableError."""
        with short_connection(self.parameters) as connection:
            states = []
            for queue in queues:
                ready, consumers = _counts(connection, queue)
                dead_count, _ = _counts(connection, xq_name(queue))
                states.append(QueueState(queue=queue, ready=ready, consumers=consumers, dead=dead_count))
        return states

    def dead_letters(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """Return the oldest dead letters of a queue, leaving them there. Raises BrokerUnavailableError."""
        with short_connection(self.parameters) as connection, dead.dead_letters_of(connection, queue, limit) as letters:
            return [letter for _, letter in letters]

    def find_dead_letter(self, queue: str, letter_id: str) -> DeadLetter | None:
        """Return one dead letter of a queue, leaving it there. Raises BrokerUnavailableError."""
        with short_connection(self.parameters) as connection, dead.dead_letters_of(connection, queue) as letters:
            return next((letter for _, letter in letters if letter.id == letter_id), None)

    def requeue_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Publish dead letters to their queue again, then remove them; return how many. Raises BrokerUnavailableError."""
        with short_connection(self.parameters) as connection:
            return dead.requeue(connection, queue, ids, self.publish)

    def purge_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Delete dead letters for good; return how many. Raises BrokerUnavailableError."""
        with short_connection(self.parameters) as connection:
            return dead.purge(connection, queue, ids)

    # What Dramatiq asks for, in our way.

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> RabbitmqConsumer:
        """Return a consumer of batches. How much it fetches follows from the size of a batch, not from `prefetch`."""
        return RabbitmqConsumer(self, queue_name, timeout)

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Note a queue; consumers and the publisher create it. No delay queue comes with it."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)
        if ensure:
            with short_connection(self.parameters) as connection:
                self.declare_on(connection, queue_name)

    def declare_on(self, connection: Any, queue_name: str) -> None:
        """
        Create a queue and its dead-letter queue on the server unless they exist.

        One that somebody else declared with arguments of their own (Celery's `x-max-priority`, say) is used as it is.
        """
        for name in (queue_name, xq_name(queue_name)):
            channel = connection.channel()
            try:
                channel.queue_declare(name, durable=True)
                channel.close()
            except pika.exceptions.ChannelClosedByBroker as error:
                if error.reply_code != _PRECONDITION_FAILED:
                    raise
                log.info("queue_has_arguments", queue=name, reason=error.reply_text)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Publish a Dramatiq message, confirmed. Raises ValueError for a delay: waiting is a row with a due time."""
        if delay is not None:
            raise ValueError("messages are not delayed in the broker; defer them in the database")
        self.emit_before("enqueue", message, delay)
        self.publish([WireMessage(queue=message.queue_name, body=message.encode(), message_id=message.message_id)])
        self.emit_after("enqueue", message, delay)
        return message

    def get_queue_message_counts(self, queue_name: str) -> tuple[int, int, int]:
        """Return the messages ready, delayed (never any) and dead."""
        state = self.queue_states([queue_name])[0]
        return state.ready, 0, state.dead

    def flush(self, queue_name: str) -> None:
        """Drop everything on a queue and its dead-letter queue. For tests."""
        with short_connection(self.parameters) as connection:
            self.declare_on(connection, queue_name)
            channel = connection.channel()
            channel.queue_purge(queue_name)
            channel.queue_purge(xq_name(queue_name))

    def close(self) -> None:
        """Close the publisher's connection. Consumers close with their worker."""
        self._publisher.close()
        super().close()


def _counts(connection: Any, queue: str) -> tuple[int, int]:
    channel = connection.channel()
    try:
        answer = channel.queue_declare(queue, passive=True).method
    except pika.exceptions.ChannelClosedByBroker as error:
        if error.reply_code == 404:
            return 0, 0
        raise
    channel.close()
    return answer.message_count, answer.consumer_count

