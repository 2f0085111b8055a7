"""The broker: whether it can be reached, whether somebody consumes each queue, and what was given up on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baton.actors.broker import make_broker
from baton.actors.broker_api import BrokerUnavailableError, QueueState
from baton.models.settings import SERVICES, Settings
from baton.pipelines.messages import CATALOGUE
from baton.scripts.checks.finding import Finding, fail, first_line, ok, skip, some, warn

#: A queue whose oldest message waits for longer than this, in seconds, has too few workers.
SLOW_SECONDS = 300.0


def read_queues(settings: Settings) -> tuple[list[QueueState] | None, str]:
    """Return how every queue of the catalogue stands, or None and why the broker does not say."""
    try:
        broker = make_broker(settings)
        try:
            return broker.queue_states(sorted({message.queue for message in CATALOGUE.values()})), ""
        finally:
            broker.close()
    except (BrokerUnavailableError, OSError) as error:
        return None, first_line(error)


def check_broker(settings: Settings, states: Sequence[QueueState] | None, reason: str) -> Iterator[Finding]:
    """Whether the broker answers, with its queues' consumers, backlogs and dead letters."""
    kind = "embedded" if settings.embedded_broker else "RabbitMQ"
    if states is None:
        yield fail(
            "broker",
            reason if "cannot be reached" in reason else f"{kind} cannot be reached: {reason}",
            "start RabbitMQ, and check BATON_BROKER_URL; messages wait meanwhile",
        )
        yield skip("queues", "the broker cannot be asked")
        return
    yield ok("broker", f"{kind} answers")
    unknown = sorted(settings.celery_queues - {message.queue for message in CATALOGUE.values()})
    if unknown:
        remedy = "correct BATON_CELERY_QUEUES: queues are named as in pipelines/messages.py"
        yield warn("celery queues", f"nothing is sent to {some(unknown)}, which BATON_CELERY_QUEUES names", remedy)
    for worker in dict.fromkeys(each.receiver for each in CATALOGUE.values() if each.receiver in SERVICES):
        remedy = "scripts/server" if settings.embedded_broker else f"baton worker {worker}"
        yield _consumed(worker, remedy, [state for state in states if state.queue in _queues_of(worker)])
    yield from _dead(states)


def _consumed(worker: str, remedy: str, states: list[QueueState]) -> Finding:
    check = f"worker {worker}"
    idle = [state for state in states if not state.consumers]
    if idle:
        waiting = sum(state.ready for state in idle)
        queues = ", ".join(state.queue for state in idle)
        return fail(check, f"nobody consumes {queues} ({waiting:,} messages wait)", remedy)
    slow = max((state.oldest_seconds or 0.0 for state in states), default=0.0)
    ready = sum(state.ready for state in states)
    if slow > SLOW_SECONDS:
        return warn(check, f"the oldest of {ready:,} messages has waited for {slow:.0f} s", f"start another: {remedy}")
    return ok(check, f"{len(states)} queues are consumed, {ready:,} messages wait")


def _dead(states: Sequence[QueueState]) -> Iterator[Finding]:
    dead = {state.queue: state.dead for state in states if state.dead}
    if not dead:
        yield ok("dead letters", "none")
    for queue, count in dead.items():
        remedy = f"baton dead-letters list {queue}; then requeue or purge them"
        yield fail("dead letters", f"{count:,} messages of {queue} were given up on and wait for a decision", remedy)


def _queues_of(receiver: str) -> set[str]:
    return {message.queue for message in CATALOGUE.values() if message.receiver == receiver}
