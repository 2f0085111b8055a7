"""
The promises between services: what was filed was taken in, and both sides tell the same status.

Messages that are on their way make the sides differ for a moment: what differs is looked at again, and counts only when it still
differs after a while and nothing about it is under way any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from baton.actors.broker_api import QueueState
from baton.models import database as db
from baton.models.helpdesk.tables import Ticket
from baton.models.helpdesk.tables import number_of as helpdesk_number
from baton.models.runtime import runtime_tables
from baton.models.tickets import Receipt
from baton.models.tickets import number_of as gateway_number
from baton.models.workflow import TicketSnapshot
from baton.pipelines.messages import ReceiveTicket, SendTicketStatus, UpdateGatewayStatus
from baton.scripts.checks.finding import Finding, fail, ok, some, warn
from baton.scripts.checks.walk import tuples, walk

#: Differences that are looked at again one by one.
MOST_DIFFERENCES = 1_000
#: How long differences may take to settle, and the pause between two looks, in seconds.
SETTLE_SECONDS, PAUSE_SECONDS = 5.0, 0.5


@dataclass(frozen=True, slots=True)
class Side:
    """A service that takes tickets in: its table, its ticket numbers, and the message that brings its statuses."""

    service: str
    table: Any
    number_of: Any
    status_queue: str

    def state(self, row: dict[str, Any]) -> tuple[int, str, bool]:
        """Return a row's status version and status, and whether it is shown as it was told (not overruled by hand)."""
        told = row.get("workflow_status") if "workflow_status" in row else row["status"]
        shown = row["status"] == told or bool(row.get("pending_request"))
        return row["status_version"], told or "", shown


HELPDESK = Side("helpdesk", Ticket, helpdesk_number, SendTicketStatus.queue)
GATEWAY = Side("tickets", Receipt, gateway_number, UpdateGatewayStatus.queue)


@dataclass(slots=True)
class Differences:
    """What one look found: tickets without a snapshot, tickets told another status, and those shown otherwise by hand."""

    seen: int
    lost: list[int]
    apart: list[int]
    by_hand: list[int]


def check_side(side: Side, states: Sequence[QueueState] | None, full: bool, older_than: float) -> Iterator[Finding]:
    """Compare one side with the workflow's snapshots."""
    found = Differences(0, [], [], [])
    for batch in walk(side.service, side.table, _columns(side), side.table.submitted_at, older_than, full):
        _compare(side, batch, found)
    deadline = time.monotonic() + SETTLE_SECONDS
    while (found.lost or found.apart) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        found = _again(side, found)
    yield _taken_in(side, found, states)
    yield _statuses(side, found, states)


def _columns(side: Side) -> list[Any]:
    names = ("id", "status", "status_version", "workflow_status", "pending_request")
    return [side.table._meta.fields[name] for name in names if name in side.table._meta.fields]


def _compare(side: Side, batch: list[dict[str, Any]], found: Differences) -> None:
    found.seen += len(batch)
    numbers = {side.number_of(row["id"]): row for row in batch}
    columns = (TicketSnapshot.ticket_number, TicketSnapshot.status_version, TicketSnapshot.status)
    with db.read_tx("workflow"):
        query = TicketSnapshot.select(*columns).where(TicketSnapshot.ticket_number.in_(list(numbers)))
        snapshots = {number: (version, status) for number, version, status in tuples(query)}
    for number, row in numbers.items():
        version, told, shown = side.state(row)
        if number not in snapshots:
            found.lost.append(row["id"])
        elif snapshots[number] != (version, told) and snapshots[number][0] > 0:
            found.apart.append(row["id"])
        elif not shown and version:
            found.by_hand.append(row["id"])


def _again(side: Side, found: Differences) -> Differences:
    fresh = Differences(found.seen, found.lost[MOST_DIFFERENCES:], found.apart[MOST_DIFFERENCES:], found.by_hand)
    ids = [*found.lost[:MOST_DIFFERENCES], *found.apart[:MOST_DIFFERENCES]]
    with db.read_tx(side.service):
        rows = list(side.table.select(*_columns(side)).where(side.table.id.in_(ids)).dicts())
    _compare(side, rows, fresh)
    fresh.seen = found.seen
    return fresh


def _taken_in(side: Side, found: Differences, states: Sequence[QueueState] | None) -> Finding:
    check = f"taken in from {side.service}"
    if not found.lost:
        return ok(check, f"the workflow side has each of {found.seen:,} (older than the last moments)")
    numbers = [side.number_of(row_id) for row_id in found.lost]
    detail = f"{len(numbers):,} of {found.seen:,} are not on the workflow side yet: {some(numbers)}"
    return _verdict(check, detail, numbers[0], _under_way(side.service, "workflow", ReceiveTicket.queue, states))


def _statuses(side: Side, found: Differences, states: Sequence[QueueState] | None) -> Finding:
    check = f"status equal in {side.service}"
    if found.apart:
        numbers = [side.number_of(row_id) for row_id in found.apart]
        detail = f"{len(numbers):,} of {found.seen:,} differ from the workflow side: {some(numbers)}"
        return _verdict(check, detail, numbers[0], _under_way("workflow", side.service, side.status_queue, states))
    if found.by_hand:
        numbers = [side.number_of(row_id) for row_id in found.by_hand]
        detail = f"{len(numbers):,} show a status that was set by hand: {some(numbers)}"
        return warn(check, detail, "the next change on the workflow side sets it right; or baton update_ticket_status")
    return ok(check, f"{found.seen:,} compared, all equal")


def _verdict(check: str, detail: str, number: str, under_way: int) -> Finding:
    if under_way:
        return warn(
            check, f"{detail}; {under_way:,} messages are under way", "wait, and ask again; start workers and relay if they rest"
        )
    return fail(check, f"{detail}; and nothing is under way", f"baton trace {number}; baton dead-letters list")


def _under_way(sender: str, receiver: str, queue: str, states: Sequence[QueueState] | None) -> int:
    """Return how many messages wait for a queue: in the sender's outbox, on the broker, and to be tried again."""
    waiting = sum(state.ready for state in states or () if state.queue == queue)
    for service, name in ((sender, "Outbox"), (receiver, "DeferredMessage")):
        table = getattr(runtime_tables(service), name)
        with db.read_tx(service):
            waiting += table.select(table.id).where(table.queue == queue).limit(100_000).count()
    return waiting
