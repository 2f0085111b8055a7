"""The broker of unit tests: Dramatiq's StubBroker, able to do what the runtime needs. Nothing survives the process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dramatiq
from dramatiq.brokers.stub import StubBroker

from baton.actors.broker_api import DeadLetter, QueueState, UnreadableMessageError, WireMessage
from baton.actors.wire import decode, describe, with_fresh_attempts


class MemoryBroker(StubBroker):
    """Messages in this process's memory. `letters` holds every dead letter in the order of death."""

    def __init__(self, middleware: list[dramatiq.Middleware] | None = None) -> None:
        super().__init__(middleware)
        self.letters: list[DeadLetter] = []
        self._died = 0

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Put messages on their queues; what no worker could read goes to the dead letters at once."""
        for wire in messages:
            self.declare_queue(wire.queue)
            try:
                raw = decode(wire)
            except UnreadableMessageError as error:
                self.dead_letter(wire, str(error), attempts=0)
                continue
            self.enqueue(
                dramatiq.Message(
                    queue_name=wire.queue,
                    actor_name=raw.actor_name,
                    args=(),
                    kwargs=raw.kwargs,
                    options={"envelope": raw.envelope},
                    message_id=wire.message_id,
                )
            )

    def dead_letter(self, wire: WireMessage, reason: str, attempts: int, traceback: str = "") -> None:
        """Keep a message among the dead letters."""
        self._died += 1
        actor_name, ticket_number = describe(wire)
        self.letters.append(
            DeadLetter(
                id=str(self._died),
                queue=wire.queue,
                reason=reason,
                attempts=attempts,
                died_at=datetime.now(UTC).isoformat(),
                actor_name=actor_name,
                ticket_number=ticket_number,
                traceback=traceback,
                wire=wire,
            )
        )

    def queue_states(self, queues: Sequence[str]) -> list[QueueState]:
        """Return how each queue stands; consumers are not known here."""
        return [
            QueueState(
                queue=queue,
                ready=self.queues[queue].qsize() if queue in self.queues else 0,
                consumers=0,
                dead=len(self._letters_of(queue, None)),
            )
            for queue in queues
        ]

    def dead_letters(self, queue: str, limit: int = 100) -> list[DeadLetter]:  # type: ignore[override]
        """Return the oldest dead letters of a queue."""
        return self._letters_of(queue, None)[:limit]

    def find_dead_letter(self, queue: str, letter_id: str) -> DeadLetter | None:
        """Return one dead letter of a queue."""
        return next(iter(self._letters_of(queue, [letter_id])), None)

    def requeue_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Put dead letters back on their queue."""
        chosen = self._letters_of(queue, ids)
        self.letters = [letter for letter in self.letters if letter not in chosen]
        self.publish([with_fresh_attempts(letter.wire) for letter in chosen])
        return len(chosen)

    def purge_dead_letters(self, queue: str, ids: Sequence[str] | None = None) -> int:
        """Forget dead letters."""
        chosen = self._letters_of(queue, ids)
        self.letters = [letter for letter in self.letters if letter not in chosen]
        return len(chosen)

    def flush_all(self) -> None:
        """Drop every message and every dead letter."""
        super().flush_all()
        self.letters.clear()

    def _letters_of(self, queue: str, ids: Sequence[str] | None) -> list[DeadLetter]:
        return [letter for letter in self.letters if letter.queue == queue and (ids is None or letter.id in ids)]
