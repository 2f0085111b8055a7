"""
What becomes of a message that was not simply done: tried again later, given up on, or known to kill its worker.

Each outcome is on disk before the broker is told to forget the message. A retry is a row of `deferred_message` in the
handler's own database; whoever sweeps those rows hands `kwargs` and `envelope` to the outbox as they are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from peewee import EXCLUDED

from baton.actors import issue_reporting
from baton.actors.broker_api import BatonBroker, RawDelivery, UnreadableMessageError, WireMessage
from baton.actors.metrics import MESSAGES
from baton.actors.wire import decode
from baton.models.runtime import runtime_tables
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.masking import storable
from baton.pipelines.messages import RecordIssue

#: Starts without an outcome after which a message counts as one that kills its worker.
MAX_STARTS = 10
log = structlog.get_logger("baton.handling")


def retry_delay(attempt: int, min_backoff: int, max_backoff: int, jitter: float | None = None) -> timedelta:
    """
    Return how long to wait after the given failed attempt (1 is the first): `min_backoff` milliseconds, doubled for each
    further attempt up to `max_backoff`, then a quarter less or more, so that what failed together does not return together.
    """
    spread = random.uniform(0.75, 1.25) if jitter is None else jitter
    return timedelta(milliseconds=min(max_backoff, min_backoff * 2 ** min(attempt - 1, 40)) * spread)


def defer(
    service: str,
    raw: RawDelivery,
    due_at: datetime | None,
    delay: timedelta,
    attempt: int,
    reason: str,
    issue: RecordIssue | None = None,
) -> None:
    """
    Record, in a transaction of its own, that a message is to be tried again, and announce the issue that its failure makes.
    An entry that exists already stays.
    """
    tables = runtime_tables(service)
    envelope = {key: value for key, value in raw.envelope.items() if key != "not_before"} | {"attempt": attempt}
    with write_tx(service) as tx:
        tables.DeferredMessage.insert(
            message_id=raw.envelope["message_id"],
            queue=raw.queue,
            name=raw.actor_name,
            kwargs=json.dumps(raw.kwargs, separators=(",", ":")),
            envelope=json.dumps({**envelope, "sent_at": envelope["sent_at"] or tx.now.isoformat()}, separators=(",", ":")),
            attempt=attempt,
            reason=storable(reason)[:2000],
            due_at=due_at or tx.now + delay,
        ).on_conflict_ignore().execute()
        issue_reporting.announce(tx, issue, raw.envelope["trace_id"])
        if raw.redelivered:
            forget_starts(tx, [raw.envelope["message_id"]])


def bury(broker: BatonBroker, raw: RawDelivery, reason: str, traceback: str = "") -> None:
    """Give a message up: to the dead letters of its queue, with the reason and how often it was tried."""
    broker.dead_letter(raw.wire, storable(reason), raw.envelope["attempt"], storable(traceback))
    MESSAGES.labels(raw.actor_name, "refused").inc()
    log.warning(
        "dead_letter",
        queue=raw.queue,
        actor=raw.actor_name,
        message_id=raw.envelope["message_id"],
        ticket_number=raw.envelope["ticket_number"],
        trace_id=raw.envelope["trace_id"],
        attempt=raw.envelope["attempt"],
        reason=reason,
    )


def read_or_bury(broker: Any, wire: WireMessage, redelivered: bool) -> RawDelivery | None:
    """
    Read one message that a consumer received, or dead-letter it with the reason and return None; then acknowledge it.

    Dead letters are: what is no message, and what names no actor of this process. Used by every consumer.

    Raises:
        BrokerUnavailableError: the dead letter could not be stored; give the message back to its queue.
    """
    try:
        raw = decode(wire, redelivered)
    except UnreadableMessageError as error:
        broker.dead_letter(wire, f"unreadable: {error}", 0)
        MESSAGES.labels("unknown", "unreadable").inc()
        log.warning("dead_letter", queue=wire.queue, message_id=wire.message_id, reason=str(error))
        return None
    if raw.actor_name not in broker.actors:
        bury(broker, raw, f"no actor named {raw.actor_name!r} consumes this queue")
        return None
    return raw


def count_start(service: str, message_id: str) -> int:
    """Note, durably, that a redelivered message is about to be handled; return how often that has been so."""
    table = runtime_tables(service).DeliveryAttempt
    with write_tx(service) as tx:
        rows = (
            table.insert(message_id=message_id, attempts=1, last_started_at=tx.now)
            .on_conflict(
                conflict_target=[table.message_id],
                update={table.attempts: table.attempts + 1, table.last_started_at: EXCLUDED.last_started_at},
            )
            .returning(table.attempts)
            .execute()
        )
        return next(iter(rows)).attempts


def forget_starts(tx: Transaction, message_ids: Sequence[str]) -> None:
    """Forget the starts of messages that have an outcome, in the transaction of that outcome."""
    table = runtime_tables(tx.service).DeliveryAttempt
    table.delete().where(table.message_id.in_(message_ids)).execute()
