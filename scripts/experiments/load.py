"""
Tickets filed over HTTP as a stubborn client would: each with its Idempotency-Key, again and again until it is acknowledged.

Half goes to the help desk, half through the submission gateway. Texts are seeded: the same seed files the same tickets.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

#: (category, department, share of the load); the last two match no seeded workflow and belong in triage.
KINDS = (
    ("IT Support", "IT Department", 40),
    ("Asset Check In", "Asset Department", 15),
    ("Asset Check Out", "Asset Department", 15),
    ("Budget Proposal", "Budget Department", 20),
    ("Gardening", "Grounds", 5),
    ("", "Nowhere", 5),
)
# fmt: off
WORDS = (
    *("printer", "jammed", "laptop", "screen", "café", "naïve", "Zürich", "日本語", "Ελληνικά", "عربى", "🙂", "“quoted”",),
    *("O'Neill", "<b>bold</b>", "a,b;c", "password", "expired", "%s", "%%", "\\n", "NULL", "--", "'", '"', "\t", "Straße"),
)
# fmt: on
#: Seconds between two attempts at the same ticket.
RETRY_SECONDS = 0.3


@dataclass
class Filed:
    """What the clients saw, guarded by `lock`: the answers by key, repeats that told another number, refusals."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    attempts: int = 0
    repeated: int = 0


def ticket(chance: random.Random, position: int) -> dict[str, Any]:
    """Return the body of the load's ticket at this position."""
    category, department, _ = chance.choices(KINDS, weights=[share for *_, share in KINDS])[0]
    employee = chance.randint(1, 150)
    length = chance.choice((5, 20, 80, 400))
    return {
        "subject": f"{position}: " + " ".join(chance.choices(WORDS, k=6)),
        "description": "\n".join(" ".join(chance.choices(WORDS, k=12)) for _ in range(length // 5)),
        "category": category or "Unheard of",
        "subcategory": chance.choice(("Hardware", "Software", "")),
        "department": department,
        "priority": chance.choice(("Low", "Medium", "High", "Critical")),
        "employee": {"id": str(employee), "name": f"Employee {employee}", "email": f"employee{employee}@example.com"},
    }


class Clients:
    """Threads that file `count` tickets over `seconds`, whatever happens to the servers meanwhile."""

    def __init__(
        self,
        urls: Mapping[str, str],
        token: Callable[[], str],
        *,
        seed: int,
        count: int,
        seconds: float,
        threads: int = 8,
    ) -> None:
        self.filed = Filed()
        self._targets = (f"{urls['helpdesk']}/api/v1/tickets", f"{urls['tickets']}/send/")
        self._token = token
        self._seed, self._count, self._seconds = seed, count, seconds
        self._bearer = ""
        self._started = time.monotonic()
        self._threads = [
            threading.Thread(target=self._run, args=(range(first, count, threads),), daemon=True) for first in range(threads)
        ]

    def start(self) -> None:
        """Begin to file."""
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> None:
        """Return once everything is acknowledged, or after `seconds`."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def done(self) -> bool:
        """Whether every ticket was acknowledged or refused."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, positions: range) -> None:
        with httpx.Client(timeout=10) as http:
            for position in positions:
                pause = self._started + position * self._seconds / self._count - time.monotonic()
                if pause > 0:
                    time.sleep(pause)
                self._file(http, position)

    def _file(self, http: httpx.Client, position: int) -> None:
        chance = random.Random(f"{self._seed}/{position}")
        body, key = ticket(chance, position), f"chaos-{self._seed}-{position}"
        target = self._targets[position % 2]
        if position % 2:
            body["source_service"] = "facilities"
        # Some clients do not believe their answer and ask once more.
        for _ in range(2 if chance.random() < 0.1 else 1):
            number = self._until_answered(http, target, key, body)
            if number is None:
                return
            with self.filed.lock:
                known = self.filed.numbers.setdefault(key, number)
                self.filed.bodies[number] = body
                if known != number:
                    self.filed.contradictions.append(f"{key}: {known}, then {number}")

    def _until_answered(self, http: httpx.Client, target: str, key: str, body: dict[str, Any]) -> str | None:
        """File until there is a final answer; return the ticket number, None if it was refused."""
        last = ""
        for attempt in range(1_000):
            with self.filed.lock:
                self.filed.attempts += 1
                self.filed.repeated += attempt > 0
            try:
                self._bearer = self._bearer or self._token()
                headers = {"Idempotency-Key": key, "Authorization": f"Bearer {self._bearer}"}
                answer = http.post(target, json=body, headers=headers)
                if answer.status_code in (200, 201, 202):
                    number: str = answer.json()["ticket_number"]
                    return number
                last = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code == 401:
                    self._bearer = ""
                elif answer.status_code not in (409, 425, 429) and answer.status_code < 500:
                    break
            except httpx.LocalProtocolError:
                raise  # our own request is wrong: no server can help
            except httpx.HTTPError as error:
                last = repr(error)
            time.sleep(RETRY_SECONDS)
        with self.filed.lock:
            self.filed.refusals.append(f"{key}: {last}")
        return None
