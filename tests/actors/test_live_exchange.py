"""Signals between processes, through RabbitMQ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest

from baton.actors.live_exchange import EXCHANGE, LiveExchange, routing_key
from baton.models.live import Hub, Signal, Subscription

pytestmark = pytest.mark.distributed


@pytest.fixture
def process(rabbitmq_url: str) -> Iterator[Callable[[], Hub]]:
    """Give hubs, each as of a process of its own."""
    exchanges = []

    def make() -> Hub:
        own = Hub()
        exchanges.append(LiveExchange(rabbitmq_url, own))
        own.connect(exchanges[-1])
        return own

    yield make
    for exchange in exchanges:
        exchange.close()


def until(subscription: Subscription, wanted: Callable[[Any], Any]) -> Any:
    """Return the first news that is wanted."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        news = subscription.news(0.5)
        if wanted(news):
            return news
    raise AssertionError("nothing of the kind came")


def test_a_signal_reaches_another_process_once(process: Callable[[], Hub]) -> None:
    one, other = process(), process()
    here, there = one.subscribe("ticket:1"), other.subscribe("ticket:1", "ticket:#")
    until(there, lambda news: news.behind)
    one.signal([Signal("ticket:1", {"up_to": 1}), Signal("ticket:2"), Signal("ticket:1", {"up_to": 2})])
    found = []
    while len(found) < 2:
        found += until(there, lambda news: news.signals).signals
    assert [signal.payload["up_to"] for signal in found] == [1, 2]
    until(here, lambda news: news.signals)
    assert not here.news(0.3).signals


def test_whoever_waits_is_behind_once_bound_and_after_a_lost_connection(process: Callable[[], Hub], rabbitmq_url: str) -> None:
    one, other = process(), process()
    subscription = one.subscribe("ticket:1")
    until(subscription, lambda news: news.behind)
    one._exchange._connection.add_callback_threadsafe(  # type: ignore[union-attr]
        lambda: one._exchange._connection._impl._terminate_stream(None)  # type: ignore[union-attr]
    )
    until(subscription, lambda news: news.behind)
    other.signal([Signal("ticket:1", {"up_to": 7})])
    assert until(subscription, lambda news: news.signals).signals[0].payload == {"up_to": 7}


def test_a_foreign_message_harms_nobody(process: Callable[[], Hub], rabbitmq_url: str) -> None:
    one, other = process(), process()
    subscription = one.subscribe("ticket:1")
    until(subscription, lambda news: news.behind)
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    for body in (b"\xff", b"[]", b'{"topic": "ticket:1", "payload": 3}'):
        connection.channel().basic_publish(EXCHANGE, "ticket:1", body)
    connection.close()
    other.signal([Signal("ticket:1", {"up_to": 1})])
    assert until(subscription, lambda news: news.signals).signals[0].payload == {"up_to": 1}


def test_a_long_topic_still_fits_amqp() -> None:
    assert routing_key("ticket:1") == "ticket:1"
    assert len(routing_key("ticket:" + "ö" * 200)) == 64
