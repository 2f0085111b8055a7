"""
Requests that last: streams of events and WebSockets. How many one caller may hold, and whether the caller is still let in.

The permission table, the token and the operation's own rule are asked when such a request begins, and again every CHECK_SECONDS
while it lasts, so that it ends within half a minute of the token's expiry or of the loss of a role.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import structlog
from prometheus_client import Counter as Count
from prometheus_client import Gauge

from baton.http import security, standings
from baton.http.operations import Call
from baton.http.problems import NotFound, Problem, Unauthorized, unavailable
from baton.http.tokens import Verifier
from baton.models.database import DatabaseUnavailableError

#: Seconds between two looks at whether a caller is still let in. With the age of what is known of roles (`standings.ASK_SECONDS`
#: and the wait for the answer) and the wait of a socket's reader (`socket_line.LISTEN_SECONDS`), at most LIMIT_SECONDS together.
CHECK_SECONDS = 10.0
#: Seconds after which nobody is told anything any more who has lost the right to it.
LIMIT_SECONDS = 30.0
#: Streams and sockets that one caller holds at once in this process.
PER_CALLER = 20
#: Those of all callers in one front: the rest of the server's connections stays free for short requests.
PER_FRONT = 1_800

open_now = Gauge("baton_live_connections", "Streams and sockets open now", ["service", "kind"])
ended = Count("baton_live_ended_total", "Streams and sockets ended, by reason", ["service", "kind", "reason"])
log = structlog.get_logger("baton.live")


class Places:
    """How many streams and sockets each caller of a front holds."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._all = 0

    def take(self, call: Call) -> None:
        """Count one more; raises 429 when the caller has enough, 503 when the front has."""
        if self._all >= PER_FRONT:
            raise unavailable("a place for one more live connection")
        if self._held[call.principal.subject] >= PER_CALLER:
            detail = f"at most {PER_CALLER} live connections at once; close one first"
            raise Problem(429, "too-many-connections", "too many live connections", detail, headers={"Retry-After": "10"})
        self._all += 1
        self._held[call.principal.subject] += 1
        open_now.labels(call.service, call.operation.live).inc()

    def leave(self, call: Call, reason: str) -> None:
        """Count one less; `reason` is a word for the metrics."""
        self._all -= 1
        subject = call.principal.subject
        self._held[subject] -= 1
        if not self._held[subject]:
            del self._held[subject]
        open_now.labels(call.service, call.operation.live).dec()
        ended.labels(call.service, call.operation.live, reason).inc()
        log.info("live_ended", service=call.service, kind=call.operation.live, principal=subject, reason=reason)


class Watch:
    """Whether the caller of a lasting request is still let in. `still` is the operation's own rule; false is answered as 404."""

    def __init__(self, call: Call, verifier: Verifier, still: Callable[[], bool]) -> None:
        self._call = call
        self._verifier = verifier
        self._still = still
        # Spread, so that a thousand connections do not ask in the same instant.
        self._next = time.monotonic() + CHECK_SECONDS * random.uniform(0.5, 1.0)
        # `call.principal` becomes what is known later.
        self._begun_as = call.principal
        standings.watch(call.settings, self._begun_as)

    def seconds(self) -> float:
        """Return how long until the next look is due."""
        return max(0.0, self._next - time.monotonic())

    def refusal(self) -> Problem | None:
        """Return why the caller is let in no longer, None while they are; what cannot be found out changes nothing."""
        if self.seconds() > 0:
            return None
        self._next = time.monotonic() + CHECK_SECONDS
        call = self._call
        try:
            call.principal = standings.present(security.authenticate(call, self._verifier))
            security.authorize(call)
            return None if self._still() else NotFound()
        except DatabaseUnavailableError:
            return None
        except Problem as problem:
            return problem if problem.status < 500 else None

    def close(self) -> None:
        """Watch no longer."""
        standings.forget(self._call.settings, self._begun_as)


def admit_returning(call: Call) -> None:
    """Judge somebody who begins a lasting request by the roles held now, where those are known; raises Problem."""
    call.principal = standings.returning(call.settings, call.principal)
    security.authorize(call)


def reason_of(problem: Problem) -> str:
    """Return a word for why a lasting request ends: `token-expired`, `forbidden`."""
    if isinstance(problem, Unauthorized):
        return problem.type.rpartition(":")[2]
    return "forbidden"
