"""Finding tickets by number and by the words they hold, among those that the caller may see."""

from __future__ import annotations

from typing import Any

from baton.http.api import BadRequest, Call, Page
from baton.http.helpdesk.views import TicketQuery, TicketSummary, ticket_summary
from baton.http.paging import decode_cursor, encode_cursor
from baton.models.full_text import search
from baton.models.helpdesk.tables import Ticket, TicketWords
from baton.models.helpdesk.tickets import row_id_of
from baton.pipelines.searching import number_meant, wanted_in


def search_tickets(call: Call, query: TicketQuery, allowed: Any) -> Page[TicketSummary]:
    """Return what is found among the allowed tickets, in the order of filing; the ticket whose number was typed first of all."""
    newest_first = query.sort.startswith("-")
    typed = query.q or ""
    named = _named(typed, allowed)
    beyond = _beyond(query.cursor)
    first = [named] if named is not None and beyond is None else []
    wanted = wanted_in(typed)
    if wanted is None:
        return Page[TicketSummary](items=[ticket_summary(each) for each in first])
    if call.principal.kind == "employee":
        wanted = wanted.tagged(call.principal.id)
    found = allowed.join(TicketWords, on=(TicketWords.id == Ticket.id))
    found, key = search(found, TicketWords, wanted)
    if beyond is not None:
        found = found.where(key < beyond if newest_first else key > beyond)
    if named is not None:
        found = found.where(Ticket.id != named.id)
    room = query.limit - len(first)
    rows = list(found.order_by(key.desc() if newest_first else key.asc()).limit(room + 1))
    following = None
    if len(rows) > room:
        # A page that the named ticket filled goes on from the first of the others.
        last = rows[room - 1].id if room else rows[0].id + (1 if newest_first else -1)
        following = encode_cursor([last])
    return Page[TicketSummary](items=[ticket_summary(each) for each in (*first, *rows[:room])], next=following)


def _named(typed: str, allowed: Any) -> Ticket | None:
    number = number_meant(typed)
    row_id = row_id_of(number) if number is not None else None
    return allowed.where(Ticket.id == row_id).first() if row_id is not None else None


def _beyond(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, [Ticket.id])
    if last < 0:
        raise BadRequest("the cursor is not one that this list gave out")
    return int(last)
