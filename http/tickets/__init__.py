"""
The submission gateway: any system that holds a token hands its tickets in at `/send/`, and asks here what became of them.

A submission is answered with a receipt. Its sender sees it, and coordinators; to everybody else it does not exist.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import falcon

from baton.http.api import Call, Forbidden, NotFound, Operation, Page, PageQuery, Reply, View, create_service_app, page
from baton.http.ticket_fields import (
    UNLISTED,
    ContentView,
    EmployeeFields,
    OutlineView,
    RequiredWord,
    Status,
    TicketFields,
    columns_of,
    content_of,
    invalid,
    outline_of,
)
from baton.http.tokens import KeySource
from baton.models import tickets
from baton.models.settings import Settings
from baton.models.tickets import Receipt
from baton.pipelines.filing import FilingError, accept, payload
from baton.pipelines.messages import ReceiveTicket
from baton.pipelines.permissions import Principal
from baton.pipelines.statuses import OPEN

#: Who sees every receipt, not only their own.
_COORDINATORS = ("hdts:Admin", "hdts:Ticket Coordinator", "tts:Admin", "tts:Ticket Coordinator")
_LISTED = [field for name, field in Receipt._meta.fields.items() if name not in UNLISTED]


class Submission(TicketFields):
    """A ticket of another system: for whom it is, and which system hands it in (such as `hdts`)."""

    employee: EmployeeFields
    source_service: RequiredWord


class ReceiptQuery(PageQuery):
    """Which receipts to list, newest first."""

    status: Status | None = None


class _Head(View):
    ticket_number: str
    status: str
    submitted_at: datetime
    updated_at: datetime


class ReceiptSummary(OutlineView, _Head):
    """A submitted ticket in a list."""


class ReceiptView(ContentView, _Head):
    """A submitted ticket and its status."""


def submit(call: Call, body: Submission) -> Reply:
    """A valid submission is stored and queued for the workflow side, and answered with its receipt."""
    employee = body.employee.person()
    if call.principal.kind == "employee" and employee.id != call.principal.id:
        raise Forbidden("an employee submits tickets of their own only")
    try:
        draft = accept(body.draft(employee, source_service=body.source_service))
    except FilingError as error:
        raise invalid(error) from None
    now = call.tx.now
    values = {**columns_of(draft), "sender": call.principal.subject, "status": OPEN, "submitted_at": now, "updated_at": now}
    receipt = Receipt(id=tickets.add_receipt(values), **values)
    told = payload(receipt.number, draft, status=OPEN, submitted_at=now, gateway=True)
    call.tx.announce(ReceiveTicket(payload=told), ticket_number=receipt.number)
    return Reply(_view(receipt), headers={"Location": f"/send/{receipt.number}/"})


def read_receipt(call: Call) -> ReceiptView:
    """The receipt and the ticket's present status."""
    receipt = tickets.find(call.params["number"])
    if receipt is None or not _may_see(call.principal, receipt):
        raise NotFound("there is no such submission")
    return _view(receipt)


def list_receipts(call: Call, query: ReceiptQuery) -> Page[ReceiptSummary]:
    """The caller's own receipts; a coordinator's list has everybody's."""
    found = Receipt.select(*_LISTED)
    if not call.principal.has_role(*_COORDINATORS):
        found = found.where(Receipt.sender == call.principal.subject)
    if query.status is not None:
        found = found.where(Receipt.status == query.status)
    return page(found, key=Receipt.id, cursor=query.cursor, limit=query.limit, descending=True, view=_summary)


def _may_see(principal: Principal, receipt: Receipt) -> bool:
    return receipt.sender == principal.subject or principal.has_role(*_COORDINATORS)


def _view(receipt: Receipt) -> ReceiptView:
    return ReceiptView(**content_of(receipt), **_head(receipt))


def _summary(receipt: Receipt) -> ReceiptSummary:
    return ReceiptSummary(**outline_of(receipt), **_head(receipt))


def _head(receipt: Receipt) -> dict[str, Any]:
    return {
        "ticket_number": receipt.number,
        "status": receipt.status,
        "submitted_at": receipt.submitted_at,
        "updated_at": receipt.updated_at,
    }


OPERATIONS = (
    Operation(
        "POST",
        "/send/",
        submit,
        permission="gateway.submit",
        body=Submission,
        returns=ReceiptView,
        status=201,
        problems=(403,),
        summary="Submit a ticket",
    ),
    Operation(
        "GET",
        "/send/",
        list_receipts,
        permission="gateway.read",
        query=ReceiptQuery,
        returns=Page[ReceiptSummary],
        summary="List submissions",
    ),
    Operation(
        "GET",
        "/send/{number}/",
        read_receipt,
        permission="gateway.read",
        returns=ReceiptView,
        problems=(404,),
        summary="Read a submission and its status",
    ),
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the submission gateway's WSGI application."""
    return create_service_app("tickets", OPERATIONS, settings, keys)
