"""
What operators do with dead letters, the same on every broker: find, requeue, purge.

A request that names an unknown id does nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.broker_api import BatonBroker, DeadLetter
from baton.pipelines.messages import CATALOGUE

#: How many dead letters of one queue are looked at. Above this, requeue or purge all of them.
MOST = 10_000


class UnknownDeadLetterError(Exception):
    """No dead letter of this queue bears this id; `ids` are those not found."""

    def __init__(self, queue: str, ids: Sequence[str]) -> None:
        super().__init__(f"no dead letter {', '.join(ids)} on {queue}")
        self.queue = queue
        self.ids = list(ids)


def queues() -> list[str]:
    """Return every queue of the catalogue, each once, in its order there."""
    return list(dict.fromkeys(message.queue for message in CATALOGUE.values()))


def counts(broker: BatonBroker, only: str | None = None) -> dict[str, int]:
    """Return how many dead letters each queue (or the one named) has."""
    return {state.queue: state.dead for state in broker.queue_states([only] if only else queues())}


def find(broker: BatonBroker, queue: str, limit: int = MOST) -> list[DeadLetter]:
    """Return a queue's dead letters, oldest first."""
    return broker.dead_letters(queue, limit)


def find_one(broker: BatonBroker, queue: str, letter_id: str) -> DeadLetter:
    """Return one dead letter. Raises UnknownDeadLetterError."""
    letter = broker.find_dead_letter(queue, letter_id)
    if letter is None:
        raise UnknownDeadLetterError(queue, [letter_id])
    return letter


def requeue(broker: BatonBroker, queue: str, ids: Sequence[str] | None) -> int:
    """Put dead letters (all when None) back on their queue; return how many. Raises UnknownDeadLetterError, then none moved."""
    _refuse_unknown(broker, queue, ids)
    return broker.requeue_dead_letters(queue, ids)


def purge(broker: BatonBroker, queue: str, ids: Sequence[str] | None) -> int:
    """Delete dead letters (all when None) for good; return how many. Raises UnknownDeadLetterError, then none is gone."""
    _refuse_unknown(broker, queue, ids)
    return broker.purge_dead_letters(queue, ids)


def _refuse_unknown(broker: BatonBroker, queue: str, ids: Sequence[str] | None) -> None:
    if ids is None:
        return
    known = {letter.id for letter in find(broker, queue)}
    if unknown := [letter_id for letter_id in ids if letter_id not in known]:
        raise UnknownDeadLetterError(queue, unknown)
