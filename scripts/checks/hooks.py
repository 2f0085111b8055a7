"""The calls at the end of tasks: which were given up, which wait, and whether somebody takes them from their queues."""

from __future__ import annotations

from collections.abc import Iterator

from baton.actors.broker import make_broker
from baton.actors.broker_api import BrokerUnavailableError
from baton.models import database as db
from baton.models.settings import Settings
from baton.models.workflow import Hook
from baton.pipelines.ending import GAVE_UP, PENDING
from baton.pipelines.external_messages import EXTERNAL_QUEUES
from baton.scripts.checks.finding import Finding, fail, ok, some, warn

#: Calls that are counted one by one.
MOST_COUNTED = 10_000


def check_hooks(settings: Settings) -> Iterator[Finding]:
    """Look at the ledger of calls, and at the queues of those whom they are for."""
    with db.read_tx("workflow"):
        given_up, waiting = (
            list(Hook.select().where(Hook.state == state).order_by(Hook.id).limit(MOST_COUNTED)) for state in (GAVE_UP, PENDING)
        )
    if given_up:
        detail = f"{len(given_up):,} were given up: {some(f'{hook.ticket_number} ({hook.detail})' for hook in given_up)}"
        remedy = f"baton hooks replay {given_up[0].id} --set FIELD=VALUE; or baton hooks settle {given_up[0].id} --reason ..."
        yield fail("end of task calls", detail, remedy)
    if waiting:
        yield warn("end of task calls", f"{len(waiting):,} wait: {waiting[0].detail}", "baton hooks list --state pending")
    if not given_up and not waiting:
        yield ok("end of task calls", "every call was made")
    if not settings.embedded_broker:
        yield from _receivers(settings)


def _receivers(settings: Settings) -> Iterator[Finding]:
    broker = make_broker(settings)
    try:
        states = broker.queue_states(sorted(EXTERNAL_QUEUES))
    except BrokerUnavailableError:
        return  # another finding says so
    finally:
        broker.close()
    for state in states:
        if state.ready and not state.consumers:
            yield warn(
                state.queue, f"{state.ready:,} calls wait, and nobody consumes them", "tell whoever runs the worker of this queue"
            )
