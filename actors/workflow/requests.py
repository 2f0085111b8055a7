"""Requests: a requester withdraws a ticket or has it reopened; each is answered with the ticket's status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.allocation import start_tickets
from baton.actors.workflow.assignment import tell_picks
from baton.actors.workflow.rotation import assign, item_need, owner_need, owner_role, release
from baton.actors.workflow.statuses import tell_statuses
from baton.models.transaction import Transaction
from baton.models.workflow import allocation_store, assignment_store, request_store
from baton.models.workflow.allocation_store import NewItem
from baton.models.workflow.assignment_store import HistoryRow
from baton.models.workflow.intake_store import TicketRow, lock_tickets, store_snapshots, write_request_versions
from baton.models.workflow.request_store import ItemRow
from baton.pipelines.intake import MAX_NUMBER_LENGTH, IncomingTicket, UnusableTicketError, read_ticket
from baton.pipelines.messages import ReopenTicket, WithdrawTicket
from baton.pipelines.requests import APPLIED, REFUSED, Verdict, decide_reopening, decide_withdrawal, request_order
from baton.pipelines.statuses import ITEM_CANCELLED, ITEM_NEW, NEW, TASK_WITHDRAWN, WITHDRAWN

Decide = Callable[[str, int | None, int | None], Verdict]


@dataclass(slots=True)
class _Requests:
    """A batch of requests of one kind: the tickets as stored, what was decided, and the traces, by ticket number."""

    tickets: dict[str, TicketRow]
    traces: dict[str, str]
    applied: dict[str, TicketRow] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


@handles(
    WithdrawTicket,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def withdraw_ticket(tx: Transaction, deliveries: Sequence[Delivery[WithdrawTicket]]) -> None:
    """Stop the work on withdrawn tickets and free their people; a ticket not taken in yet is stored as withdrawn."""
    batch = _decide(tx, deliveries, "withdrawal", decide_withdrawal, after=WITHDRAWN)
    items = request_store.open_items(tx, batch.applied)
    release(tx, items, ITEM_CANCELLED, "requester", "withdrawn", batch.traces)
    request_store.close_tasks(tx, batch.applied, TASK_WITHDRAWN)
    allocation_store.leave_triage(tx, batch.applied)
    statuses = {number: batch.tickets[number].status for number in batch.refused}
    statuses |= dict.fromkeys(batch.applied, WITHDRAWN)
    tell_statuses(tx, batch.tickets, statuses, batch.traces, answers=statuses)


@handles(
    ReopenTicket,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def reopen_ticket(tx: Transaction, deliveries: Sequence[Delivery[ReopenTicket]]) -> None:
    """Open the last step of reopened tickets for whoever had it; one without a task is allocated like a new one."""
    batch = _decide(tx, deliveries, "reopening", decide_reopening, after=NEW)
    refused = {number: batch.tickets[number].status for number in batch.refused}
    tell_statuses(tx, batch.tickets, refused, batch.traces, answers=refused)
    with_task = allocation_store.with_tasks(tx, batch.applied)
    _return_items(tx, {number: batch.applied[number] for number in sorted(with_task)}, batch.traces)
    start_tickets(tx, {n: ticket for n, ticket in batch.applied.items() if n not in with_task}, batch.traces)


def _return_items(tx: Transaction, tickets: Mapping[str, TicketRow], traces: Mapping[str, str]) -> None:
    """Open each ticket's last step once more, for its former assignee; a task without an owner gets one."""
    if not tickets:
        return
    tasks = request_store.reopen_tasks(tx, tickets)
    former = {item.task: item for item in request_store.last_items(tx, tickets)}
    opened = allocation_store.store_items(
        tx,
        [(i.task, i.step, i.visit + 1, i.ticket_number, i.role, i.assignee, i.came_from) for i in former.values()],
        noted=True,
    )
    assignment_store.store_history(tx, [_reopened(item, former[item.task]) for item in opened], traces)
    needs = [
        item_need(tickets[item.ticket_number], item.item, item.task, item.role, former[item.task].assignee)
        for item in opened
    ]
    owners = owner_role(tx)
    needs += [owner_need(tickets[number], task, owners) for task, number, owner in sorted(tasks) if owner is None]
    tell_picks(tx, tickets, assign(tx, needs, traces), traces)


def _reopened(item: NewItem, last: ItemRow) -> HistoryRow:
    return item.item, item.ticket_number, "requester", "reopened", last.state, ITEM_NEW, None, "by the requester"


def _decide(tx: Transaction, deliveries: Sequence[Delivery[Any]], kind: str, decide: Decide, after: str) -> _Requests:
    """Lock the tickets (storing unknown ones), decide each request in its order, and note it as handled."""
    arrived = _read(deliveries)
    seen = request_store.seen_requests(tx, [delivery.message.request_id for delivery, _ in arrived])
    fresh = {row.ticket_number for row in store_snapshots(tx, {t.number: t for _, t in arrived}.values(), NEW)}
    batch = _Requests(lock_tickets(tx, [t.number for _, t in arrived]), {})
    statuses = {number: ticket.status for number, ticket in batch.tickets.items()}
    versions: dict[str, int] = {}
    handled: list[tuple[str, str, str, str, str]] = []
    for delivery, ticket in arrived:
        number, message = ticket.number, delivery.message
        version = request_order(delivery.envelope.version, delivery.envelope.sent_at)
        if message.request_id in seen:
            continue
        seen.add(message.request_id)
        known = versions.get(number, batch.tickets[number].request_version)
        # A reopening that overtakes the ticket itself is its arrival.
        verdict = Verdict(APPLIED) if number in fresh and after == NEW else decide(statuses[number], known, version)
        handled.append((message.request_id, number, kind, message.reason or verdict.why, verdict.outcome))
        batch.traces[number] = delivery.envelope.trace_id
        if verdict.outcome == APPLIED:
            batch.applied[number], statuses[number] = batch.tickets[number], after
            fresh.discard(number)
        elif verdict.outcome == REFUSED and number not in batch.applied:
            batch.refused.add(number)
        if version is not None and verdict.outcome in (APPLIED, REFUSED):
            versions[number] = version
    batch.refused -= batch.applied.keys()
    write_request_versions(tx, versions)
    request_store.store_requests(tx, handled)
    return batch


def _read(deliveries: Sequence[Delivery[Any]]) -> list[tuple[Delivery[Any], IncomingTicket]]:
    read = []
    for delivery in deliveries:
        if len(delivery.message.request_id) > MAX_NUMBER_LENGTH:
            delivery.refuse(f"`request_id` is longer than {MAX_NUMBER_LENGTH} characters")
            continue
        try:
            read.append((delivery, read_ticket(delivery.message.payload)))
        except UnusableTicketError as error:
            delivery.refuse(str(error))
    return read
