"""
The publisher: this process's one way to RabbitMQ for outgoing messages.

Messages leave persistent and mandatory, many under way at a time; `publish_batch` returns when RabbitMQ has confirmed every one.
A queue that does not exist yet is declared (durable, without arguments) and its messages are sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.actors.publisher_link import Link

#: Bytes handed to the connection at once, so that large messages do not pile up in memory.
WINDOW_BYTES = 8_000_000
#: A declared queue that still returns messages after this many rounds is being deleted by somebody: give up.
MAX_ROUNDS = 3


class Publisher:
    """Publishes batches from any number of threads over one connection. `url` may name several brokers, separated by `;`."""

    def __init__(self, url: str) -> None:
        self._link = Link(url)

    def publish_batch(self, messages: Sequence[WireMessage]) -> None:
        """
        Return once RabbitMQ has stored every message.

        Raises:
            BrokerUnavailableError: not connected, not confirmed in time, refused, or the connection broke. Some of the
                messages may have been stored; publish all of them again.
        """
        for window in _windows(messages):
            declare: list[str] = []
            for _ in range(MAX_ROUNDS):
                window = self._link.ship(window, declare)
                if not window:
                    break
                declare = sorted({message.queue for message in window})
            else:
                raise BrokerUnavailableError(f"queue {declare[0]} keeps returning messages")

    def close(self) -> None:
        """Close the connection. Batches under way fail."""
        self._link.close()


def _windows(messages: Sequence[WireMessage]) -> Iterator[Sequence[WireMessage]]:
    start = size = 0
    for position, message in enumerate(messages):
        size += len(message.body)
        if size > WINDOW_BYTES and position > start:
            yield messages[start:position]
            start, size = position, len(message.body)
    if start < len(messages):
        yield messages[start:]
