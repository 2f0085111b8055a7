"""Finding tickets: the list of all of them, and search by number and by the words they hold."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints

from baton.http.api import BadRequest, Call, Operation, Page, PageQuery, View, page
from baton.http.paging import decode_cursor, encode_cursor
from baton.http.types import Id, Instant, Name, storable
from baton.http.workflow.tasks import viewer
from baton.http.workflow.views import TicketStatus
from baton.models.workflow import TicketSnapshot, finding
from baton.pipelines.searching import Wanted, number_meant, snippet, wanted_in

#: What somebody types to find something. Its words count; the rest only separates them.
Words = Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)]


class TicketFilter(PageQuery):
    """
    Which tickets: `assignee` has an open item of it, `role` (a role's id) is that of an open item, `owner` has its task.

    `q`: those that hold these words; the last may be the beginning of one.
    """

    status: TicketStatus | None = None
    priority: Name | None = None
    category: Name | None = None
    department: Name | None = None
    workflow_id: Id | None = None
    assignee: Name | None = None
    owner: Name | None = None
    role: Name | None = None
    filed_from: Instant | None = None
    filed_to: Instant | None = None


class TicketQuery(TicketFilter):
    """Which tickets to list, by when they were taken in, `-` for the newest first."""

    q: Words | None = None
    sort: Literal["-received_at", "received_at"] = "-received_at"


class SearchQuery(TicketFilter):
    """What to look for. The ticket of this number comes first, then those that hold the words, newest first."""

    q: Words


class HolderView(View):
    """Who has a ticket now, at which step, for which role; `assignee` is null where it waits for somebody."""

    assignee: str | None
    name: str | None
    step: str
    role: str


class TicketRow(View):
    """A ticket in a list. What its task tells is null where it has none: in triage, or withdrawn before it had one."""

    ticket_number: str
    subject: str
    category: str | None
    department: str | None
    priority: str
    status: str
    received_at: datetime
    workflow_id: int | None
    workflow: str | None
    owner_user_id: str | None
    owner_name: str | None
    holders: list[HolderView]


class FoundTicket(TicketRow):
    """A ticket that was found, with what it says about the first word that was looked for, as plain text."""

    snippet: str


def list_tickets(call: Call, query: TicketQuery) -> Page[TicketRow]:
    """All tickets that the caller sees, those in triage among them."""
    found = _narrowed(call, query)
    newest_first = query.sort.startswith("-")
    if query.q is None or not query.q.strip():
        key = (TicketSnapshot.received_at, TicketSnapshot.id)
        listed = page(found, key=key, cursor=query.cursor, limit=query.limit, descending=newest_first, view=dict)
        return Page[TicketRow](items=_rows(listed.items), next=listed.next)
    rows, following = _matching(call, query, wanted_in(query.q), newest_first)
    return Page[TicketRow](items=_rows(rows), next=following)


def search(call: Call, query: SearchQuery) -> Page[FoundTicket]:
    """The ticket of this number, and the tickets that hold the words, of those that the caller sees."""
    wanted = wanted_in(query.q)
    rows, following = _matching(call, query, wanted, True)
    texts = finding.texts_of(row["id"] for row in rows)
    return Page[FoundTicket](
        items=[
            FoundTicket(**row.model_dump(), snippet=_said(texts.get(each["id"], "{}"), wanted))
            for row, each in zip(_rows(rows), rows, strict=True)
        ],
        next=following,
    )


def _narrowed(call: Call, query: TicketFilter) -> Any:
    filters = {name: getattr(query, name) for name in TicketFilter.model_fields if name not in PageQuery.model_fields}
    return finding.narrowed(finding.tickets(viewer(call)), filters)


def _matching(
    call: Call, query: TicketQuery | SearchQuery, wanted: Wanted | None, newest_first: bool
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of what is found, the ticket of the number that was typed first of all, and the next page's cursor."""
    beyond = _beyond(query.cursor)
    first: list[dict[str, Any]] = []
    meant, seen = _numbers(query.q or ""), _narrowed(call, query)
    named = seen.where(TicketSnapshot.ticket_number.in_(meant)).first() if meant else None
    if named is not None and beyond is None:
        first = [named]
    if wanted is None:
        return first, None
    room = query.limit - len(first)
    but = named["ticket_number"] if named is not None else ""
    rows = finding.holding(seen, wanted, beyond=beyond, limit=room + 1, newest_first=newest_first, but=but)
    if len(rows) <= room:
        return [*first, *rows], None
    # A page that the named ticket filled goes on from the newest of the others.
    last = rows[room - 1]["id"] if room else rows[0]["id"] + (1 if newest_first else -1)
    return [*first, *rows[:room]], encode_cursor([last])


def _numbers(text: str) -> list[str]:
    typed = text.strip()[:200]
    return sorted({typed, typed.upper(), number_meant(typed) or typed} - {""})


def _beyond(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, [TicketSnapshot.id])
    if last < 0:
        raise BadRequest("the cursor is not one that this list gave out")
    return int(last)


def _rows(rows: list[dict[str, Any]]) -> list[TicketRow]:
    holders = finding.holders_of(row["task"] for row in rows if row["task"] is not None)
    return [TicketRow(**row, holders=[HolderView(**each) for each in holders.get(row["task"], [])]) for row in rows]


def _said(data: str, wanted: Wanted | None) -> str:
    described = json.loads(data).get("description")
    return snippet(described, wanted) if isinstance(described, str) else ""


OPERATIONS = (
    Operation(
        "GET", "/api/v1/tickets", list_tickets, permission="work.read", query=TicketQuery, returns=Page[TicketRow],
        summary="List all tickets, those in triage among them",
    ),
    Operation(
        "GET", "/api/v1/search", search, permission="work.read", query=SearchQuery, returns=Page[FoundTicket],
        summary="Find tickets by number and by the words they hold",
    ),
)  # fmt: skip
