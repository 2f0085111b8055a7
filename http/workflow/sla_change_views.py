"""What the workflow front takes and shows of changes to policies and calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from baton.http.types import Body, Name, PageQuery, ShortText, View
from baton.http.workflow.definition_views import FaultView
from baton.http.workflow.sla_definition_views import Document, NewCalendar


class ProposalBody(Body):
    """
    Policies and calendars as they shall be (new ones, or next versions of those of their names), and policies to retire.

    A document that is the same as the one in force makes no new version; it is brought to the tickets that run by an older one.
    """

    policies: Annotated[list[Document], Field(max_length=100)] = Field(default_factory=list)
    calendars: Annotated[list[NewCalendar], Field(max_length=20)] = Field(default_factory=list)
    retire: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)


class PreviewBody(ProposalBody):
    """A proposal, and which tickets to look at: so many after this number. Go on with `next` of the answer."""

    after: Name | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200


class ChangeBody(ProposalBody):
    """A proposal that is carried out: stored, and brought to the tickets that run."""

    reason: ShortText = ""


class MoveView(View):
    """
    What becomes of an open clock: `effect` is moved, breaches (late at once), recovers (no longer late), ends or begins.

    `id` is null for a clock that begins.
    """

    id: int | None
    ticket_number: str
    metric: str
    item: int | None
    cycle: int
    effect: str
    due_at: datetime | None
    due_then: datetime | None


class CountsView(View):
    """How many clocks move (those that breach and recover included), breach, recover, end, begin."""

    moved: int
    breaches: int
    recovers: int
    ends: int
    begins: int


class PreviewView(View):
    """
    What a proposal would do to the tickets looked at; nothing was changed. `tickets` is how many are open in all.

    Add the counts of all pages up; the last has no `next`. `faults` are warnings and notes: an error is answered as such.
    """

    as_of: datetime
    tickets: int
    seen: int
    concerned: int
    counts: CountsView
    items: list[MoveView]
    faults: list[FaultView]
    next: str | None


class ChangeQuery(PageQuery):
    """Which changes, newest first."""

    state: Literal["running", "done", "undone"] | None = None


class ChangeView(View):
    """
    A change: `kind` is apply or undo, `state` running, done or undone. `tickets` were open when it began; of those `seen` were
    looked at so far and `changed` concerned; clocks `moved`, `breached` and `unbreached` by it.

    `before` and `after` are the versions in force, by id, of what it changed.
    """

    id: int
    kind: str
    state: str
    undoes: int | None
    reason: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    tickets: int
    seen: int
    changed: int
    moved: int
    breached: int
    unbreached: int
    before: dict[str, Any]
    after: dict[str, Any]
