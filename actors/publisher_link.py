"""
The publisher's connection to RabbitMQ: sends shipments of messages, and knows which were confirmed, returned or lost.

pika's asynchronous connection runs in a thread of its own (a green one where gevent has patched threads), so heartbeats go on
whatever the callers do.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import pika
import pika.exceptions
import structlog

from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.actors.rabbitmq_connection import amqp_message_id, basic_properties, parameters_of

#: How long a shipment may wait for its confirmations. Longer than a broker under load needs (milliseconds to a second), shorter
#: than PostgreSQL's idle-in-transaction limit, because the relay waits inside a transaction.
CONFIRM_SECONDS = 15.0
#: How long a shipment waits for a connection before it fails. Short: whoever publishes keeps the messages and comes again.
CONNECT_SECONDS = 5.0
#: The longest pause between two attempts to connect: how late a restarted broker may be noticed.
MAX_PAUSE_SECONDS = 2.0

log = structlog.get_logger("baton.publisher")


class Shipment:
    """Messages under way: how many are unconfirmed, which came back, what went wrong. `done` is set when it is decided."""

    def __init__(self, messages: Sequence[WireMessage], declare: Sequence[str]) -> None:
        self.messages = messages
        self.declare = declare
        self.unconfirmed = len(messages)
        self.returned: list[WireMessage] = []
        self.error: str | None = None
        self.done = threading.Event()

    def fail(self, reason: str) -> None:
        """Decide that the shipment has failed."""
        self.error = self.error or reason
        self.done.set()


class Link:
    """One connection with one confirming channel, in a thread of its own that connects again whenever it is lost."""

    def __init__(self, url: str) -> None:
        self._parameters = parameters_of(url, "publisher")
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._open = threading.Event()
        self._reason = "not connected yet"
        self._cause: str | None = None  # why this side closed the connection, if it did
        self._connection: Any = None
        self._channel: Any = None
        self._blocked = False
        self._reported = False
        self._next_tag = 1
        self._unconfirmed: dict[int, tuple[Shipment, WireMessage]] = {}
        self._shipments: set[Shipment] = set()

    def close(self) -> None:
        """Close the connection and end its thread. Batches under way fail."""
        self._stopping.set()
        self._hang_up()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def ship(self, messages: Sequence[WireMessage], declare: Sequence[str]) -> list[WireMessage]:
        """
        Declare queues, send messages, wait until each is confirmed; return those that found no queue. Any thread may call this.

        Raises:
            BrokerUnavailableError: it cannot be told that every message was stored.
        """
        self._start()
        if not self._open.wait(CONNECT_SECONDS):
            raise BrokerUnavailableError(self._reason)
        if self._blocked:
            raise BrokerUnavailableError("RabbitMQ takes no messages now: it is short of memory or disk")
        shipment = Shipment(messages, declare)
        with self._lock:
            if not self._open.is_set():  # it broke since
                raise BrokerUnavailableError(self._reason)
            self._shipments.add(shipment)
            connection = self._connection
        try:
            connection.ioloop.add_callback_threadsafe(partial(self._declare_and_send, shipment, list(declare)))
            if not shipment.done.wait(CONFIRM_SECONDS):
                self._hang_up()
                shipment.fail(f"not confirmed within {CONFIRM_SECONDS:.0f} s")
        except Exception as error:
            shipment.fail(f"the connection broke: {error!r}")
        finally:
            with self._lock:
                self._shipments.discard(shipment)
        if shipment.error:
            raise BrokerUnavailableError(shipment.error)
        return shipment.returned

    def _start(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                raise BrokerUnavailableError("this process is stopping")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()

    def _hang_up(self) -> None:
        """Close the connection from any thread, hard if the broker does not answer."""
        connection = self._connection
        if connection is None:
            return

        def close() -> None:
            if connection.is_open:
                connection.close()
            connection.ioloop.call_later(2, connection.ioloop.stop)

        try:
            connection.ioloop.add_callback_threadsafe(close)
        except Exception as error:  # the loop has ended by itself in the meantime
            log.debug("publisher_already_closed", error=repr(error))

    # What follows runs in the connection's own thread.

    def _run(self) -> None:
        pause, attempt = 0.1, 0
        while not self._stopping.is_set():
            parameters = self._parameters[attempt % len(self._parameters)]
            attempt += 1
            was_open = self._live(parameters)
            pause = 0.1 if was_open else min(pause * 2, MAX_PAUSE_SECONDS)
            self._stopping.wait(pause)

    def _live(self, parameters: pika.ConnectionParameters) -> bool:
        """Connect and serve until the connection ends; return whether it had been open."""
        ended = self._on_end
        try:
            self._connection = connection = pika.SelectConnection(
                parameters,
                on_open_callback=lambda opened: opened.channel(on_open_callback=self._on_channel),
                on_open_error_callback=ended,
                on_close_callback=ended,
            )
            connection.add_on_connection_blocked_callback(lambda *_: setattr(self, "_blocked", True))
            connection.add_on_connection_unblocked_callback(lambda *_: setattr(self, "_blocked", False))
            connection.ioloop.start()
        except Exception as error:
            self._on_end(None, error)
        was_open = self._open.is_set()
        self._forget()
        return was_open

    def _on_channel(self, channel: Any) -> None:
        channel.add_on_close_callback(lambda _channel, reason: self._drop(reason))
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _frame: self._on_ready(channel))

    def _on_ready(self, channel: Any) -> None:
        self._channel, self._next_tag = channel, 1
        self._blocked = self._reported = False
        self._open.set()
        log.info("publisher_connected")

    def _drop(self, reason: BaseException) -> None:
        if self._connection.is_open:
            self._connection.close()
        self._cause = f"the channel to RabbitMQ was closed: {reason}"

    def _on_end(self, connection: Any, reason: BaseException | str) -> None:
        self._reason = self._cause or f"RabbitMQ cannot be reached: {reason!r}"
        if not self._stopping.is_set() and not self._reported:
            # Once per outage: it tries again several times a second.
            self._reported = True
            log.warning("publisher_disconnected", reason=self._reason)
        if connection is not None:
            connection.ioloop.stop()

    def _forget(self) -> None:
        """Fail whatever was under way: with the connection, the confirmations are gone."""
        with self._lock:
            self._open.clear()
            lost, self._shipments = self._shipments, set()
            connection, self._connection = self._connection, None
        self._unconfirmed.clear()
        self._channel = self._cause = None
        if connection is not None:
            connection.ioloop.close()
        for shipment in lost:
            shipment.fail(self._reason)

    def _declare_and_send(self, shipment: Shipment, queues: list[str]) -> None:
        # One after the other: pika would send a second declaration only after the messages.
        if shipment.done.is_set() or self._channel is None:
            shipment.fail(self._reason)
        elif queues:
            queue = queues.pop()
            self._channel.queue_declare(
                queue, durable=True, callback=lambda _frame: self._declare_and_send(shipment, queues)
            )
            log.info("queue_declared", queue=queue)
        else:
            self._send(shipment)

    def _send(self, shipment: Shipment) -> None:
        try:
            for message in shipment.messages:
                self._unconfirmed[self._next_tag] = (shipment, message)
                self._next_tag += 1
                self._channel.basic_publish("", message.queue, message.body, basic_properties(message), mandatory=True)
        except Exception as error:
            # The tags no longer tell how many messages the broker has seen: begin again with a new connection.
            shipment.fail(f"could not be sent: {error!r}")
            self._drop(error)

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        refused = not isinstance(method, pika.spec.Basic.Ack)
        for tag in self._confirmed_tags(method.delivery_tag, method.multiple):
            shipment, message = self._unconfirmed.pop(tag)
            if refused:
                shipment.error = f"RabbitMQ refused a message for queue {message.queue}"
            shipment.unconfirmed -= 1
            if shipment.unconfirmed == 0:
                shipment.done.set()

    def _confirmed_tags(self, tag: int, multiple: bool) -> list[int]:
        if not multiple:
            return [tag] if tag in self._unconfirmed else []
        tags = []
        for waiting in self._unconfirmed:  # in the order of the tags
            if waiting > tag:
                break
            tags.append(waiting)
        return tags

    def _on_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        # A message comes back just before its confirmation: it is still among the unconfirmed.
        for shipment, message in self._unconfirmed.values():
            same = message.queue == method.routing_key and amqp_message_id(message) == properties.message_id
            if same and not any(message is seen for seen in shipment.returned):
                shipment.returned.append(message)
                return
