"""
The help desk's message handlers: statuses from the workflow side, people from auth.

Each takes a batch and writes it in a handful of statements. News about one ticket or person are applied in the order they came,
and only as far as they are newer than what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.helpdesk import people, tickets
from baton.models.transaction import Transaction
from baton.pipelines import register_sync
from baton.pipelines.messages import SendTicketStatus, SyncEmployee, SyncHdtsUser
from baton.pipelines.statuses import TICKET_STATUSES
from baton.pipelines.ticket_requests import News, TicketState, apply_news

log = structlog.get_logger("baton.helpdesk")


@handles(
    SendTicketStatus,
    service="helpdesk",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def send_ticket_status(tx: Transaction, deliveries: Sequence[Delivery[SendTicketStatus]]) -> None:
    """Tickets bear the newest status told; what changed is in their history. Tickets that are not ours are left alone."""
    told = [(tickets.row_id_of(delivery.message.ticket_id), delivery) for delivery in deliveries if _is_status(delivery)]
    before = tickets.lock_states(row_id for row_id, _ in told if row_id is not None)
    after = dict(before)
    history: list[dict[str, Any]] = []
    for row_id, delivery in told:
        if row_id is None or row_id not in after:
            log.warning("status_of_unknown_ticket", ticket=delivery.message.ticket_id, status=delivery.message.new_status)
            continue
        old = after[row_id]
        after[row_id] = new = _apply(old, delivery)
        if new.status != old.status:
            history.append(_change(old, new, delivery.envelope.version, tx.now))
    tickets.store_states(tx, [row for row_id, row in after.items() if row != before[row_id]])
    tickets.add_history(tx, history)


@handles(
    SyncEmployee,
    service="helpdesk",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def sync_employee(tx: Transaction, deliveries: Sequence[Delivery[SyncEmployee]]) -> None:
    """The employees told of are stored as the newest news have them."""
    told = _read(deliveries, register_sync.read_employee)
    people.store_employees([{**row, "synced_at": tx.now} for row in register_sync.newest(told)])


@handles(
    SyncHdtsUser,
    service="helpdesk",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def sync_hdts_user(tx: Transaction, deliveries: Sequence[Delivery[SyncHdtsUser]]) -> None:
    """The HDTS staff told of are stored as the newest news have them."""
    told = _read(deliveries, register_sync.read_hdts_user)
    rows = [{**row, "roles": json.dumps(row["roles"]), "synced_at": tx.now} for row in register_sync.newest(told)]
    people.store_hdts_users(rows)


def _is_status(delivery: Delivery[SendTicketStatus]) -> bool:
    if delivery.message.new_status in TICKET_STATUSES:
        return True
    delivery.refuse(f"new_status: {delivery.message.new_status!r} is no ticket status")
    return False


def _apply(row: tickets.StatusRow, delivery: Delivery[SendTicketStatus]) -> tickets.StatusRow:
    state = TicketState(
        status=row.status,
        workflow_status=row.workflow_status,
        version=row.status_version,
        pending=row.pending_request,
        request_id=row.request_id,
        requests=row.request_count,
    )
    envelope = delivery.envelope
    new = apply_news(state, News(status=delivery.message.new_status, version=envelope.version, trace_id=envelope.trace_id))
    return tickets.StatusRow(
        id=row.id,
        status=new.status,
        workflow_status=new.workflow_status,
        status_version=new.version,
        pending_request=new.pending,
        request_id=new.request_id,
        request_count=new.requests,
    )


def _change(old: tickets.StatusRow, new: tickets.StatusRow, version: int | None, now: datetime) -> dict[str, Any]:
    return {
        "ticket": old.id,
        "at": now,
        "event": "status",
        "from_status": old.status,
        "to_status": new.status,
        "actor": "workflow",
        "reason": "",
        "version": version,
    }


def _read(deliveries: Iterable[Delivery[Any]], read: Any) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for delivery in deliveries:
        try:
            rows.append({**read(delivery.message.payload), "version": delivery.envelope.version})
        except register_sync.UnreadableError as error:
            delivery.refuse(str(error))
    return rows


