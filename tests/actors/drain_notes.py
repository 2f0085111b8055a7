"""A worker process of its own, to be killed: `python -m tests.actors.drain_notes DIRECTORY`. Ends when its input closes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def main(directory: Path) -> None:
    """Handle notes; a note `poison` kills the process, as a crash in C code would."""
    import dramatiq

    from baton.actors import outcomes
    from baton.actors.broker import middleware
    from baton.actors.embedded_broker import EmbeddedBroker
    from tests.actors.notes import handler, keep, open_tables

    outcomes.MAX_STARTS = 2
    open_tables(directory)
    broker = EmbeddedBroker(directory / "broker.db", batch_size=20, synchronous="NORMAL", middleware=middleware())
    dramatiq.set_broker(broker)

    def rule(tx, deliveries):
        if any(delivery.message.text == "poison" for delivery in deliveries):
            os.kill(os.getpid(), signal.SIGKILL)
        keep(tx, deliveries)
        time.sleep(0.005)  # so that a kill finds work in progress

    handler(rule)
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=50)
    worker.start()
    sys.stdin.read()
    worker.stop()
    broker.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
