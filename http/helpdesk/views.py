"""What the help desk's callers send and see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from baton.http.ticket_fields import (
    ContentView,
    EmployeeFields,
    OutlineView,
    RequiredWord,
    Status,
    TicketFields,
    Word,
    content_of,
    outline_of,
)
from baton.http.types import Body, Instant, PageQuery, View, storable
from baton.models.helpdesk.tables import Ticket


class NewTicket(TicketFields):
    """
    A ticket to file. Employees file for themselves and leave `employee` and `source` out; services and coordinators name the
    `employee`. `source` with `source_id` is the caller's own reference: filing it again answers with the ticket already there.
    """

    employee: EmployeeFields | None = None
    source: RequiredWord | None = None
    source_id: RequiredWord | None = None


class Wish(Body):
    """Why a ticket is withdrawn or reopened."""

    reason: Annotated[str, StringConstraints(max_length=2_000), AfterValidator(storable)] = ""


class TicketQuery(PageQuery):
    """
    Which tickets to list; all given conditions must hold. `sort`: by time of filing, `-` for the newest first.

    `q`: the ticket of this number first, then those that hold these words; the last may be the beginning of one.
    """

    status: Status | None = None
    category: Word | None = None
    department: Word | None = None
    priority: Literal["Low", "Medium", "High", "Critical"] | None = None
    employee_id: Word | None = None
    filed_from: Annotated[Instant, Field(description="Filed at or after this instant.")] | None = None
    filed_to: Annotated[Instant, Field(description="Filed before this instant.")] | None = None
    source: Word | None = None
    source_id: Word | None = None
    q: Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)] | None = None
    sort: Literal["-submitted_at", "submitted_at"] = "-submitted_at"


class _Head(View):
    ticket_number: str
    status: str
    pending_request: str | None
    source: str | None
    source_id: str | None
    submitted_at: datetime
    updated_at: datetime


class TicketSummary(OutlineView, _Head):
    """A ticket in a list. `pending_request` is a wish (`withdraw`, `reopen`) that the workflow side has not answered yet."""


class TicketView(ContentView, _Head):
    """A ticket. `pending_request` as in TicketSummary."""


class Rating(Body):
    """What the requester thinks of how a finished ticket was handled: `stars` from 1 (poor) to 5 (very good)."""

    stars: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(max_length=2_000), AfterValidator(storable)] = ""


class RatingView(View):
    """A rating as it stands."""

    ticket_number: str
    stars: int
    comment: str
    rated_at: datetime


class HistoryEntry(View):
    """What happened to a ticket: `filed`, `status` (a change), `withdraw` or `reopen`. `actor` is who did it."""

    at: datetime
    event: str
    from_status: str | None
    to_status: str
    actor: str
    reason: str
    version: int | None


class History(View):
    """A ticket's history, oldest first."""

    ticket_number: str
    items: list[HistoryEntry]


def ticket_view(ticket: Ticket) -> TicketView:
    """Return a ticket as its readers see it."""
    return TicketView(**content_of(ticket), **_head(ticket))


def ticket_summary(ticket: Ticket) -> TicketSummary:
    """Return a ticket as lists show it."""
    return TicketSummary(**outline_of(ticket), **_head(ticket))


def _head(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_number": ticket.number,
        "status": ticket.status,
        "pending_request": ticket.pending_request,
        "source": ticket.source,
        "source_id": ticket.source_id,
        "submitted_at": ticket.submitted_at,
        "updated_at": ticket.updated_at,
    }
