"""
Signals between processes: a topic exchange of RabbitMQ, on a connection and a thread of its own.

Each process has one exclusive queue, gone with its connection, bound for the topics that somebody in the process waits for: a
front hears of its own rooms, not of every ticket there is. Nothing is durable or confirmed: signals are hints (`models.live`).
The connection is made when the process first signals or waits, and again, with growing pauses, when it breaks; then everybody
who waits is told that they may have missed something.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import threading
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any

import pika
import pika.exceptions
import structlog

from baton.actors.rabbitmq_connection import parameters_of
from baton.models.live import Hub, Signal, hub
from baton.models.settings import Settings

EXCHANGE = "baton.live"
#: Signals waiting to leave at most, and waiting in this process's queue at RabbitMQ; the oldest go first.
WAITING_SIGNALS = 10_000
#: Longest pause between two attempts to connect, in seconds.
LONGEST_PAUSE = 10.0

log = structlog.get_logger("baton.live")


def connect(settings: Settings) -> None:
    """Have this process's signals travel to others, where there is a RabbitMQ. Nothing is connected before its first use."""
    if settings.broker_url.startswith("amqp"):
        hub.connect(LiveExchange(settings.broker_url, hub))


class LiveExchange:
    """The exchange as `models.live.Exchange`."""

    def __init__(self, url: str, of: Hub) -> None:
        self._parameters = parameters_of(url, "live")
        self._hub = of
        #: Marks this process's own signals, which it has delivered already.
        self._origin = uuid.uuid4().hex[:12]
        self._outgoing: deque[Signal] = deque(maxlen=WAITING_SIGNALS)
        #: Topics to bind (true) or unbind, in order.
        self._changes: deque[tuple[str, bool]] = deque()
        self._connection: Any = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def publish(self, signals: Iterable[Signal]) -> None:
        """Have signals leave soon."""
        self._outgoing.extend(signals)
        self._nudge()

    def bind(self, topic: str) -> None:
        """Have a topic's signals come."""
        self._changes.append((topic, True))
        self._nudge()

    def unbind(self, topic: str) -> None:
        """Have them come no longer."""
        self._changes.append((topic, False))
        self._nudge()

    def close(self) -> None:
        """End the connection and the thread."""
        self._stop.set()
        self._nudge()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _nudge(self) -> None:
        """Start the thread if there is none, or wake it."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="live-exchange", daemon=True)
                self._thread.start()
        connection = self._connection
        if connection is not None:
            # One that has just broken is made again; what waits goes out on the next.
            with contextlib.suppress(pika.exceptions.AMQPError):
                connection.add_callback_threadsafe(lambda: None)

    def _run(self) -> None:
        pause = 0.2
        while not self._stop.is_set():
            try:
                self._connection = pika.BlockingConnection(self._parameters)
                self._carry(self._connection)
                return
            except (pika.exceptions.AMQPError, OSError, AssertionError) as error:
                if self._connection is not None:
                    pause = 0.2
                self._connection = None
                log.warning("live_exchange_away", reason=repr(error)[:200], consequence="news of other processes comes late")
            # Spread, so that a broker that comes back does not meet every process in the same instant.
            self._stop.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _carry(self, connection: Any) -> None:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=False)
        limits = {"x-max-length": WAITING_SIGNALS}
        queue = channel.queue_declare("", exclusive=True, auto_delete=True, arguments=limits).method.queue
        channel.basic_consume(queue, self._on_signal, auto_ack=True)
        self._changes.clear()
        for topic in self._hub.topics():
            channel.queue_bind(queue, EXCHANGE, routing_key(topic))
        self._hub.behind()
        log.info("live_exchange_connected")
        while not self._stop.is_set():
            self._bind(channel, queue)
            while self._outgoing:
                self._publish(channel, self._outgoing.popleft())
            connection.process_data_events(time_limit=5.0)
            if not channel.is_open or not channel.consumer_tags:
                raise pika.exceptions.AMQPConnectionError("RabbitMQ ended the consumption of the signals")
        connection.close()

    def _bind(self, channel: Any, queue: str) -> None:
        while self._changes:
            topic, wanted = self._changes.popleft()
            if wanted:
                channel.queue_bind(queue, EXCHANGE, routing_key(topic))
                # What was signalled between the subscription and the binding did not come.
                self._hub.behind(topic)
            else:
                channel.queue_unbind(queue, EXCHANGE, routing_key(topic))

    def _publish(self, channel: Any, signal: Signal) -> None:
        body = json.dumps({"topic": signal.topic, "payload": dict(signal.payload), "origin": self._origin})
        channel.basic_publish(EXCHANGE, routing_key(signal.topic), body.encode())

    def _on_signal(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        try:
            found = json.loads(body)
            signal = Signal(str(found["topic"]), dict(found["payload"]))
        except (ValueError, TypeError, KeyError):
            log.warning("signal_unreadable", bytes=len(body))
            return
        if found.get("origin") != self._origin:
            self._hub.deliver(signal)


def routing_key(topic: str) -> str:
    """Return a topic as AMQP can carry it, at most 255 bytes. A key that reads as a pattern only binds more than is needed."""
    key = topic.encode("utf-8", "replace")
    return topic if len(key) <= 255 else hashlib.sha256(key).hexdigest()
