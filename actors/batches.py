"""
Handling a batch: validate, run the rule in one transaction, and see to it that every message has an outcome before it is
acknowledged.

1. What does not fit the catalogue goes to the dead letters; what is not due yet becomes a row.
2. First deliveries are handled together in one transaction; a failure rolls back and each is handled by itself.
3. Redelivered messages, one of which may have killed a worker, are counted and handled by themselves.
4. A database or broker that cannot be reached is waited for, without counting; when the process stops first, the whole
   batch goes back to its queue. Anything unforeseen also sends it back: an error never ends in an acknowledgement.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from baton.actors import issue_reporting, metrics, outcomes
from baton.actors.broker_api import Batch
from baton.actors.delivery import Delivery, NotYetError, RefusedError, WrongFieldsError, read_delivery
from baton.actors.patience import StoppingError, patiently
from baton.models.transaction import current_trace, write_tx
from baton.pipelines.messages import RecordIssue

log = structlog.get_logger("baton.handling")


def run_batch(actor: Any, batch: Batch) -> None:
    """Handle a batch; afterwards every message has an outcome, or `batch.released` is set."""
    try:
        together, alone = _sort(actor, batch)
        if together:
            _handle_together(actor, together)
        for delivery in alone:
            _handle_counted(actor, delivery)
    except StoppingError:
        batch.released = True
        metrics.MESSAGES.labels(actor.actor_name, "released").inc(len(batch.deliveries))
        log.info("batch_released", actor=actor.actor_name, messages=len(batch.deliveries))
    except BaseException:
        batch.released = True
        raise


def _sort(actor: Any, batch: Batch) -> tuple[list[Delivery[Any]], list[Delivery[Any]]]:
    """Return what can be handled together and what must be handled alone; settle what cannot be handled at all."""
    together: dict[str, Delivery[Any]] = {}
    alone: list[Delivery[Any]] = []
    for raw in batch.deliveries:
        try:
            delivery = read_delivery(actor.message_type, raw)
        except WrongFieldsError as error:
            patiently(actor.actor_name, partial(outcomes.bury, actor.broker, raw, str(error)))
            continue
        due = raw.envelope.get("not_before")
        if due is not None and (due_at := datetime.fromisoformat(due)) > datetime.now(UTC):
            _defer(actor, delivery, "not due yet", due_at=due_at, attempt=delivery.envelope.attempt)
            metrics.MESSAGES.labels(actor.actor_name, "deferred").inc()
        elif raw.redelivered:
            alone.append(delivery)
        elif (twin := together.get(delivery.envelope.message_id)) is None:
            together[delivery.envelope.message_id] = delivery
        elif twin.raw.kwargs != raw.kwargs:
            alone.append(delivery)
        # else: the same message twice in one batch; handling the first settles both.
    return list(together.values()), alone


def _handle_together(actor: Any, deliveries: list[Delivery[Any]]) -> None:
    if len(deliveries) == 1:
        _handle_alone(actor, deliveries[0])
        return
    with _bound(actor=actor.actor_name, batch=len(deliveries)):
        try:
            patiently(actor.actor_name, lambda: _transact(actor, deliveries))
        except StoppingError:
            raise
        except Exception as error:
            # Expected now and then: one message of many cannot be handled. Which one shows when each runs alone.
            log.info("batch_split", error=f"{type(error).__name__}: {error}")
            culprit_sought = True
        else:
            culprit_sought = False
    for delivery in deliveries:
        if culprit_sought:
            _handle_alone(actor, delivery)
        elif delivery.refusal is not None:
            _bury(actor, delivery, delivery.refusal)


def _handle_counted(actor: Any, delivery: Delivery[Any]) -> None:
    starts = patiently(actor.actor_name, lambda: outcomes.count_start(actor.service, delivery.envelope.message_id))
    if starts > outcomes.MAX_STARTS:
        reason = f"killed its worker: started {starts} times without an outcome"
        _bury(actor, delivery, reason, issue=issue_reporting.failure(actor, delivery, None, reason, gave_up=True))
        return
    _handle_alone(actor, delivery)


def _handle_alone(actor: Any, delivery: Delivery[Any]) -> None:
    envelope = delivery.envelope
    facts = {
        "actor": actor.actor_name,
        "message_id": envelope.message_id,
        "ticket_number": envelope.ticket_number,
        "trace_id": envelope.trace_id,
        "attempt": envelope.attempt,
    }
    token = current_trace.set(envelope.trace_id)
    try:
        with _bound(**facts):
            _settle(actor, delivery)
    finally:
        current_trace.reset(token)


def _settle(actor: Any, delivery: Delivery[Any]) -> None:
    try:
        patiently(actor.actor_name, lambda: _transact(actor, [delivery]))
    except StoppingError:
        raise
    except RefusedError as error:
        _bury(actor, delivery, str(error) or type(error).__name__, traceback.format_exc())
    except NotYetError as error:
        _retry(actor, delivery, f"not yet: {error}", "", error)
    except Exception as error:
        if isinstance(error, actor.throws):
            _bury(actor, delivery, f"{type(error).__name__}: {error}", traceback.format_exc())
            return
        log.error("handler_failed", error=f"{type(error).__name__}: {error}", exc_info=True)
        _retry(actor, delivery, f"{type(error).__name__}: {error}", traceback.format_exc(), error)
    else:
        if delivery.refusal is not None:
            _bury(actor, delivery, delivery.refusal)


def _transact(actor: Any, deliveries: Sequence[Delivery[Any]]) -> None:
    for delivery in deliveries:
        delivery.refusal = None
    started = time.perf_counter()
    with write_tx(actor.service) as tx:
        actor.handle(tx, deliveries)
        counted = [d.envelope.message_id for d in deliveries if d.raw.redelivered]
        if counted:
            outcomes.forget_starts(tx, counted)
    seconds = time.perf_counter() - started
    metrics.observe(actor.actor_name, len(deliveries), seconds)
    if seconds * 1000 > actor.options["time_limit"]:
        log.warning("handler_slow", seconds=round(seconds, 3), limit_seconds=actor.options["time_limit"] / 1000)


def _retry(actor: Any, delivery: Delivery[Any], reason: str, trace: str, error: Exception) -> None:
    attempt, options = delivery.envelope.attempt, actor.options
    gave_up = attempt > options["max_retries"]
    # What is not there yet is no fault, unless it never comes.
    told = gave_up or not isinstance(error, NotYetError)
    issue = issue_reporting.failure(actor, delivery, error, gave_up=gave_up) if told else None
    if gave_up:
        _bury(actor, delivery, f"gave up after {attempt} attempts: {reason}", trace, issue)
        return
    delay = outcomes.retry_delay(attempt, options["min_backoff"], options["max_backoff"])
    _defer(actor, delivery, reason, delay=delay, attempt=attempt + 1, issue=issue)
    metrics.MESSAGES.labels(actor.actor_name, "retried").inc()
    log.info("retry_later", reason=reason, in_seconds=round(delay.total_seconds(), 3))


def _defer(
    actor: Any,
    delivery: Delivery[Any],
    reason: str,
    *,
    attempt: int,
    due_at: datetime | None = None,
    delay: timedelta = timedelta(),
    issue: RecordIssue | None = None,
) -> None:
    patiently(actor.actor_name, lambda: outcomes.defer(actor.service, delivery.raw, due_at, delay, attempt, reason, issue))


def _bury(actor: Any, delivery: Delivery[Any], reason: str, trace: str = "", issue: RecordIssue | None = None) -> None:
    # The issue first: a process that dies in between tells twice of a dead letter rather than never.
    issue_reporting.tell(actor.service, issue, delivery.envelope.trace_id)
    patiently(actor.actor_name, lambda: outcomes.bury(actor.broker, delivery.raw, reason, trace))
    if delivery.raw.redelivered:
        patiently(actor.actor_name, lambda: _forget(actor, delivery))


def _forget(actor: Any, delivery: Delivery[Any]) -> None:
    with write_tx(actor.service) as tx:
        outcomes.forget_starts(tx, [delivery.envelope.message_id])


@contextmanager
def _bound(**facts: Any) -> Iterator[None]:
    with structlog.contextvars.bound_contextvars(**{key: value for key, value in facts.items() if value is not None}):
        yield
