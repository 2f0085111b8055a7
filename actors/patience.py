"""Waiting for a database or broker that is away, without counting it against any message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee as pw
import psycopg
import structlog

from baton.actors import metrics
from baton.actors.broker import stopping
from baton.actors.broker_api import BrokerUnavailableError
from baton.models.database import DatabaseUnavailableError

#: Pauses, in seconds, while a database or the broker is away: from the first to the longest, doubling.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
#: SQLSTATEs that pass by themselves: connection lost, resources short, server shutting down or starting, deadlock, lock not
#: available, the server's own I/O. Whatever else the server says (a statement timeout, a value too large for an index) is about
#: the work: waiting would block the queue for ever.
OUTAGE_STATES = ("08", "53", "57P", "40", "55P03", "58")
log = structlog.get_logger("baton.handling")


class StoppingError(Exception):
    """The process stops while it waits: what is in hand goes back to its queue."""


def patiently(actor_name: str, act: Callable[[], Any]) -> Any:
    """
    Return what `act` returns, calling it again, with growing pauses, while a database or the broker is away.

    Raises:
        StoppingError: the process stops first.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return act()
        except (DatabaseUnavailableError, BrokerUnavailableError, pw.OperationalError) as error:
            if not is_outage(error):
                raise
            metrics.WAITS.labels(actor_name).inc()
            log.warning("handler_waits", actor=actor_name, reason=str(error).strip(), pause_seconds=pause)
        if stopping.wait(pause):
            raise StoppingError
        pause = min(pause * 2, LONGEST_PAUSE)


def is_outage(error: BaseException) -> bool:
    """Whether an error tells of a database or broker that is away or busy, rather than of this message's own work."""
    if isinstance(error, pw.OperationalError):
        return "database is locked" in str(error)
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, psycopg.Error) and link.sqlstate is not None:
            return link.sqlstate.startswith(OUTAGE_STATES)
        link = link.__cause__ or link.__context__
    return True
