"""The embedded broker: what was published is handled, whoever dies; what cannot be handled stays where a person sees it."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager

import dramatiq
import pytest

from baton.actors import embedded_keeper, embedded_mailbox
from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.actors.embedded_broker import EmbeddedBroker
from baton.actors.embedded_keeper import sign_in
from baton.actors.embedded_mailbox import Mailbox
from baton.models.database import DatabaseUnavailableError
from baton.models.settings import get_settings
from tests.actors.notes import Note, eventually, handler, in_file, keep, kept, wire_of


@pytest.fixture
def broker(embedded_broker):
    broker = embedded_broker()
    dramatiq.set_broker(broker)
    return broker


@contextmanager
def working(broker, threads=2):
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=50)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def taken(broker, text, timeout=50):
    """Return a batch with this text, as a consumer of the queue gets it, and the consumer."""
    broker.publish([wire_of(text)])
    consumer = broker.consume(Note.queue, timeout=timeout)
    return next(consumer), consumer


def test_it_is_the_broker_when_nothing_is_configured(monkeypatch):
    from baton.actors.broker import make_broker

    made = make_broker(get_settings())
    assert isinstance(made, EmbeddedBroker)
    assert not made.store.path.exists()


def test_published_messages_are_handled_in_batches_and_gone(broker):
    sizes = []

    def rule(tx, deliveries):
        sizes.append(len(deliveries))
        keep(tx, deliveries)

    handler(rule)
    broker.publish([wire_of(f"n{number}") for number in range(100)])
    with working(broker):
        broker.join(Note.queue, timeout=90_000)
    assert len(kept()) == 100
    assert sum(sizes) == 100
    assert max(sizes) == 20
    assert in_file(broker) == 0


def test_sending_to_an_actor_works_as_with_any_dramatiq_broker(broker):
    actor = handler(keep)
    with working(broker):
        actor.send(text="now")
        actor.send_with_options(kwargs={"text": "later"}, delay=2_000)
        eventually(lambda: kept() == ["now"])
        eventually(lambda: in_file(broker) == 1)
        broker.join(Note.queue, timeout=90_000)
    assert kept() == ["later", "now"]


def test_no_consumer_for_delays_is_ever_started(broker):
    handler(keep)
    with working(broker) as worker:
        assert list(worker.consumers) == [Note.queue]


def test_messages_survive_the_process_that_published_them(broker, embedded_broker):
    broker.publish([wire_of("kept")])
    broker.close()
    assert in_file(embedded_broker()) == 1


def test_a_message_is_with_one_consumer_only(broker, embedded_broker):
    handler(keep)
    message, _ = taken(broker, "one")
    assert message is not None
    other = embedded_broker()
    other.declare_queue(Note.queue)
    assert next(other.consume(Note.queue, timeout=50)) is None


def test_an_ended_lease_hands_the_message_over_and_the_late_acknowledgement_deletes_nothing(broker, embedded_broker, monkeypatch):
    monkeypatch.setattr(embedded_mailbox, "LEASE_MS", -1)
    handler(keep)
    late, consumer = taken(broker, "one")
    monkeypatch.undo()
    other = embedded_broker()
    other.declare_actor(broker.actors[Note.name])
    again = next(other.consume(Note.queue, timeout=500))
    assert again.batch.deliveries[0].redelivered
    consumer.ack(late)
    consumer.close()
    assert in_file(other) == 1


def test_a_released_batch_comes_back_as_redelivered(broker, monkeypatch):
    monkeypatch.setattr(embedded_mailbox, "RELEASE_MS", 0)
    handler(keep)
    message, consumer = taken(broker, "one", timeout=500)
    message.batch.released = True
    consumer.ack(message)
    again = next(consumer)
    assert [(raw.kwargs, raw.redelivered) for raw in again.batch.deliveries] == [({"text": "one"}, True)]


def test_an_exception_on_the_way_to_the_handler_releases_the_batch(broker):
    handler(keep)
    message, consumer = taken(broker, "one")
    message.stuff_exception(RuntimeError("a middleware broke"))
    consumer.ack(message)
    consumer.close()
    assert in_file(broker) == 1


def test_a_worker_that_stops_hands_back_what_it_has_not_started(broker, embedded_broker):
    started = []

    def slow(tx, deliveries):
        started.append(len(deliveries))
        time.sleep(0.3)

    handler(slow)
    broker.publish([wire_of(f"n{number}") for number in range(200)])
    with working(broker, threads=1):
        eventually(lambda: started)
    left = broker.store.read("SELECT count(*), max(tries), count(token) FROM message")[0]
    assert left == (200 - sum(started), 0, 0)


def test_handlers_that_wait_for_a_database_give_their_messages_back_on_stop(broker, monkeypatch):
    def away(_service):
        raise DatabaseUnavailableError("connection refused")

    monkeypatch.setattr("baton.actors.batches.write_tx", away)
    handler(keep)
    broker.publish([wire_of("one"), wire_of("two")])
    with working(broker):
        eventually(lambda: broker.store.read("SELECT count(*) FROM message WHERE token IS NOT NULL")[0][0] == 2)
    assert (in_file(broker), kept(), broker.dead_letters(Note.queue)) == (2, [], [])


def test_what_is_unreadable_or_for_nobody_is_a_dead_letter_and_blocks_nothing(broker):
    handler(keep)
    stranger = WireMessage(Note.queue, wire_of("x").body.replace(b"tests.note", b"tests.unheard"), "id-s")
    broker.publish([WireMessage(Note.queue, b"\xff", "id-g"), stranger, wire_of("good")])
    with working(broker):
        broker.join(Note.queue, timeout=90_000)
    letters = broker.dead_letters(Note.queue)
    assert kept() == ["good"]
    assert [letter.reason.split(":")[0] for letter in letters] == [
        "unreadable",
        "no actor named 'tests.unheard' consumes this queue",
    ]
    assert letters[0].wire.body == b"\xff"


def test_dead_letters_can_be_requeued_and_purged_by_id(broker):
    actor = handler(keep)
    for text in ("a", "b", "c"):
        broker.dead_letter(wire_of(text, attempt=3, ticket_number="HD-00000001"), "why", 3, "trace")
    a, b, _ = broker.dead_letters(Note.queue)
    assert (a.reason, a.attempts, a.traceback, a.actor_name, a.ticket_number) == (
        "why",
        3,
        "trace",
        actor.actor_name,
        "HD-00000001",
    )
    assert broker.requeue_dead_letters(Note.queue, [a.id, "nonsense"]) == 1
    assert broker.purge_dead_letters(Note.queue, [b.id]) == 1
    assert broker.queue_states([Note.queue])[0].dead == 1
    with working(broker):
        broker.join(Note.queue, timeout=90_000)
    assert kept() == ["a"]
    assert broker.purge_dead_letters(Note.queue) == 1


def test_the_same_message_dies_once(broker):
    broker.dead_letter(wire_of("a"), "first", 1)
    broker.dead_letter(wire_of("a"), "second", 2)
    assert [letter.reason for letter in broker.dead_letters(Note.queue)] == ["second"]


def test_queue_states_tell_what_waits_and_who_consumes(broker, embedded_broker):
    handler(keep)
    observer = embedded_broker()
    broker.publish([wire_of("a"), wire_of("b")])
    state = observer.queue_states([Note.queue])[0]
    assert (state.ready, state.consumers, state.dead) == (2, 0, 0)
    assert 0 <= state.oldest_seconds < 10
    with working(broker):
        eventually(lambda: observer.queue_states([Note.queue])[0].consumers == 1)
        broker.join(Note.queue, timeout=90_000)
    broker.close()
    assert observer.queue_states([Note.queue])[0].consumers == 0


def test_another_process_message_is_noticed_without_waiting_for_the_timeout(broker, embedded_broker):
    handler(keep)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=30_000)
    worker.start()
    try:
        eventually(lambda: broker.queue_states([Note.queue])[0].consumers == 1)
        embedded_broker().publish([wire_of("from elsewhere")])
        eventually(lambda: kept() == ["from elsewhere"], seconds=20)
    finally:
        # A consumer waiting out its long timeout ends as soon as something happens.
        for thread in (*worker.workers, *worker.consumers.values()):
            thread.stop()
        broker.wake(Note.queue)


def test_an_unusable_file_is_told_as_such(tmp_path):
    (tmp_path / "taken").write_text("")
    broker = EmbeddedBroker(tmp_path / "taken" / "broker.db")
    with pytest.raises(BrokerUnavailableError, match="taken"):
        broker.publish([wire_of("a")])


def test_what_a_dead_process_of_this_machine_held_is_taken_over_at_once(broker, embedded_broker):
    handler(keep)
    ghost = f"{socket.gethostname()}:{os.getpid()}:1"  # this process's id, but nobody this process has been
    broker.publish([wire_of("left behind")])
    mailbox = Mailbox(Note.queue, broker.store, ghost)
    sign_in(broker.store, ghost, [Note.queue])
    assert len(mailbox.claim(10)) == 1
    with working(broker):
        eventually(lambda: kept() == ["left behind"], seconds=20)
    assert broker.store.read("SELECT count(*) FROM consumer WHERE instance = ?", (ghost,)) == [(0,)]


def test_a_living_process_keeps_what_it_holds_for_longer_than_a_lease(broker, embedded_broker, monkeypatch):
    monkeypatch.setattr(embedded_mailbox, "LEASE_MS", 300)
    monkeypatch.setattr(embedded_keeper, "BEAT_SECONDS", 0.05)
    runs = []

    def slow(tx, deliveries):
        runs.extend(deliveries)
        time.sleep(1.0)

    handler(slow)
    broker.publish([wire_of("slow")])
    with working(broker):
        broker.join(Note.queue, timeout=90_000)
    assert len(runs) == 1
