"""
Consuming from RabbitMQ: messages in, batches of one actor's messages out, acknowledgements back.

Runs inside Dramatiq's consumer thread, one per queue, which restarts it three seconds after a lost connection. What was not
acknowledged on a connection is delivered again on the next, so an acknowledgement that comes too late is dropped, never sent
on another connection where its tag would name another message.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import pika
import pika.exceptions
import structlog
from dramatiq.broker import Consumer
from dramatiq.errors import ConnectionClosed

from baton.actors.broker_api import Batch, BatchProxy, BrokerUnavailableError, RawDelivery, WireMessage
from baton.actors.outcomes import read_or_bury
from baton.actors.rabbitmq_connection import wire_message

if TYPE_CHECKING:
    from baton.actors.rabbitmq_broker import RabbitmqBroker

#: Batches of one queue that this process handles at the same time. While they run, messages gather into the next, larger batch:
#: more would make batches smaller, fewer would leave the processor idle while the database works.
BATCHES_IN_FLIGHT = 2
#: How long the first message of a queue waits for others to share its transaction with, in seconds: together they cost a fraction
#: of what they cost one by one. Nobody sees a moment more or less in what follows an action; elsewhere it is not waited.
GATHER_SECONDS = {
    "workflow.assignment": 0.02,
    "ticket_status-default": 0.05,
    "TICKET_STATUS_QUEUE": 0.05,
    "workflow.clocks": 0.1,
    "workflow.followers": 0.1,
}
#: How long a message that a handler gave back stays here before it returns to its queue, so that it does not come again at once.
RELEASE_SECONDS = 0.5

log = structlog.get_logger("baton.consumer")


class RabbitmqBatch(BatchProxy):
    """A batch that knows the consumer it came from. A handler that breaks down releases it: nothing unhandled is acknowledged."""

    def __init__(self, queue_name: str, batch: Batch, consumer: RabbitmqConsumer) -> None:
        super().__init__(queue_name, batch)
        self.consumer = consumer

    def stuff_exception(self, exception: BaseException) -> None:
        """Note that the handler raised; its messages go back to the queue."""
        super().stuff_exception(exception)
        self.batch.released = True


class RabbitmqConsumer(Consumer):
    """An iterator of batches, or None when `timeout` milliseconds pass without one."""

    def __init__(self, broker: RabbitmqBroker, queue_name: str, timeout: int) -> None:
        self.broker = broker
        self.queue_name = queue_name
        self._seconds = timeout / 1000
        self._received: deque[tuple[Any, pika.BasicProperties, bytes]] = deque()
        self._next: tuple[int, RawDelivery] | None = None
        #: Tags neither acknowledged nor given back, in the order of their delivery.
        self._open_tags: dict[int, None] = {}
        self._in_flight = 0
        self._gather_seconds = GATHER_SECONDS.get(queue_name, 0.0)
        #: The monotonic time at which the first message that waits here came.
        self._waiting_since = 0.0
        try:
            self.connection = pika.BlockingConnection(broker.parameters)
        except (pika.exceptions.AMQPError, OSError) as error:
            raise ConnectionClosed(error) from None
        try:
            broker.declare_on(self.connection, queue_name)
            self.channel = self.connection.channel()
            self.channel.basic_qos(prefetch_count=broker.batch_size * (BATCHES_IN_FLIGHT + 1))
            self.channel.basic_consume(queue_name, self._on_message)
        except (pika.exceptions.AMQPError, OSError) as error:
            self.close()
            raise ConnectionClosed(error) from None

    def __next__(self) -> RabbitmqBatch | None:
        """Return the next batch; raises ConnectionClosed when the connection, or the queue, has gone."""
        try:
            self.connection.process_data_events(time_limit=0 if self._may_hand_out() else self._patience())
            if not self.channel.consumer_tags:
                raise ConnectionClosed(RuntimeError(f"RabbitMQ ended the consumption of {self.queue_name}"))
            return self._batch() if self._may_hand_out() else None
        except BrokerUnavailableError as error:
            # A dead letter could not be stored. Its original is unacknowledged: leave, and find it again.
            raise ConnectionClosed(error) from None
        except (pika.exceptions.AMQPError, OSError, AssertionError) as error:
            raise ConnectionClosed(error) from None

    def ack(self, message: Any) -> None:
        """Acknowledge a handled batch, or give it back if it was released. Any thread may call this."""
        if message.consumer is not self:
            log.info("late_acknowledgement", queue=self.queue_name, messages=len(message.batch.tags))
            return
        try:
            self.connection.add_callback_threadsafe(partial(self._settle, message.batch))
        except pika.exceptions.AMQPError as error:
            # The connection is gone, and RabbitMQ with it already gives the messages to somebody else.
            log.info("late_acknowledgement", queue=self.queue_name, messages=len(message.batch.tags), reason=repr(error))

    def nack(self, message: Any) -> None:
        """Give a batch back that Dramatiq could not hand to an actor."""
        message.batch.released = True
        self.ack(message)

    def requeue(self, messages: Any) -> None:
        """Do nothing: RabbitMQ takes unacknowledged messages back when the connection closes."""

    def close(self) -> None:
        """Send the acknowledgements still waiting and close the connection."""
        flushed: list[bool] = []
        try:
            self.connection.add_callback_threadsafe(lambda: flushed.append(True))
            while not flushed:
                self.connection.process_data_events(time_limit=1)
            self.connection.close()
        except (pika.exceptions.AMQPError, OSError, AssertionError) as error:
            log.debug("consumer_already_closed", queue=self.queue_name, reason=repr(error))

    def _on_message(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._open_tags[method.delivery_tag] = None
        if not self._received:
            self._waiting_since = time.monotonic()
        place, priority = len(self._received), properties.priority or 0
        # RabbitMQ orders by priority only in queues that were declared for it; among what has been fetched, this does.
        while priority and place and (self._received[place - 1][1].priority or 0) < priority:
            place -= 1
        self._received.insert(place, (method, properties, body))

    def _may_hand_out(self) -> bool:
        if self._in_flight >= BATCHES_IN_FLIGHT:
            return False
        return self._next is not None or (bool(self._received) and self._gathering() <= 0)

    def _gathering(self) -> float:
        """Return for how many seconds more the messages here wait for others."""
        if len(self._received) >= self.broker.batch_size:
            return 0.0
        return self._waiting_since + self._gather_seconds - time.monotonic()

    def _patience(self) -> float:
        """Return how many seconds the connection may be listened to before a batch may be handed out."""
        if self._received and self._in_flight < BATCHES_IN_FLIGHT:
            return max(0.0, min(self._seconds, self._gathering()))
        return self._seconds

    def _batch(self) -> RabbitmqBatch | None:
        """Return the first message and those behind it that may share its transaction; None if all here were dead letters."""
        taken: list[tuple[int, RawDelivery]] = []
        while len(taken) < self.broker.batch_size and (found := self._take()) is not None:
            if taken and not _belong_together(taken[0][1], found[1]):
                self._next = found
                break
            taken.append(found)
        if not taken:
            return None
        self._in_flight += 1
        batch = Batch([delivery for _, delivery in taken], [tag for tag, _ in taken])
        return RabbitmqBatch(self.queue_name, batch, self)

    def _take(self) -> tuple[int, RawDelivery] | None:
        """Return the next readable message. Dead letters on the way are stored as such."""
        if self._next is not None:
            found, self._next = self._next, None
            return found
        while self._received:
            method, properties, body = self._received.popleft()
            arrived = wire_message(self.queue_name, body, properties)
            if (delivery := self._read(arrived, method.redelivered)) is not None:
                return method.delivery_tag, delivery
            self._acknowledge([method.delivery_tag])
        return None

    def _read(self, arrived: WireMessage, redelivered: bool) -> RawDelivery | None:
        try:
            return read_or_bury(self.broker, arrived, redelivered)
        except BrokerUnavailableError:
            raise
        except Exception as error:
            # A fault in reading must not stop the queue: this message would come again and again.
            log.exception("message_unreadable", queue=self.queue_name)
            self.broker.dead_letter(arrived, f"could not be read: {error!r}", 0, traceback.format_exc())
            return None

    def _settle(self, batch: Batch) -> None:
        self._in_flight -= 1
        if batch.released:
            self.connection.call_later(RELEASE_SECONDS, partial(self._give_back, batch.tags))
        else:
            self._acknowledge(batch.tags)

    def _give_back(self, tags: list[int]) -> None:
        for tag in tags:
            self._open_tags.pop(tag, None)
            self.channel.basic_nack(tag, requeue=True)

    def _acknowledge(self, tags: list[int]) -> None:
        """Acknowledge tags: together as far as nothing older is still open, else one by one."""
        done = set(tags)
        last = None
        for tag in self._open_tags:
            if tag not in done:
                break
            last = tag
        if last is not None:
            self.channel.basic_ack(last, multiple=True)
        for tag in tags:
            del self._open_tags[tag]
            if last is None or tag > last:
                self.channel.basic_ack(tag)


def _belong_together(first: RawDelivery, other: RawDelivery) -> bool:
    # A redelivered message may have killed its worker: it runs alone, so that only it is suspected the next time.
    return first.actor_name == other.actor_name and not first.redelivered and not other.redelivered
