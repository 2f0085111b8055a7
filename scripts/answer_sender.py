"""
Handing answers over to the conversation service: batches, one after the other, so that every ticket's answers keep their order.

A batch may be sent again: an answer is named by its id at its source. What fails for a reason that passes is repeated; a ticket
that the conversation service has not been told of yet is waited for. When nothing has come through for longer than the patience
allows, the import stops and says what to do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from baton.http.clients import ServiceClient
from baton.pipelines.answer_mapping import Answer, AnswerMapping, comment_of
from baton.pipelines.csv_rows import Fault

#: Answers of one request, and its size in bytes: below what a front accepts (BATON_MAX_BODY_BYTES).
MOST, BYTES = 100, 600_000
#: Seconds between two attempts.
PAUSE = 0.5
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}


class StoppedError(Exception):
    """The import cannot go on; the text says why and what to do."""


class Ticket(NamedTuple):
    """A ticket that was imported before, and the id of its requester."""

    number: str
    requester: str


class Outcome(NamedTuple):
    """What became of an answer: `filed`, `already there`, or `rejected` for these reasons."""

    answer: Answer
    kind: str
    ticket: str = ""
    faults: tuple[Fault, ...] = ()


def tickets_of(client: ServiceClient, url: str, source: str, notice: Callable[[int], None]) -> dict[str, Ticket]:
    """Return the help desk's tickets of a source, by their id there; `notice` is told how many were read so far."""
    found: dict[str, Ticket] = {}
    cursor = ""
    while True:
        params = {"source": source, "limit": "200", "sort": "submitted_at", **({"cursor": cursor} if cursor else {})}
        answer = client.get(f"{url}/api/v1/tickets", params=params)
        if not answer.is_success:
            raise StoppedError(f"the help desk does not list its tickets: {told(answer)}")
        page = answer.json()
        for each in page["items"]:
            found[each["source_id"]] = Ticket(each["ticket_number"], each["employee"]["id"])
        notice(len(found))
        cursor = page["next"] or ""
        if not cursor:
            return found


class AnswerSender:
    """Hands answers over, in order; `tickets` are those they may belong to."""

    def __init__(
        self, client: ServiceClient, url: str, mapping: AnswerMapping, tickets: Mapping[str, Ticket], *, patience: float
    ) -> None:
        self._client = client
        self._url = f"{url}/api/v1/comments/import"
        self._mapping = mapping
        self._tickets = tickets
        self._patience = patience

    def send_all(self, answers: Iterable[Answer]) -> Iterator[Outcome]:
        """Yield what became of each answer, in their order. Raises StoppedError."""
        waiting: list[Answer] = []
        size = 0
        for answer in answers:
            waiting.append(answer)
            size += len(json.dumps(answer.text or {})) + 500
            if len(waiting) == MOST or size > BYTES:
                yield from self._send(waiting)
                waiting, size = [], 0
        yield from self._send(waiting)

    def _send(self, answers: list[Answer]) -> Iterator[Outcome]:
        outcomes: dict[int, Outcome] = {}
        left = []
        for answer in answers:
            ticket = self._tickets.get(answer.ticket_source_id)
            if answer.faults:
                outcomes[answer.number] = Outcome(answer, "rejected", faults=answer.faults)
            elif ticket is None:
                fault = Fault(
                    "ticket", f"there is no ticket of {self._mapping.source} {answer.ticket_source_id}: import those first"
                )
                outcomes[answer.number] = Outcome(answer, "rejected", faults=(fault,))
            else:
                left.append((answer, ticket))
        deadline = time.monotonic() + self._patience
        while left:
            left = self._attempt(left, outcomes)
            if left and time.monotonic() > deadline:
                reason = "the conversation service was not told of it in time: see `baton doctor`, then import again"
                outcomes |= {a.number: Outcome(a, "rejected", t.number, (Fault("ticket", reason),)) for a, t in left}
                left = []
            elif left:
                time.sleep(PAUSE)
        yield from (outcomes[answer.number] for answer in answers)

    def _attempt(self, pairs: list[tuple[Answer, Ticket]], outcomes: dict[int, Outcome]) -> list[tuple[Answer, Ticket]]:
        """Hand these over; return those whose tickets are not known yet."""
        comments = [comment_of(answer, self._mapping, ticket.number, ticket.requester) for answer, ticket in pairs]
        response = self._post(comments)
        if response.status_code == 422:
            return self._alone(pairs, outcomes, response)
        again = []
        for (answer, ticket), item in zip(pairs, response.json()["items"], strict=True):
            if item["outcome"] == "unknown ticket":
                again.append((answer, ticket))
            else:
                kind = "filed" if item["outcome"] == "stored" else "already there"
                outcomes[answer.number] = Outcome(answer, kind, ticket.number)
        return again

    def _alone(
        self, pairs: list[tuple[Answer, Ticket]], outcomes: dict[int, Outcome], response: httpx.Response
    ) -> list[tuple[Answer, Ticket]]:
        """Hand over one by one what was refused together, so that only the culprits are."""
        if len(pairs) == 1:
            answer, ticket = pairs[0]
            errors = response.json().get("errors", [])
            faults = tuple(Fault(each["field"].rpartition("comments.0.")[2], each["message"]) for each in errors)
            outcomes[answer.number] = Outcome(answer, "rejected", ticket.number, faults or (Fault("", told(response)),))
            return []
        again = []
        for pair in pairs:
            again += self._attempt([pair], outcomes)
        return again

    def _post(self, comments: list[dict[str, Any]]) -> httpx.Response:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                response = self._client.post(self._url, json={"comments": comments})
                if response.is_success or response.status_code == 422:
                    return response
                trouble = told(response)
                if response.status_code not in _PASSING:
                    raise StoppedError(f"{trouble}; check --url, and that this program has the servers' BATON_SERVICE_SECRET")
            except httpx.HTTPError as error:
                trouble = f"no answer from {self._url} ({error or type(error).__name__})"
            if time.monotonic() > deadline:
                raise StoppedError(f"{trouble}; start the servers (`scripts/server` or `honcho start`), see `baton doctor`")
            time.sleep(PAUSE)


def told(response: httpx.Response) -> str:
    """Return a refusal in a line."""
    try:
        problem = response.json()
        return f"{response.status_code} {problem.get('detail') or problem.get('title')}"
    except (ValueError, AttributeError):
        return f"{response.status_code} {response.reason_phrase}"
