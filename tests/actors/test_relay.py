"""The relay: what an outbox holds reaches the broker, in order, however often something fails on the way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.actors.relay import BATCH, ServiceRelay, run
from baton.actors.relay_wakeup import SingleRelay
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.messages import ReceiveTicket
from tests.factories import BACKENDS


class RecordingBroker:
    """Keeps what was published; fails as often as it is told to, before or after it has stored the messages."""

    def __init__(self) -> None:
        self.published: list[WireMessage] = []
        self.fail_before = 0
        self.fail_after = 0
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[WireMessage]) -> None:
        if self.fail_before:
            self.fail_before -= 1
            raise BrokerUnavailableError("down")
        with self._lock:
            self.published.extend(messages)
        if self.fail_after:
            self.fail_after -= 1
            raise BrokerUnavailableError("the connection broke before the confirmation")

    @property
    def numbers(self) -> list[int]:
        return [json.loads(wire.body)["kwargs"]["payload"]["number"] for wire in self.published]


@pytest.fixture
def broker() -> RecordingBroker:
    return RecordingBroker()


@pytest.fixture
def running(databases: Any, broker: RecordingBroker) -> Iterator[Callable[[], None]]:
    """Start relays for helpdesk, as many as it is called times; all end with the test."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.Thread(target=run, args=(databases, ("helpdesk",), stop, broker)))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(timeout=90)
        assert not thread.is_alive()


def announce(numbers: Sequence[int]) -> None:
    with write_tx("helpdesk") as tx:
        for number in numbers:
            tx.announce(ReceiveTicket(payload={"number": number}), ticket_number=f"HD-{number:08d}")


def waiting() -> int:
    with db.read_tx("helpdesk"):
        return int(runtime_tables("helpdesk").Outbox.select().count())


def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("backend", BACKENDS)
def test_messages_leave_in_the_order_of_their_transactions(databases: Any, broker: RecordingBroker) -> None:
    for number in range(10):
        announce([number * 2, number * 2 + 1])
    assert ServiceRelay(databases, "helpdesk", broker).relay_batch() == 20  # type: ignore[arg-type]
    assert broker.numbers == list(range(20))
    assert waiting() == 0
    assert ServiceRelay(databases, "helpdesk", broker).relay_batch() == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_broker_that_is_down_leaves_the_messages_in_the_outbox(databases: Any, broker: RecordingBroker) -> None:
    announce(range(5))
    broker.fail_before = 1
    relay = ServiceRelay(databases, "helpdesk", broker)  # type: ignore[arg-type]
    with pytest.raises(BrokerUnavailableError):
        relay.relay_batch()
    assert (broker.published, waiting()) == ([], 5)
    relay.relay_batch()
    assert broker.numbers == list(range(5))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crash_between_publishing_and_removing_repeats_instead_of_losing(databases: Any, broker: RecordingBroker) -> None:
    announce(range(5))
    broker.fail_after = 1
    relay = ServiceRelay(databases, "helpdesk", broker)  # type: ignore[arg-type]
    with pytest.raises(BrokerUnavailableError):
        relay.relay_batch()
    relay.relay_batch()
    assert broker.numbers == [*range(5), *range(5)]
    ids = [wire.message_id for wire in broker.published]
    assert ids[:5] == ids[5:], "the repetition bears the same message ids"
    assert waiting() == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_running_relay_is_woken_by_a_commit_and_drains_everything(running: Any, broker: RecordingBroker) -> None:
    announce(range(BATCH + 10))
    running()
    until(lambda: len(broker.published) == BATCH + 10)
    announce([BATCH + 10])
    until(lambda: len(broker.published) == BATCH + 11, seconds=60)
    assert broker.numbers == list(range(BATCH + 11))


def test_a_commit_of_another_process_is_noticed_on_sqlite(
    running: Any, broker: RecordingBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton.actors.relay.SWEEP_SECONDS", 3600.0)
    monkeypatch.setattr("baton.models.transaction.wake", lambda _topic: None)  # as if this process were another
    running()
    announce([1])
    until(lambda: broker.numbers == [1])
    announce([2])
    until(lambda: broker.numbers == [1, 2])


@pytest.mark.distributed
@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_commit_of_another_process_is_noticed_on_postgresql(
    running: Any, broker: RecordingBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baton.actors.relay.SWEEP_SECONDS", 3600.0)
    monkeypatch.setattr("baton.models.transaction.wake", lambda _topic: None)
    running()
    announce([1])
    until(lambda: broker.numbers == [1])
    announce([2])
    until(lambda: broker.numbers == [1, 2])


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_relays_send_each_message_once(running: Any, broker: RecordingBroker) -> None:
    for start in range(0, 3000, 100):
        announce(range(start, start + 100))
    for _ in range(3):
        running()
    until(lambda: len(broker.published) >= 3000)
    until(lambda: waiting() == 0)
    assert sorted(broker.numbers) == list(range(3000))


def test_one_relay_publishes_a_sqlite_outbox_and_the_next_takes_over(databases: Any) -> None:
    first, second = SingleRelay(databases, "helpdesk"), SingleRelay(databases, "helpdesk")
    assert first.hold()
    assert not second.hold()
    first.close()
    assert second.hold()
    second.close()


def test_q_9_a_failing_broker_is_tried_again_without_losing_the_order(running: Any, broker: RecordingBroker) -> None:
    broker.fail_before = 2
    announce(range(50))
    running()
    until(lambda: broker.numbers == list(range(50)))


def test_a_relay_shows_that_it_is_alive(running: Any) -> None:
    heartbeat = runtime_tables("helpdesk").Heartbeat

    def alive() -> bool:
        with db.read_tx("helpdesk"):
            return bool(heartbeat.select().where(heartbeat.kind == "relay").exists())

    running()
    until(alive)


def test_queues_named_in_the_settings_get_the_celery_form(databases: Any, broker: RecordingBroker) -> None:
    from dataclasses import replace

    announce([7])
    settings = replace(databases, celery_queues=frozenset({ReceiveTicket.queue}))
    ServiceRelay(settings, "helpdesk", broker).relay_batch()  # type: ignore[arg-type]
    [wire] = broker.published
    assert wire.headers["task"] == ReceiveTicket.name
    assert json.loads(wire.body)[1] == {"payload": {"number": 7}}
