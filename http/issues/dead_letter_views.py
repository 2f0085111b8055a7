"""What those who look after dead letters send and see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from baton.http.types import Body, Instant, Name, Query, View, storable

LetterId = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]


class LetterQuery(Query):
    """Which dead letters to list: of one queue or of all, the oldest of each first, at most `limit` in all."""

    queue: Name | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class LetterSummary(View):
    """A message given up on. `id` names it within its queue; `actor` and `ticket_number` are null where they cannot be told."""

    queue: str
    id: str
    actor: str | None
    ticket_number: str | None
    attempts: int
    died_at: datetime | None
    reason: str


class LetterView(LetterSummary):
    """
    A message given up on, whole.

    `envelope` and `fields` are null where it cannot be read. `body` is as it came, in `encoding` text or base64, and cut off
    where it is very long (`cut`).
    """

    message_id: str
    traceback: str
    envelope: dict[str, Any] | None
    fields: dict[str, Any] | None
    body: str
    encoding: Literal["text", "base64"]
    cut: bool


class CountView(View):
    """How a queue stands: messages ready, consumers, dead letters."""

    queue: str
    receiver: str
    ready: int
    consumers: int
    dead: int


class CountList(View):
    """Every queue of the catalogue."""

    items: list[CountView]


class LetterList(View):
    """Dead letters, `dead` how many there are (of that queue), and `at` the instant of the answer, for `died_before`."""

    items: list[LetterSummary]
    dead: int
    at: datetime


class Chosen(Body):
    """Which dead letters of a queue: these ids, or all that had died by an instant."""

    ids: Annotated[list[LetterId], Field(min_length=1, max_length=1_000)] | None = None
    died_before: Instant | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Chosen:
        if (self.ids is None) == (self.died_before is None):
            raise ValueError("give either ids or died_before")
        return self


class Decided(View):
    """How many dead letters were put back or deleted; those that were gone already do not count."""

    queue: str
    done: int
