"""
Filing, withdrawing and reopening: the shells around the rules, used by the HTTP front, the commands and the seeders alike.

Each runs in the caller's transaction: the ticket's rows and the message that tells the workflow side commit together.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from baton.http.ticket_fields import columns_of
from baton.models.helpdesk import tickets
from baton.models.helpdesk.tables import Ticket
from baton.models.transaction import Transaction
from baton.pipelines.filing import Draft, Person, accept, payload
from baton.pipelines.messages import ReceiveTicket, ReopenTicket, WithdrawTicket
from baton.pipelines.searching import words_of
from baton.pipelines.statuses import OPEN
from baton.pipelines.ticket_requests import WITHDRAW, TicketState, overrule, request


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket that is in the help desk now; `created` is false when it was there before, by its source reference."""

    ticket: Ticket
    created: bool


def file_ticket(tx: Transaction, draft: Draft, *, filed_by: str) -> Filed:
    """
    Store a ticket and queue it for the workflow side. A draft whose source reference is known changes nothing.

    Raises:
        FilingError: the draft is not a valid ticket.
    """
    draft = accept(draft)
    values: dict[str, Any] = {
        **columns_of(draft),
        "status": OPEN,
        "status_version": 0,
        "request_count": 0,
        "source": draft.source,
        "source_id": draft.source_id,
        "filed_by": filed_by,
        "submitted_at": tx.now,
        "updated_at": tx.now,
    }
    # Tagged with whose it is: a search among one's own tickets passes nobody else's.
    words = words_of(draft.subject, draft.description, draft.employee.name, draft.employee.email, tags=(draft.employee.id,))
    row_id = tickets.add_ticket(values, words)
    if row_id is None:
        known = tickets.find_by_source(draft.source or "", draft.source_id or "")
        if known is None:
            raise RuntimeError(f"{draft.source}/{draft.source_id}: the ticket was deleted while it was filed again")
        return Filed(known, created=False)
    ticket = Ticket(id=row_id, **values)
    told = payload(ticket.number, draft, status=OPEN, submitted_at=tx.now)
    tx.announce(ReceiveTicket(payload=told), ticket_number=ticket.number)
    return Filed(ticket, created=True)


def ask(tx: Transaction, ticket: Ticket, kind: str, *, asked_by: str, reason: str = "") -> Ticket:
    """
    Withdraw or reopen a ticket (locked by the caller): shown at once, and put to the workflow side, which answers.

    Raises:
        RequestRefusedError: the ticket's state does not allow it.
    """
    request_id = uuid.uuid4().hex
    state = request(_state(ticket), kind, request_id)
    if state is None:
        return ticket
    told = payload(ticket.number, _draft(ticket), status=ticket.status, submitted_at=ticket.submitted_at)
    command = WithdrawTicket if kind == WITHDRAW else ReopenTicket
    # The request's id is also its trace: the answer inherits the trace, which is how status sync knows it from other news.
    tx.announce(
        command(payload=told, request_id=request_id, reason=reason),
        ticket_number=ticket.number,
        version=state.requests,
        trace_id=request_id,
    )
    return _become(tx, ticket, state, event=kind, actor=asked_by, reason=reason)


def set_status(tx: Transaction, ticket: Ticket, status: str, *, actor: str, reason: str) -> Ticket:
    """Set a ticket's status by hand (locked by the caller). The workflow side is not told and may overrule it."""
    return _become(tx, ticket, overrule(_state(ticket), status), event="status", actor=actor, reason=reason)


def _become(tx: Transaction, ticket: Ticket, state: TicketState, *, event: str, actor: str, reason: str) -> Ticket:
    before = ticket.status
    ticket.status, ticket.updated_at = state.status, tx.now
    ticket.pending_request, ticket.request_id, ticket.request_count = state.pending, state.request_id, state.requests
    tickets.store_states(tx, [tickets.status_row(ticket)])
    change = {"at": tx.now, "event": event, "from_status": before, "to_status": state.status}
    tickets.add_history(tx, [{"ticket": ticket.id, "actor": actor, "reason": reason, "version": None, **change}])
    return ticket


def _state(ticket: Ticket) -> TicketState:
    return TicketState(
        status=ticket.status,
        workflow_status=ticket.workflow_status,
        version=ticket.status_version,
        pending=ticket.pending_request,
        request_id=ticket.request_id,
        requests=ticket.request_count,
    )


def _draft(ticket: Ticket) -> Draft:
    return Draft(
        subject=ticket.subject,
        description=ticket.description,
        category=ticket.category,
        subcategory=ticket.subcategory,
        department=ticket.department,
        priority=ticket.priority,
        employee=Person(id=ticket.employee_id, name=ticket.employee_name, email=ticket.employee_email),
        source_service=ticket.source_service,
        extras=json.loads(ticket.extras),
    )
