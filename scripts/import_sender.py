"""
Filing rows through the help desk's front door: many requests in flight, results in the order of the rows.

A request that fails for a reason that passes (connection refused, 5xx, 429) is repeated under the same idempotency key, so
that it files its ticket once however often it is sent. When nothing has come through for longer than the patience allows, the
import stops and says what to do.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx

from baton.pipelines.csv_rows import Fault
from baton.pipelines.importing import Filing, idempotency_key

#: Longest pause between two attempts, in seconds: a server that comes back is used again within this time.
LONGEST_PAUSE = 5.0
#: Seconds between two words to the user about a server that does not take anything.
NOTICE_SECONDS = 10.0
#: Statuses that say "not now" rather than "not this".
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}
#: Statuses that no row can help: they mean the address or the credentials.
_HOPELESS = {
    401: "these credentials do not count: give this program and the servers the same BATON_SERVICE_SECRET, see `baton doctor`",
    403: "these credentials may not file: give this program and the servers the same BATON_SERVICE_SECRET, see `baton doctor`",
    404: "there is no help desk (or no auth) at this address: check --url",
    405: "there is no help desk (or no auth) at this address: check --url",
}


class Front(Protocol):
    """What sends requests to a service: `baton.http.clients.ServiceClient`, or a stand-in."""

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET, whatever its status; raises httpx.HTTPError when there is none."""

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a POST, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row: `ticket` is the ticket's number once it has one. `stopped` rows were not filed as far as we know."""

    filing: Filing
    kind: Literal["filed", "already there", "rejected", "stopped"]
    ticket: str = ""
    faults: tuple[Fault, ...] = ()


class Sender:
    """Files rows. `reason` says why it gave up, once it has."""

    def __init__(
        self, front: Front, url: str, *, in_flight: int = 8, patience: float = 60.0, notice: Callable[[str], None] = print
    ) -> None:
        self._front = front
        self._url = f"{url}/api/v1/tickets"
        self._in_flight = in_flight
        self._patience = patience
        self._notice = notice
        self._noticed_at = time.monotonic()
        self._stop = threading.Event()
        self._last_success = time.monotonic()
        self.reason = ""

    def file_all(self, filings: Iterable[Filing]) -> Iterator[Outcome]:
        """Yield the outcome of every row, in their order. Rows are read only as far ahead as there are requests in flight."""
        waiting: deque[Future[Outcome]] = deque()
        with ThreadPoolExecutor(self._in_flight, thread_name_prefix="import") as pool:
            try:
                for filing in filings:
                    waiting.append(pool.submit(self.file, filing))
                    # A slow request at the head must not idle the others: the window is wider than the pool.
                    while len(waiting) >= self._in_flight * 4 or (waiting and waiting[0].done()):
                        yield waiting.popleft().result()
                    if self._stop.is_set():
                        break
                while waiting:
                    yield waiting.popleft().result()
            finally:
                self._stop.set()

    def file(self, filing: Filing) -> Outcome:
        """File one row, as often as it takes; return what became of it."""
        if filing.faults:
            return Outcome(filing=filing, kind="rejected", faults=filing.faults)
        began, attempt = time.monotonic(), 0
        while not self._stop.is_set():
            attempt += 1
            outcome, trouble, pause = self._attempt(filing, attempt)
            if outcome is not None:
                return outcome
            waited = time.monotonic() - max(began, self._last_success)
            if waited > self._patience:
                self.stop(f"{trouble}, for {waited:.0f} s; start it (`scripts/server` or `honcho start`), see `baton doctor`")
            elif not trouble.startswith(("429", "503")) and time.monotonic() - began > self._patience:
                # The others come through: it is this row that the server fails on.
                return Outcome(filing=filing, kind="rejected", faults=(Fault("", f"{trouble}, {attempt} times"),))
            else:
                self._mention(trouble)
                self._stop.wait(pause)
        return Outcome(filing=filing, kind="stopped")

    def _mention(self, trouble: str) -> None:
        now = time.monotonic()
        if now - max(self._last_success, self._noticed_at) > NOTICE_SECONDS / 2:
            self._noticed_at = now + NOTICE_SECONDS / 2
            self._notice(f"waiting: {trouble}")

    def stop(self, reason: str) -> None:
        """Send nothing more. Rows in flight end as they can."""
        if not self._stop.is_set():
            self.reason = reason
            self._stop.set()

    def _attempt(self, filing: Filing, attempt: int) -> tuple[Outcome | None, str, float]:
        pause = min(0.1 * 2 ** min(attempt, 10), LONGEST_PAUSE) * random.uniform(0.5, 1.0)
        headers = {"Idempotency-Key": idempotency_key(filing)}
        try:
            response = self._front.post(self._url, json=filing.body, headers=headers)
        except httpx.HTTPError as error:
            return None, f"no answer from {self._url} ({error or type(error).__name__})", pause
        if response.status_code in _PASSING:
            asked = response.headers.get("Retry-After", "")
            pause = min(float(asked), LONGEST_PAUSE) * random.uniform(1.0, 1.2) if asked.isdigit() else pause
            return None, f"{response.status_code} {_title(response)}", pause
        if response.status_code in _HOPELESS:
            self.stop(f"{response.status_code} {_title(response)}: {_HOPELESS[response.status_code]}")
            return Outcome(filing=filing, kind="stopped"), "", 0.0
        self._last_success = time.monotonic()
        if response.is_success:
            return Outcome(filing=filing, kind=_kind(response, attempt), ticket=_ticket_number(response)), "", 0.0
        return Outcome(filing=filing, kind="rejected", faults=_faults(response)), "", 0.0


def _kind(response: httpx.Response, attempt: int) -> Literal["filed", "already there"]:
    # An answer replayed to a repeated attempt is the answer to the first one, which we did not live to see.
    replayed = "Idempotent-Replayed" in response.headers and attempt == 1
    return "filed" if response.status_code == 201 and not replayed else "already there"


def _ticket_number(response: httpx.Response) -> str:
    answer = response.json()
    return str(answer.get("ticket_number") or answer.get("number") or "")


def _title(response: httpx.Response) -> str:
    problem = _problem(response)
    return str(problem.get("detail") or problem.get("title") or response.reason_phrase)


def _faults(response: httpx.Response) -> tuple[Fault, ...]:
    errors = _problem(response).get("errors")
    if isinstance(errors, list) and errors and all(isinstance(error, dict) for error in errors):
        return tuple(Fault(str(error.get("field", "")), str(error.get("message", "is refused"))) for error in errors)
    return (Fault("", f"{response.status_code} {_title(response)}"),)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
