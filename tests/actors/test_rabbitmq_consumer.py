"""The order in which a consumer hands out what it has fetched. No server is needed."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pika
import pytest

from baton.actors.rabbitmq_consumer import GATHER_SECONDS, RabbitmqConsumer


@pytest.mark.parametrize(
    ("priorities", "order"),
    [
        ([None, None, None], [1, 2, 3]),
        ([None, 0, 5, None, 9, 5], [5, 3, 6, 1, 2, 4]),
        ([3, 2, 1], [1, 2, 3]),
        ([1, 2, 3], [3, 2, 1]),
    ],
)
def test_what_was_fetched_goes_by_priority_and_equals_by_age(priorities, order):
    consumer = RabbitmqConsumer.__new__(RabbitmqConsumer)
    consumer._received, consumer._open_tags = deque(), {}
    for tag, priority in enumerate(priorities, start=1):
        consumer._on_message(None, SimpleNamespace(delivery_tag=tag), pika.BasicProperties(priority=priority), b"")
    assert [method.delivery_tag for method, _, _ in consumer._received] == order
    assert list(consumer._open_tags) == [tag for tag, _ in enumerate(priorities, start=1)]


@pytest.mark.parametrize(
    ("queue", "waited", "count", "goes"),
    [
        ("workflow.clocks", 0.0, 1, False),
        ("workflow.clocks", 0.0, 49, False),
        ("workflow.clocks", 0.0, 50, True),
        ("workflow.clocks", 60.0, 1, True),
        ("workflow.allocation", 0.0, 1, True),
    ],
)
def test_what_follows_an_action_gathers_for_a_moment_or_until_a_batch_is_full(queue, waited, count, goes):
    consumer = RabbitmqConsumer.__new__(RabbitmqConsumer)
    consumer.broker = SimpleNamespace(batch_size=50)
    consumer._received, consumer._open_tags, consumer._next = deque(), {}, None
    consumer._in_flight, consumer._seconds = 0, 1.0
    # An hour, so that no pause of this process is taken for the moment.
    consumer._gather_seconds = 3_600.0 if GATHER_SECONDS.get(queue) else 0.0
    for tag in range(count):
        consumer._on_message(None, SimpleNamespace(delivery_tag=tag), pika.BasicProperties(), b"")
    consumer._waiting_since -= waited * 3_600
    assert consumer._may_hand_out() is goes
    assert 0 <= consumer._patience() <= 1.0


def test_a_consumer_with_nothing_to_hand_out_listens_as_long_as_it_was_told():
    consumer = RabbitmqConsumer.__new__(RabbitmqConsumer)
    consumer.broker = SimpleNamespace(batch_size=50)
    consumer._received, consumer._next, consumer._in_flight, consumer._seconds = deque(), None, 0, 1.0
    consumer._gather_seconds = 0.1
    assert not consumer._may_hand_out()
    assert consumer._patience() == 1.0
