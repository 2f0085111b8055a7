"""Intake: submitted tickets become one snapshot each, and go on to allocation and assignment in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.allocation import start_tickets
from baton.models.transaction import Transaction
from baton.models.workflow.intake_store import store_snapshots
from baton.pipelines.intake import IncomingTicket, UnusableTicketError, read_ticket
from baton.pipelines.messages import ReceiveTicket
from baton.pipelines.statuses import NEW


@handles(
    ReceiveTicket,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def receive_ticket(tx: Transaction, deliveries: Sequence[Delivery[ReceiveTicket]]) -> None:
    """Store the tickets that are not stored yet, and start these in the order in which they arrived."""
    arrived, traces = read_tickets(deliveries)
    stored = {row.ticket_number: row for row in store_snapshots(tx, arrived.values(), NEW)}
    start_tickets(tx, {number: stored[number] for number in arrived if number in stored}, traces)


def read_tickets(
    deliveries: Sequence[Delivery[ReceiveTicket]],
) -> tuple[dict[str, IncomingTicket], dict[str, str]]:
    """Return the tickets and their traces by ticket number; the first of several with one number counts."""
    tickets: dict[str, IncomingTicket] = {}
    traces: dict[str, str] = {}
    for delivery in deliveries:
        try:
            ticket = read_ticket(delivery.message.payload)
        except UnusableTicketError as error:
            delivery.refuse(str(error))
            continue
        if ticket.number not in tickets:
            tickets[ticket.number] = ticket
            traces[ticket.number] = delivery.envelope.trace_id
    return tickets, traces
