"""Handlers: each message done once in effect, or visibly somewhere else, whatever is wrong with it or around it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dramatiq
import pytest

from baton.actors.batches import run_batch
from baton.actors.handling import NotYetError, RefusedError, delivery_of
from baton.actors.outcomes import MAX_STARTS, count_start, retry_delay
from baton.actors.stub_broker import MemoryBroker
from baton.models.transaction import current_trace, write_tx
from tests.actors.notes import SERVICE, Note, T, batch_of, handler, keep, kept, open_tables, rows, wire_of


@pytest.fixture
def broker(memory_broker):
    return memory_broker


@pytest.fixture
def work(broker):
    """Run a worker until the queue is empty."""

    def run() -> None:
        worker = dramatiq.Worker(broker, worker_timeout=20, worker_threads=2)
        worker.start()
        try:
            broker.join(Note.queue, timeout=90_000)
            worker.join()
        finally:
            worker.stop()

    return run


def reasons(broker: MemoryBroker) -> list[str]:
    return [letter.reason for letter in broker.letters]


def announced() -> list[dict[str, Any]]:
    """What the rules announced: the outbox without the issues that failures make."""
    return [row for row in rows(T.Outbox) if row["name"] == Note.name]


def test_a_sent_message_is_handled_and_what_it_announces_is_in_the_outbox(broker, work):
    actor = handler(keep)
    actor.send(text="one")
    work()
    assert kept() == ["one"]
    assert [json.loads(row["kwargs"]) for row in rows(T.Outbox)] == [{"text": "one", "number": 0}]
    assert broker.letters == []


def test_an_actor_states_its_name_queue_and_retries(broker):
    actor = handler(keep, max_retries=7)
    assert (actor.actor_name, actor.queue_name) == (Note.name, Note.queue)
    assert (actor.options["max_retries"], actor.options["throws"]) == (7, (RefusedError,))


def test_the_same_message_twice_changes_nothing_more(broker):
    actor = handler(keep)
    run_batch(actor, batch_of(wire_of("one"), wire_of("one"), wire_of("two")))
    run_batch(actor, batch_of(wire_of("one"), redelivered=True))
    assert kept() == ["one", "two"]
    assert len(rows(T.Outbox)) == 2
    assert rows(T.DeliveryAttempt) == []


def test_a_rule_runs_directly_on_deliveries(broker):
    actor = handler(keep)
    with write_tx(SERVICE) as tx:
        actor.handle(tx, [delivery_of(Note(text="direct"), version=3)])
    assert kept() == ["direct"]


@pytest.mark.parametrize(
    "kwargs",
    [
        '{"text": 5}',
        "{}",
        '{"text": null}',
        '{"text": "x", "number": "1"}',
        '{"text":"x","number":true}',
        f'{{"text": "x", "number": {2**63}}}',
    ],
)
def test_wrong_fields_never_reach_the_rule(broker, kwargs):
    actor = handler(keep)
    run_batch(actor, batch_of(wire_of("good"), wire_of("bad", kwargs=kwargs)))
    assert kept() == ["good"]
    assert reasons(broker)[0].startswith("wrong fields: ")


def test_unknown_fields_are_ignored(broker):
    run_batch(handler(keep), batch_of(wire_of("x", kwargs='{"text": "x", "added_later": [1]}')))
    assert kept() == ["x"]


def test_a_refused_message_goes_to_the_dead_letters_with_reason_traceback_and_attempts(broker):
    def refuse(tx, deliveries):
        raise RefusedError("no such ticket")

    batch = batch_of(wire_of("one", attempt=2, ticket_number="HD-00000007"))
    run_batch(handler(refuse), batch)
    (letter,) = broker.letters
    assert (letter.reason, letter.attempts, letter.ticket_number) == ("no such ticket", 2, "HD-00000007")
    assert "RefusedError" in letter.traceback
    assert not batch.released
    assert rows(T.DeferredMessage) == []


def test_refusing_one_of_a_batch_keeps_the_others_in_their_transaction(broker):
    sizes = []

    def rule(tx, deliveries):
        sizes.append(len(deliveries))
        keep(tx, [delivery for delivery in deliveries if delivery.message.text != "bad"])
        next(delivery for delivery in deliveries if delivery.message.text == "bad").refuse("not this one")

    run_batch(handler(rule), batch_of(*[wire_of(text) for text in ("a", "bad", "c")]))
    assert (sizes, kept(), reasons(broker)) == ([3], ["a", "c"], ["not this one"])


@pytest.mark.parametrize("error", [RefusedError("broken"), ValueError("broken"), NotYetError("broken")])
def test_one_bad_message_of_twenty_harms_only_itself(broker, error):
    def rule(tx, deliveries):
        keep(tx, deliveries)
        if any(delivery.message.text == "n13" for delivery in deliveries):
            raise error

    run_batch(handler(rule), batch_of(*[wire_of(f"n{number}") for number in range(20)]))
    assert len(kept()) == len(announced()) == 19
    retried = [row["message_id"] for row in rows(T.DeferredMessage)]
    assert (retried, reasons(broker)) == (([], ["broken"]) if isinstance(error, RefusedError) else (["id-n13"], []))


def test_a_failure_leaves_no_row_and_no_outbox_entry_but_a_retry(broker):
    def fail(tx, deliveries):
        keep(tx, deliveries)
        raise ZeroDivisionError("late")

    before = datetime.now(UTC)
    run_batch(handler(fail), batch_of(wire_of("one", attempt=2, version=4)))
    assert (kept(), announced(), broker.letters) == ([], [], [])
    (row,) = rows(T.DeferredMessage)
    envelope = json.loads(row["envelope"])
    assert (row["attempt"], envelope["attempt"], envelope["version"], envelope["message_id"]) == (3, 3, 4, "id-one")
    assert (row["queue"], row["name"], json.loads(row["kwargs"])) == (Note.queue, Note.name, {"text": "one"})
    assert "ZeroDivisionError: late" in row["reason"]
    assert timedelta(seconds=1.5) <= row["due_at"] - before <= timedelta(seconds=3.5)


def test_retries_end_in_the_dead_letters(broker):
    def fail(tx, deliveries):
        raise ZeroDivisionError("always")

    run_batch(handler(fail, max_retries=2), batch_of(wire_of("one", attempt=3)))
    assert reasons(broker) == ["gave up after 3 attempts: ZeroDivisionError: always"]
    assert rows(T.DeferredMessage) == []


def test_a_message_that_failed_before_its_worker_died_is_deferred_once(broker):
    def fail(tx, deliveries):
        raise NotYetError("role 5 is unknown")

    actor = handler(fail)
    run_batch(actor, batch_of(wire_of("one")))
    run_batch(actor, batch_of(wire_of("one"), redelivered=True))
    assert [row["attempt"] for row in rows(T.DeferredMessage)] == [2]
    assert rows(T.DeliveryAttempt) == []


def test_a_message_not_due_yet_waits_as_a_row_without_costing_an_attempt(broker):
    due = datetime.now(UTC) + timedelta(minutes=10)
    wire = wire_of("later", not_before=due.isoformat())
    run_batch(handler(keep), batch_of(wire))
    (row,) = rows(T.DeferredMessage)
    assert (row["attempt"], row["due_at"], kept()) == (1, due, [])
    assert "not_before" not in json.loads(row["envelope"])


def test_a_message_that_kills_its_worker_is_given_up_after_so_many_starts(broker):
    def die(tx, deliveries):
        raise KeyboardInterrupt

    actor = handler(die)
    for _ in range(MAX_STARTS):
        batch = batch_of(wire_of("poison"), redelivered=True)
        with pytest.raises(KeyboardInterrupt):
            run_batch(actor, batch)
        assert batch.released
    assert [row["attempts"] for row in rows(T.DeliveryAttempt)] == [MAX_STARTS]
    run_batch(actor, batch_of(wire_of("poison"), redelivered=True))
    assert "killed its worker" in reasons(broker)[0]
    assert rows(T.DeliveryAttempt) == []


def test_redelivered_messages_run_alone(broker):
    sizes = []
    actor = handler(lambda tx, deliveries: sizes.append(len(deliveries)))
    run_batch(actor, batch_of(wire_of("a"), wire_of("b"), wire_of("c"), redelivered=True))
    assert sizes == [1, 1, 1]


def test_what_a_single_message_announces_inherits_its_trace(broker):
    traces = []
    actor = handler(lambda tx, deliveries: traces.append(current_trace.get()))
    run_batch(actor, batch_of(wire_of("a", trace_id="abc")))
    assert (traces, current_trace.get()) == (["abc"], None)


def test_pauses_double_from_the_least_to_the_most_and_are_spread():
    assert [retry_delay(attempt, 1_000, 5_000, jitter=1).total_seconds() for attempt in (1, 2, 3, 4, 99)] == [1, 2, 4, 5, 5]
    pauses = {retry_delay(1, 1_000, 5_000) for _ in range(50)}
    assert len(pauses) > 10
    assert all(0.75 <= pause.total_seconds() <= 1.25 for pause in pauses)


def test_dead_letters_go_back_to_their_queue_with_fresh_attempts(broker, work):
    seen = []
    actor = handler(lambda tx, deliveries: seen.extend(delivery.envelope.attempt for delivery in deliveries))
    broker.dead_letter(wire_of("again", attempt=9), "why", 9)
    assert broker.requeue_dead_letters(actor.queue_name) == 1
    work()
    assert (seen, broker.dead_letters(Note.queue)) == ([1], [])


@pytest.mark.distributed
def test_retries_and_starts_are_counted_on_postgresql_too(broker, postgres_url):
    open_tables(postgres_url)

    def fail(tx, deliveries):
        keep(tx, deliveries)
        raise NotYetError("role 5 is unknown")

    actor = handler(fail)
    for _ in range(2):
        run_batch(actor, batch_of(wire_of("one"), redelivered=True))
    assert [row["attempt"] for row in rows(T.DeferredMessage)] == [2]
    assert (kept(), rows(T.DeliveryAttempt)) == ([], [])
    assert [count_start(SERVICE, "m") for _ in range(3)] == [1, 2, 3]
    run_batch(handler_again(actor, keep), batch_of(*[wire_of(f"n{number}") for number in range(20)]))
    assert len(kept()) == len(rows(T.Outbox)) == 20


def handler_again(actor: Any, rule: Any) -> Any:
    """Give an actor another rule."""
    actor.handle = rule
    return actor
