"""RabbitMQ as the broker: batches, dead letters, foreign producers, lost connections. Needs a RabbitMQ server."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import dramatiq
import pika
import pytest

from baton.actors.broker import middleware
from baton.actors.broker_api import Batch, BrokerUnavailableError, WireMessage
from baton.actors.rabbitmq_broker import RabbitmqBroker

pytestmark = pytest.mark.distributed
QUEUE = "TICKET_TASKS_PRODUCTION"


@pytest.fixture(scope="module")
def rabbitmq_url(rabbitmq_server: Any) -> Iterator[str]:
    """One virtual host for all tests of this module: making one takes seconds. Each test leaves its queues empty."""
    url: str = rabbitmq_server.fresh_url()
    yield url
    rabbitmq_server.forget(url)


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[RabbitmqBroker]:
    broker = RabbitmqBroker(rabbitmq_url, batch_size=10, middleware=middleware())
    broker.emit_after("process_boot")
    yield broker
    broker.flush(QUEUE)
    broker.close()


@pytest.fixture
def work(broker: RabbitmqBroker) -> Iterator[Callable[..., list[list[str]]]]:
    """Start a worker for an actor named `note`; what it was given appears, batch by batch, in the returned list."""
    workers: list[dramatiq.Worker] = []

    def start(handle: Callable[[Batch], None] = lambda batch: None, name: str = "note") -> list[list[str]]:
        seen: list[list[str]] = []

        def note(batch: Batch) -> None:
            handle(batch)
            if not batch.released:
                seen.append([delivery.wire.message_id for delivery in batch.deliveries])

        dramatiq.actor(note, actor_name=name, queue_name=QUEUE, broker=broker)
        workers.append(dramatiq.Worker(broker, worker_threads=4, worker_timeout=100))
        workers[-1].start()
        return seen

    yield start
    for worker in workers:
        worker.stop(timeout=5_000)


def message(actor: str = "note", queue: str = QUEUE, message_id: str | None = None) -> WireMessage:
    message_id = message_id or str(uuid.uuid4())
    envelope = {"message_id": message_id, "trace_id": "t", "ticket_number": "HD-00000001", "attempt": 1}
    body = {
        "queue_name": queue,
        "actor_name": actor,
        "args": [],
        "kwargs": {},
        "options": {"envelope": envelope},
        "message_id": message_id,
        "message_timestamp": 1,
    }
    return WireMessage(queue=queue, body=json.dumps(body).encode(), message_id=message_id)


def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def flat(batches: list[list[str]]) -> list[str]:
    return [message_id for batch in batches for message_id in batch]


def test_messages_arrive_in_batches_each_once(broker: RabbitmqBroker, work: Any) -> None:
    sent = [message() for _ in range(35)]
    broker.publish(sent)
    seen = work()
    until(lambda: len(flat(seen)) == 35)
    assert max(map(len, seen)) == 10
    assert sorted(flat(seen)) == sorted(wire.message_id for wire in sent)
    until(lambda: broker.queue_states([QUEUE])[0].ready == 0)


def test_what_was_handled_is_not_delivered_again(broker: RabbitmqBroker, work: Any) -> None:
    broker.publish([message() for _ in range(200)])
    pace = iter(range(1000))
    # Every third batch takes longer, so acknowledgements come out of order with several batches in flight.
    seen = work(lambda batch: time.sleep(0.05 if next(pace) % 3 == 0 else 0.001))
    until(lambda: len(flat(seen)) == 200)
    broker_connections_closed(broker)
    broker.publish([message(message_id="after")])
    until(lambda: "after" in flat(seen))
    assert len(flat(seen)) == 201


def test_a_released_batch_comes_again(broker: RabbitmqBroker, work: Any) -> None:
    refusals = iter([True, False, False, False])

    def release_once(batch: Batch) -> None:
        batch.released = next(refusals, False)

    broker.publish([message(message_id="again")])
    seen = work(release_once)
    until(lambda: flat(seen) == ["again"])


def test_a_handler_that_breaks_down_loses_nothing(broker: RabbitmqBroker, work: Any) -> None:
    breakdowns = iter([True])

    def break_once(_batch: Batch) -> None:
        if next(breakdowns, False):
            raise RuntimeError("out of memory, say")

    broker.publish([message(message_id="kept")])
    seen = work(break_once)
    until(lambda: flat(seen) == ["kept"])


def test_a_redelivered_message_runs_alone(broker: RabbitmqBroker, work: Any) -> None:
    sizes: list[tuple[int, bool]] = []
    releases = iter([True])

    def release_once(batch: Batch) -> None:
        sizes.append((len(batch.deliveries), batch.deliveries[0].redelivered))
        batch.released = next(releases, False)

    broker.publish([message() for _ in range(5)])
    seen = work(release_once)
    until(lambda: len(flat(seen)) == 5)
    assert all(size == 1 for size, redelivered in sizes if redelivered)
    assert any(redelivered for _, redelivered in sizes)


def test_q_10_unreadable_and_unknown_messages_become_dead_letters_and_block_nothing(broker: RabbitmqBroker, work: Any) -> None:
    broker.publish(
        [
            WireMessage(queue=QUEUE, body=b"\xff\xfe not json", message_id="broken"),
            message(actor="from.the.future", message_id="unknown"),
            message(message_id="good"),
        ]
    )
    seen = work()
    until(lambda: flat(seen) == ["good"])
    until(lambda: broker.queue_states([QUEUE])[0].dead == 2)
    broken, unknown = broker.dead_letters(QUEUE)
    assert broken.wire.body == b"\xff\xfe not json"
    assert "UTF-8" in broken.reason
    assert "from.the.future" in unknown.reason
    assert (unknown.actor_name, unknown.ticket_number) == ("from.the.future", "HD-00000001")
    assert broker.queue_states([QUEUE])[0].ready == 0


def test_a_message_id_of_any_length_does_not_block_the_queue(broker: RabbitmqBroker, work: Any) -> None:
    broker.publish([message(actor="unknown", message_id="x" * 1000), message(message_id="good")])
    seen = work()
    until(lambda: flat(seen) == ["good"])
    until(lambda: broker.queue_states([QUEUE])[0].dead == 1)


def test_dead_letters_keep_body_headers_reason_and_the_end_of_the_traceback(broker: RabbitmqBroker) -> None:
    wire = WireMessage(
        queue=QUEUE,
        body=b"[[], {}, {}]",
        message_id="m1",
        headers={"task": "some.task", "id": "m1", "retries": 0},
        properties={"correlation_id": "m1", "content_type": "application/json"},
    )
    broker.dead_letter(wire, "no such ticket", attempts=3, traceback="x" * 20_000 + "ValueError: the end")
    [letter] = broker.dead_letters(QUEUE)
    assert (letter.reason, letter.attempts) == ("no such ticket", 3)
    assert letter.traceback.endswith("ValueError: the end")
    assert len(letter.traceback) == 8_000
    assert letter.wire.body == wire.body
    assert letter.wire.headers == wire.headers
    assert letter.wire.properties["correlation_id"] == "m1"
    # Looking changes nothing: the same letter is there again, under the same id.
    until(lambda: [again.id for again in broker.dead_letters(QUEUE)] == [letter.id])


def test_dead_letters_are_requeued_and_purged_by_id(broker: RabbitmqBroker) -> None:
    for number in range(5):
        broker.dead_letter(message(message_id=f"m{number}"), "tried", attempts=1)
    ids = {letter.wire.message_id: letter.id for letter in broker.dead_letters(QUEUE)}
    assert broker.requeue_dead_letters(QUEUE, [ids["m3"], "unknown"]) == 1
    until(lambda: broker.queue_states([QUEUE])[0].dead == 4)
    assert broker.purge_dead_letters(QUEUE, [ids["m0"]]) == 1
    until(lambda: [letter.wire.message_id for letter in broker.dead_letters(QUEUE)] == ["m1", "m2", "m4"])
    assert broker.requeue_dead_letters(QUEUE) == 3
    state = broker.queue_states([QUEUE])[0]
    assert (state.ready, state.dead) == (4, 0)


def test_a_requeued_message_is_as_it_was_with_a_fresh_count(broker: RabbitmqBroker, rabbitmq_url: str) -> None:
    original = message(message_id="m1")
    tried = WireMessage(QUEUE, original.body.replace(b'"attempt": 1', b'"attempt": 9'), "m1", {"own": "header"})
    broker.dead_letter(tried, "gave up", attempts=9)
    broker.requeue_dead_letters(QUEUE)
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        _, properties, body = connection.channel().basic_get(QUEUE)
    assert json.loads(body)["options"]["envelope"]["attempt"] == 1
    assert properties.headers == {"own": "header"}
    assert properties.delivery_mode == 2


def test_a_celery_producer_declares_the_same_queues_without_arguments(
    broker: RabbitmqBroker, work: Any, rabbitmq_url: str
) -> None:
    seen = work()
    until(lambda: broker.queue_states([QUEUE])[0].consumers == 1)
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        properties = pika.BasicProperties(
            headers={"lang": "py", "task": "note", "id": "celery-1"},
            content_type="application/json",
            content_encoding="utf-8",
            correlation_id="celery-1",
            delivery_mode=2,
        )
        channel.basic_publish("", QUEUE, b'[[], {}, {"callbacks": null}]', properties)
    until(lambda: flat(seen) == ["celery-1"])


def test_no_queue_for_delays_is_ever_declared(broker: RabbitmqBroker, work: Any) -> None:
    work()
    until(lambda: broker.queue_states([QUEUE])[0].consumers == 1)
    assert broker.delay_queues == set()
    with pytest.raises(ValueError, match="not delayed"):
        broker.actors["note"].send_with_options(delay=1000)


def test_nothing_is_lost_when_every_connection_is_closed(broker: RabbitmqBroker, work: Any) -> None:
    seen = work(lambda batch: time.sleep(0.01))
    sent: list[str] = []
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            wires = [message() for _ in range(20)]
            publish_patiently(broker, wires)
            sent.extend(wire.message_id for wire in wires)

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: len(sent) > 200)
    broker_connections_closed(broker)
    before = len(sent)
    until(lambda: len(sent) > before + 200, seconds=90)
    stop.set()
    sender.join()
    until(lambda: set(sent) <= set(flat(seen)), seconds=90)


def publish_patiently(broker: RabbitmqBroker, wires: list[WireMessage]) -> None:
    while True:
        try:
            return broker.publish(wires)
        except BrokerUnavailableError:
            time.sleep(0.1)


def broker_connections_closed(broker: RabbitmqBroker) -> None:
    """Have RabbitMQ close every connection of this broker's virtual host, as an operator or a restart would."""
    vhost = unquote(urlsplit(f"amqp://x/{broker.parameters[0].virtual_host}").path.lstrip("/"))
    command = ["rabbitmqctl", "close_all_connections", "-p", vhost, "test"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("rabbitmqctl cannot reach this server")


def test_a_queue_that_somebody_deleted_comes_back(broker: RabbitmqBroker, work: Any, rabbitmq_url: str) -> None:
    seen = work()
    broker.publish([message(message_id="before")])
    until(lambda: flat(seen) == ["before"])
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        connection.channel().queue_delete(QUEUE)
    broker.publish([message(message_id=f"after-{number}") for number in range(20)])
    until(lambda: len(flat(seen)) == 21, seconds=90)
