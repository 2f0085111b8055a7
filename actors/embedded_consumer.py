"""Consuming from the embedded broker: claims in, batches of one actor's messages out, settlements back with the next claim."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq.broker import Consumer
from dramatiq.errors import ConnectionClosed

from baton.actors.broker_api import Batch, BatchProxy, BrokerUnavailableError, RawDelivery, WireMessage
from baton.actors.embedded_mailbox import Mailbox
from baton.actors.outcomes import read_or_bury

if TYPE_CHECKING:
    from baton.actors.embedded_broker import EmbeddedBroker

#: A message claimed this often never got as far as its handler, where starts are counted: it is given up here.
MAX_TRIES = 100
log = structlog.get_logger("baton.consumer")


class EmbeddedBatch(BatchProxy):
    """A batch on its way through the worker. Whatever breaks on the way releases it: nothing unhandled is acknowledged."""

    def stuff_exception(self, exception: BaseException) -> None:
        """Note that handling broke down; the messages go back to their queue."""
        super().stuff_exception(exception)
        self.batch.released = True


class EmbeddedConsumer(Consumer):
    """An iterator of batches, or None when `timeout` milliseconds pass without one."""

    def __init__(self, broker: EmbeddedBroker, mailbox: Mailbox, timeout: int) -> None:
        self._broker = broker
        self._mailbox = mailbox
        self._seconds = timeout / 1000

    def __next__(self) -> EmbeddedBatch | None:
        """Return the next batch; raises ConnectionClosed when the file cannot be used."""
        mailbox, deadline = self._mailbox, time.monotonic() + self._seconds
        while True:
            mailbox.event.clear()
            rest = 0.0 if mailbox.ready else mailbox.rests_for()
            if mailbox.may_hand_out() and not rest:
                self._fetch()
                if mailbox.ready:
                    return EmbeddedBatch(mailbox.queue, mailbox.hand_out())
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            mailbox.event.wait(min(remaining, rest) if rest else remaining)

    def ack(self, message: Any) -> None:
        """Note that a batch is done with, or given back. Any thread may call this."""
        self._mailbox.settle(message.batch)

    def nack(self, message: Any) -> None:
        """Give a batch back that Dramatiq could not hand to an actor."""
        message.batch.released = True
        self._mailbox.settle(message.batch)

    def requeue(self, messages: Iterable[Any]) -> None:
        """Give batches back that no handler has started."""
        for message in messages:
            self._mailbox.take_back(message.batch)

    def close(self) -> None:
        """Write what is settled, and give back what was claimed for later."""
        try:
            self._mailbox.hand_back()
        except BrokerUnavailableError as error:
            log.warning("consumer_closed_unsettled", queue=self._mailbox.queue, reason=str(error))

    def _fetch(self) -> None:
        mailbox = self._mailbox
        if mailbox.ready:
            return
        try:
            if not mailbox.to_settle() and not mailbox.anything_due():
                return
            claimed = mailbox.claim(self._broker.batch_size)
            self._sort(claimed)
        except BrokerUnavailableError as error:
            raise ConnectionClosed(error) from None

    def _sort(self, claimed: list[tuple[int, int, WireMessage]]) -> None:
        """Make batches of what one actor can handle together. Dead letters on the way are stored as such."""
        batches: dict[tuple[str, bool], Batch] = {}
        for position, (row, tries, wire) in enumerate(claimed):
            try:
                raw = self._read(wire, tries)
            except BrokerUnavailableError:
                self._mailbox.released.extend(row for row, _, _ in claimed[position:])
                raise
            if raw is None:
                self._mailbox.finished.append(row)
                self._mailbox.event.set()
                continue
            batch = batches.setdefault((raw.actor_name, raw.redelivered), Batch([]))
            batch.deliveries.append(raw)
            batch.tags.append(row)
        self._mailbox.ready.extend(batches.values())

    def _read(self, wire: WireMessage, tries: int) -> RawDelivery | None:
        if tries > MAX_TRIES:
            self._broker.dead_letter(wire, f"handed out {tries} times without an outcome", tries)
            return None
        return read_or_bury(self._broker, wire, redelivered=tries > 1)
