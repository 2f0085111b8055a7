"""Telling a ticket's origin of its status: written with the next version and announced in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from baton.models.transaction import Transaction
from baton.models.workflow.intake_store import TicketRow, write_statuses
from baton.pipelines.following import about_changes
from baton.pipelines.status_sync import status_announcement

#: Ticket number -> the trace that work on it belongs to, where the message that caused it told one.
Traces = Mapping[str, str]


def tell_statuses(
    tx: Transaction,
    tickets: Mapping[str, TicketRow],
    statuses: Mapping[str, str],
    traces: Traces,
    answers: Iterable[str] = (),
) -> None:
    """
    Write and announce the status of every ticket whose status changed; have all of these tickets' followers brought up to date.

    `answers` names tickets whose origin is told in any case, under a new version.
    """
    asked = set(answers)
    tell_changes(tx, statuses, traces)
    changed = {
        number: status for number, status in statuses.items() if number in asked or status != tickets[number].status
    }
    for change in write_statuses(tx, changed):
        tx.announce(
            status_announcement(change.ticket_number, change.status, through_gateway=change.through_gateway),
            ticket_number=change.ticket_number,
            version=change.version,
            trace_id=traces.get(change.ticket_number),
        )


def tell_changes(tx: Transaction, ticket_numbers: Iterable[str], traces: Traces) -> None:
    """Have the clocks and the followers of these tickets brought up to date, once the transaction has committed."""
    for message in about_changes(ticket_numbers):
        numbers = message.to_kwargs()["ticket_numbers"]
        number = numbers[0] if len(numbers) == 1 else None
        tx.announce(message, ticket_number=number, trace_id=traces.get(numbers[0]))
