"""The order in which a consumer hands out what it has fetched. No server is needed."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pika
import pytest

from baton.actors.rabbitmq_consumer import RabbitmqConsumer


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
