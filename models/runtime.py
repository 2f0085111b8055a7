"""
The tables that every service has for the sake of the runtime, beside its own.

`outbox` messages waiting to leave; `inbox` messages already handled, where no natural key stops a duplicate;
`deferred_message` messages to be tried again, or due later; `delivery_attempt` how often a redelivered message was
started; `idempotency_key` answers already given to a caller's key; `heartbeat` processes that are alive; `lease` which of
several processes leads; `job_run` how the scheduler's jobs last ran.

Each service has its own copy in its own database; `runtime_tables(service)` returns the models bound to it.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import peewee as pw

from baton.models.database import InstantField, service_database


@functools.cache
def runtime_tables(service: str) -> Any:
    """
    Return the runtime models of one service.

    `.Outbox .Inbox .DeferredMessage .DeliveryAttempt .IdempotencyKey .Heartbeat .Lease .JobRun`, and `.all` of them.
    """

    class Base(pw.Model):
        class Meta:
            database = service_database(service)
            legacy_table_names = False

    class Outbox(Base):
        """A message that leaves when the relay gets to it. `kwargs` and `envelope` are JSON texts."""

        id = pw.BigAutoField()
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        created_at = InstantField()

    class Inbox(Base):
        """A handled message. Rows older than the longest possible redelivery are swept."""

        receiver = pw.TextField()
        message_id = pw.TextField()
        handled_at = InstantField(index=True)

        class Meta:
            primary_key = pw.CompositeKey("receiver", "message_id")

    class DeferredMessage(Base):
        """A message to hand back to its queue when `due_at` passes: a retry, or one that asked to wait."""

        id = pw.BigAutoField()
        message_id = pw.TextField(unique=True)
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        attempt = pw.IntegerField()
        reason = pw.TextField()
        due_at = InstantField(index=True)

    class DeliveryAttempt(Base):
        """How often a redelivered message was started without an outcome: a message that kills its worker shows here."""

        message_id = pw.TextField(primary_key=True)
        attempts = pw.IntegerField()
        last_started_at = InstantField()

    class IdempotencyKey(Base):
        """The answer given to a caller's Idempotency-Key. The same key with another request is refused."""

        principal = pw.TextField()
        key = pw.TextField()
        fingerprint = pw.TextField()
        status = pw.IntegerField()
        headers = pw.TextField()
        body = pw.TextField()
        created_at = InstantField(index=True)

        class Meta:
            primary_key = pw.CompositeKey("principal", "key")

    class Heartbeat(Base):
        """A process that is alive: `kind` is relay, scheduler or worker; `instance` names host and process."""

        kind = pw.TextField()
        instance = pw.TextField()
        detail = pw.TextField(default="")
        seen_at = InstantField()

        class Meta:
            primary_key = pw.CompositeKey("kind", "instance")

    class Lease(Base):
        """
        Who leads at `name`, until `expires_at` by the database's clock.

        `token` rises with every change of hands: whoever led before finds another number and leaves its work undone. `place` says
        where `holder` names a process, so that a neighbour can see that it is gone.
        """

        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        place = pw.TextField(default="")
        token = pw.BigIntegerField()
        expires_at = InstantField()

    class JobRun(Base):
        """
        How a job of the scheduler last ran: by whom, from when to when, the rows it changed, how it failed ("": it did not).

        `about` and `every_seconds` say what it does and how often, for those who do not know the jobs themselves.
        """

        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        started_at = InstantField()
        ended_at = InstantField()
        rows = pw.IntegerField(default=0)
        error = pw.TextField(default="")
        next_run_at = InstantField(null=True)
        about = pw.TextField(default="")
        every_seconds = pw.FloatField(default=0)

    return SimpleNamespace(
        Outbox=Outbox,
        Inbox=Inbox,
        DeferredMessage=DeferredMessage,
        DeliveryAttempt=DeliveryAttempt,
        IdempotencyKey=IdempotencyKey,
        Heartbeat=Heartbeat,
        Lease=Lease,
        JobRun=JobRun,
        all=[Outbox, Inbox, DeferredMessage, DeliveryAttempt, IdempotencyKey, Heartbeat, Lease, JobRun],
    )
