"""The publisher: every message confirmed or an error, from any thread, over a connection that repairs itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from baton.actors import publisher as module
from baton.actors import publisher_link
from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.actors.publisher import Publisher
from baton.actors.rabbitmq_connection import wire_message

NOWHERE = "amqp://guest:guest@127.0.0.1:1/x"


@pytest.fixture(scope="module")
def rabbitmq_url(rabbitmq_server: Any) -> Iterator[str]:
    """One virtual host for all tests of this module: making one takes seconds. Each test leaves its queues empty."""
    url: str = rabbitmq_server.fresh_url()
    yield url
    rabbitmq_server.forget(url)


@pytest.fixture
def publisher(rabbitmq_url: str) -> Iterator[Publisher]:
    publisher = Publisher(rabbitmq_url)
    yield publisher
    publisher.close()
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        channel = connection.channel()
        for number in range(7):
            channel.queue_delete(f"queue-{number}")


def wires(count: int, queue: str = "queue-0") -> list[WireMessage]:
    return [WireMessage(queue=queue, body=b"%d" % number, message_id=str(number)) for number in range(count)]


def stored(url: str, queue: str) -> list[tuple[Any, bytes]]:
    """Take everything off a queue."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        found = []
        while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
            found.append((got[1], got[2]))
        return found


def test_an_unreachable_broker_is_an_error_not_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_link, "CONNECT_SECONDS", 0.3)
    publisher = Publisher(NOWHERE)
    with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
        publisher.publish_batch(wires(1))
    publisher.close()
    with pytest.raises(BrokerUnavailableError, match="stopping"):
        publisher.publish_batch(wires(1))


def test_nothing_to_publish_needs_no_broker() -> None:
    Publisher(NOWHERE).publish_batch([])


def test_large_messages_go_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 100)
    large = [WireMessage("q", b"x" * size, "m") for size in (40, 40, 40, 500, 10)]
    assert [len(window) for window in module._windows(large)] == [2, 1, 1, 1]


@pytest.mark.distributed
def test_messages_are_stored_persistent_in_order_on_queues_that_did_not_exist(publisher: Publisher, rabbitmq_url: str) -> None:
    publisher.publish_batch([*wires(300), *wires(3, "queue-1")])
    found = stored(rabbitmq_url, "queue-0")
    assert [body for _, body in found] == [b"%d" % number for number in range(300)]
    assert {properties.delivery_mode for properties, _ in found} == {2}
    assert len(stored(rabbitmq_url, "queue-1")) == 3


@pytest.mark.distributed
def test_the_next_of_several_brokers_is_tried(rabbitmq_url: str) -> None:
    publisher = Publisher(f"{NOWHERE};{rabbitmq_url}")
    publisher.publish_batch(wires(1, "queue-of-several"))
    publisher.close()
    assert len(stored(rabbitmq_url, "queue-of-several")) == 1


@pytest.mark.distributed
def test_headers_and_properties_survive_the_journey(publisher: Publisher, rabbitmq_url: str) -> None:
    headers = {"task": "t", "retries": 0, "timelimit": [None, None], "baton_envelope": '{"a":1}'}
    properties = {"content_type": "application/json", "correlation_id": "c", "message_id": "own"}
    publisher.publish_batch([WireMessage("queue-0", b"[]", "m", headers, properties)])
    [(found, body)] = stored(rabbitmq_url, "queue-0")
    arrived = wire_message("queue-0", body, found)
    assert (arrived.headers, arrived.properties) == (headers, properties)


@pytest.mark.distributed
def test_many_threads_publish_over_one_connection(publisher: Publisher, rabbitmq_url: str) -> None:
    def publish(name: int) -> None:
        for number in range(5):
            publisher.publish_batch(wires(20, f"queue-{(name + number) % 7}"))

    threads = [threading.Thread(target=publish, args=(name,)) for name in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    assert sum(len(stored(rabbitmq_url, f"queue-{number}")) for number in range(7)) == 10 * 5 * 20


@pytest.mark.distributed
def test_a_refused_message_is_an_error(publisher: Publisher, rabbitmq_url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        full = {"x-max-length": 1, "x-overflow": "reject-publish"}
        connection.channel().queue_declare("queue-0", durable=True, arguments=full)
    with pytest.raises(BrokerUnavailableError, match="refused"):
        publisher.publish_batch(wires(50))
    publisher.publish_batch(wires(1, "queue-1"))


@pytest.mark.distributed
def test_a_queue_that_cannot_be_declared_names_the_cause(publisher: Publisher) -> None:
    with pytest.raises(BrokerUnavailableError, match="ACCESS_REFUSED"):
        publisher.publish_batch(wires(1, "amq.reserved"))
    publisher.publish_batch(wires(1))
