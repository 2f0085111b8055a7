"""
The help desk's front: employees file and follow their own tickets, coordinators and services everybody's.

A ticket that the caller may not see answers exactly as one that does not exist.
"""

from __future__ import annotations

from typing import Any

import falcon

from baton.http.api import Call, Conflict, Forbidden, Invalid, NotFound, Operation, Page, Reply, create_service_app, page
from baton.http.helpdesk import rating
from baton.http.helpdesk.filing import ask, file_ticket
from baton.http.helpdesk.finding import search_tickets
from baton.http.helpdesk.views import (
    History,
    HistoryEntry,
    NewTicket,
    TicketQuery,
    TicketSummary,
    TicketView,
    Wish,
    ticket_summary,
    ticket_view,
)
from baton.http.ticket_fields import UNLISTED, invalid
from baton.http.tokens import KeySource
from baton.models.helpdesk import tickets
from baton.models.helpdesk.tables import Ticket
from baton.models.settings import Settings
from baton.pipelines.filing import FilingError, Person
from baton.pipelines.permissions import Principal
from baton.pipelines.ticket_requests import REOPEN, WITHDRAW, RequestRefusedError

_LISTED = [field for name, field in Ticket._meta.fields.items() if name not in UNLISTED]


def post_ticket(call: Call, body: NewTicket) -> Reply:
    """A valid ticket is stored and queued, answered with 201; one whose source reference is known, with 200 and that ticket."""
    employee = _requester(call.principal, body)
    draft = body.draft(employee, source=body.source, source_id=body.source_id)
    try:
        filed = file_ticket(call.tx, draft, filed_by=call.principal.subject)
    except FilingError as error:
        raise invalid(error) from None
    location = {"Location": f"/api/v1/tickets/{filed.ticket.number}"}
    return Reply(ticket_view(filed.ticket), status=201 if filed.created else 200, headers=location)


def list_tickets(call: Call, query: TicketQuery) -> Page[TicketSummary]:
    """The tickets that the caller may see and the conditions select, without their descriptions."""
    found = Ticket.select(*_LISTED)
    if _sees_only_own(call.principal):
        found = found.where(Ticket.employee_id == call.principal.id)
    for name in ("status", "category", "department", "priority", "employee_id", "source", "source_id"):
        value = getattr(query, name)
        if value is not None:
            found = found.where(getattr(Ticket, name) == value)
    if query.filed_from is not None:
        found = found.where(Ticket.submitted_at >= query.filed_from)
    if query.filed_to is not None:
        found = found.where(Ticket.submitted_at < query.filed_to)
    if query.q is not None and query.q.strip():
        return search_tickets(call, query, found)
    return page(
        found,
        key=(Ticket.submitted_at, Ticket.id),
        cursor=query.cursor,
        limit=query.limit,
        descending=query.sort.startswith("-"),
        view=ticket_summary,
    )


def read_ticket(call: Call) -> TicketView:
    """The ticket."""
    return ticket_view(_visible(call, tickets.find(call.params["number"])))


def read_history(call: Call) -> History:
    """What happened to the ticket since it was filed."""
    ticket = _visible(call, tickets.find(call.params["number"]))
    items = [HistoryEntry(**row) for row in tickets.history(ticket)]
    return History(ticket_number=ticket.number, items=items)


def withdraw_ticket(call: Call, body: Wish) -> TicketView:
    """The ticket shows as withdrawn, and the workflow side is asked to stop the work."""
    return _ask(call, WITHDRAW, body.reason)


def reopen_ticket(call: Call, body: Wish) -> TicketView:
    """The ticket shows as open again, and the workflow side is asked to take it up."""
    return _ask(call, REOPEN, body.reason)


def _ask(call: Call, kind: str, reason: str) -> TicketView:
    row_id = tickets.row_id_of(call.params["number"])
    ticket = _visible(call, tickets.lock([row_id]).get(row_id) if row_id else None)
    try:
        asked = ask(call.tx, ticket, kind, asked_by=call.principal.subject, reason=reason)
    except RequestRefusedError as error:
        raise Conflict(error.reason, ticket_status=ticket.status) from None
    return ticket_view(asked)


def _requester(principal: Principal, body: NewTicket) -> Person:
    """Return for whom the ticket is: an employee files for themselves, whoever else files names the employee."""
    if principal.kind != "employee":
        if body.employee is None:
            raise Invalid.of("employee", "must say for whom the ticket is filed", "missing")
        return body.employee.person()
    if body.employee is not None and body.employee.person().id != principal.id:
        raise Forbidden("an employee files tickets of their own only: leave employee out")
    if body.source is not None or body.source_id is not None:
        raise Forbidden("source references belong to services and coordinators: leave source and source_id out")
    return Person(id=principal.id, name=principal.name, email=principal.email)


def _sees_only_own(principal: Principal) -> bool:
    return principal.kind == "employee"


def _visible(call: Call, ticket: Ticket | None) -> Ticket:
    if ticket is None or (_sees_only_own(call.principal) and ticket.employee_id != call.principal.id):
        raise NotFound("there is no such ticket")
    return ticket


_ONE = "/api/v1/tickets/{number}"
_FILE: dict[str, Any] = {"permission": "tickets.file", "body": NewTicket, "returns": TicketView}
OPERATIONS = (
    Operation("POST", "/api/v1/tickets", post_ticket, **_FILE, status=201, problems=(403,), summary="File a ticket"),
    Operation(
        "GET",
        "/api/v1/tickets",
        list_tickets,
        permission="tickets.read",
        query=TicketQuery,
        returns=Page[TicketSummary],
        summary="List tickets",
    ),
    Operation("GET", _ONE, read_ticket, permission="tickets.read", returns=TicketView, problems=(404,), summary="Read a ticket"),
    Operation(
        "GET",
        f"{_ONE}/history",
        read_history,
        permission="tickets.read",
        returns=History,
        problems=(404,),
        summary="Read a ticket's history",
    ),
    Operation(
        "POST",
        f"{_ONE}/withdraw",
        withdraw_ticket,
        permission="tickets.withdraw",
        body=Wish,
        returns=TicketView,
        problems=(404, 409),
        summary="Withdraw a ticket",
    ),
    Operation(
        "POST",
        f"{_ONE}/reopen",
        reopen_ticket,
        permission="tickets.reopen",
        body=Wish,
        returns=TicketView,
        problems=(404, 409),
        summary="Reopen a ticket",
    ),
    *rating.OPERATIONS,
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the help desk's WSGI application."""
    return create_service_app("helpdesk", OPERATIONS, settings, keys)
