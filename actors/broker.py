"""
Which broker this process uses, with its middleware spelled out.

Dramatiq's retries, delays, pipelines and time limits are left out on purpose: they keep business state in a worker's memory or
in a message sent after the commit. Retries and waiting are rows (`handling`), limits are the database server's.
"""

from __future__ import annotations

import threading
from typing import Any

import dramatiq
from dramatiq.middleware import CurrentMessage

from baton.models.settings import Settings

#: Set while this process's worker shuts down: a handler that waits for a database gives its messages back instead.
stopping = threading.Event()


class Declarations(dramatiq.Middleware):
    """Lets actors state how they are retried, and tells handlers when the worker stops."""

    @property
    def actor_options(self) -> set[str]:
        """Return what an actor may state."""
        return {"max_retries", "min_backoff", "max_backoff", "time_limit", "throws"}

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Note that messages are handled from now on."""
        stopping.clear()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Have waiting handlers give up."""
        stopping.set()


def middleware() -> list[dramatiq.Middleware]:
    """Return the middleware of every broker, all of it."""
    return [CurrentMessage(), Declarations()]


def make_broker(settings: Settings) -> Any:
    """
    Return the broker the settings ask for: a Dramatiq broker that is also a `broker_api.BatonBroker`.

    Nothing is connected or created before its first use.
    """
    if settings.broker_url == "stub://":
        from baton.actors.stub_broker import MemoryBroker

        return MemoryBroker(middleware())
    if settings.embedded_broker:
        from baton.actors.embedded_broker import EmbeddedBroker

        return EmbeddedBroker(
            settings.data_dir / "broker.db",
            batch_size=settings.batch_size,
            synchronous=settings.sqlite_synchronous,
            middleware=middleware(),
        )
    from baton.actors.rabbitmq_broker import make_rabbitmq_broker

    return make_rabbitmq_broker(settings, middleware())


def use_broker(broker: Any) -> None:
    """Make `broker` this process's broker and bind every actor declared so far to it."""
    previous = dramatiq.broker.global_broker
    dramatiq.set_broker(broker)
    for actor in list(previous.actors.values()) if previous is not None else ():
        actor.broker = broker
        broker.declare_actor(actor)
