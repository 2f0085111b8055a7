"""A queue of a busy process rests a little after a slow batch, so that what comes meanwhile is handled together."""

from __future__ import annotations

import threading
import time

import dramatiq
import pytest

from baton.actors.embedded_mailbox import REST_SECONDS, rest_after
from tests.actors.notes import handler, in_file, keep, kept, wire_of


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.0), (0.02, 0.0), (0.03, 0.03), (0.05, 0.09), (60.0, REST_SECONDS)])
def test_only_a_slow_batch_is_rested_after_and_never_for_long(took, rest):
    assert rest_after(took) == pytest.approx(rest)


def test_messages_that_trickle_in_while_batches_are_slow_are_handled_together(embedded_broker):
    broker = embedded_broker()
    dramatiq.set_broker(broker)
    sizes = []

    def slowly(tx, deliveries):
        sizes.append(len(deliveries))
        threading.Event().wait(0.06)
        keep(tx, deliveries)

    handler(slowly)
    worker = dramatiq.Worker(broker, worker_threads=4, worker_timeout=50)
    worker.start()
    try:
        for number in range(60):
            broker.publish([wire_of(f"n{number}")])
            threading.Event().wait(0.01)
        deadline = time.monotonic() + 90
        while (len(kept()) < 60 or in_file(broker)) and time.monotonic() < deadline:
            threading.Event().wait(0.02)
    finally:
        worker.stop()
    assert len(kept()) == 60
    assert in_file(broker) == 0
    assert len(sizes) <= 12, f"{len(sizes)} batches for 60 messages"
