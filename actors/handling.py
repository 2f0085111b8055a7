"""
Declaring message handlers.

    @handles(ReceiveTicket, service="workflow", max_retries=8, min_backoff=1_000, max_backoff=600_000, time_limit=60_000)
    def receive_ticket(tx: Transaction, deliveries: Sequence[Delivery[ReceiveTicket]]) -> None: ...

A handler gets several messages, oldest first, and one transaction for all of them; the commit comes before the
acknowledgement, so a message is handled at least once and its handler must be safe to run twice. `delivery.refuse(reason)`
gives one message up and keeps the rest; raising rolls everything back, and each message is then tried by itself:
RefusedError gives it up, NotYetError or any other error tries it again later. `batches` has the procedure.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import dramatiq
from dramatiq.middleware import CurrentMessage

from baton.actors.batches import run_batch
from baton.actors.broker_api import Batch, WireMessage
from baton.actors.delivery import Delivery, NotYetError, RefusedError, WrongFieldsError, delivery_of
from baton.actors.outcomes import read_or_bury
from baton.models.transaction import Transaction
from baton.pipelines.messages import Message

M = TypeVar("M", bound=Message)
Rule = Callable[[Transaction, Sequence[Delivery[M]]], None]


class MessageActor(dramatiq.Actor[..., None]):
    """
    A Dramatiq actor made from a message of the catalogue and a rule.

    `handle(tx, deliveries)` is the rule itself; the actor's options are as stated, backoffs and time limit in milliseconds.
    """

    message_type: type[Message]
    service: str
    throws: tuple[type[BaseException], ...]
    handle: Callable[[Transaction, Sequence[Delivery[Any]]], None]


def handles(
    message_type: type[M],
    *,
    service: str,
    max_retries: int,
    min_backoff: int,
    max_backoff: int,
    time_limit: int,
    throws: tuple[type[BaseException], ...] = (RefusedError,),
) -> Callable[[Rule[M]], MessageActor]:
    """
    Declare the decorated rule as the handler of a message, in the database of `service`.

    `max_retries` is how often a failing message is tried again, `min_backoff` and `max_backoff` (milliseconds) bound the
    pause, which doubles each time. `time_limit` (milliseconds) is what a transaction should never need; longer ones are
    reported, and the server's statement timeout ends them. Errors named in `throws` are not retried.
    """

    def declare(rule: Rule[M]) -> MessageActor:
        def consume(*args: Any, batch: Batch | None = None, **kwargs: Any) -> None:
            if batch is not None:
                run_batch(actor, batch)
            else:
                _run_single(actor, args, kwargs)

        consume.__module__, consume.__doc__ = rule.__module__, rule.__doc__
        actor: Any = dramatiq.actor(
            actor_class=MessageActor,
            actor_name=message_type.name,
            queue_name=message_type.queue,
            max_retries=max_retries,
            min_backoff=min_backoff,
            max_backoff=max_backoff,
            time_limit=time_limit,
            throws=throws,
        )(consume)
        actor.message_type, actor.service, actor.throws, actor.handle = message_type, service, throws, rule
        return actor

    return declare


def _run_single(actor: MessageActor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Handle one plain Dramatiq message, or a direct call of the actor."""
    current: Any = CurrentMessage.get_current_message()
    message: dramatiq.Message[None]
    if current is None or current.actor_name != actor.actor_name:
        message = dramatiq.Message(actor.queue_name, actor.actor_name, args, kwargs, {}, str(uuid.uuid4()))
    else:
        message = dramatiq.Message(
            actor.queue_name, actor.actor_name, args, kwargs, current.options, current.message_id, current.message_timestamp
        )
    raw = read_or_bury(actor.broker, WireMessage(actor.queue_name, message.encode(), message.message_id), redelivered=False)
    if raw is None:
        return
    batch = Batch([raw])
    try:
        run_batch(actor, batch)
    except BaseException:
        if current is not None:
            current.fail()
        raise
    if batch.released:
        actor.broker.enqueue(message)


__all__ = [
    "Delivery",
    "MessageActor",
    "NotYetError",
    "RefusedError",
    "Rule",
    "WrongFieldsError",
    "delivery_of",
    "handles",
    "read_or_bury",
]
