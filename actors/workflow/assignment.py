"""Assignment: open steps go to the next member of their role; what waits is served when somebody becomes eligible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.rotation import assign, owner_need, unassigned_needs
from baton.actors.workflow.statuses import Traces, tell_changes, tell_statuses
from baton.models.transaction import Transaction
from baton.models.workflow import assignment_store as store
from baton.models.workflow import waiting_store
from baton.models.workflow.intake_store import TicketRow, lock_tickets
from baton.models.workflow.waiting_store import WaitingRow
from baton.pipelines.assignment import ITEM, OWNER, Candidate, Need, Pick
from baton.pipelines.messages import AssignItem, AssignWaiting
from baton.pipelines.statuses import when_assigned, when_waiting
from baton.pipelines.waiting import find_openings

#: Waiting entries that one AssignWaiting serves per role; it announces the next one itself.
SERVE_SIZE = 50


@handles(
    AssignItem,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def assign_item(tx: Transaction, deliveries: Sequence[Delivery[AssignItem]]) -> None:
    """
    Give open steps to the next member of their role; a step that is somebody's, or waits, is left as it is.

    Says of every ticket that it changed: whoever opened the step left that to this, so that it is said once for both.
    """
    wanted = {each.message.task_item_id: each.message.ticket_number for each in deliveries}
    traces = {each.message.ticket_number: each.envelope.trace_id for each in deliveries}
    tickets = lock_tickets(tx, wanted.values())
    items = store.read_unassigned(tx, wanted, waiting=False)
    needs = unassigned_needs(tx, tickets, [items[item] for item in sorted(items)])
    picks = assign(tx, list(needs.values()), traces)
    tell_picks(tx, tickets, picks, traces)
    tell_changes(tx, tickets.keys() - {pick.need.ticket_number for pick in picks}, traces)


@handles(
    AssignWaiting,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def assign_waiting(tx: Transaction, deliveries: Sequence[Delivery[AssignWaiting]]) -> None:
    """Serve the waiting lists of roles in which somebody became eligible, oldest first."""
    found = {each.message.role_id: store.find_role(tx, each.message.role_id) for each in deliveries}
    roles = {role: role_id for role_id, role in found.items() if role is not None}
    head = head_of_lists(tx, roles)
    tickets = lock_tickets(tx, [entry.ticket_number for entry in head])
    store.lock_roles(tx, roles)
    picks = assign(tx, _still_waiting(tx, head, tickets), from_list=True)
    tell_picks(tx, tickets, picks, {})
    # A full page may hide a role's entries behind another's; otherwise only who was served can serve more.
    more = set(roles) if len(head) == SERVE_SIZE else {pick.need.role for pick in picks if pick.chosen is not None}
    for role in waiting_store.roles_that_wait(tx, more):
        tx.announce(AssignWaiting(role_id=roles[role]))


def head_of_lists(tx: Transaction, roles: Iterable[int]) -> list[WaitingRow]:
    """Return, of each role's lists, the oldest entries that somebody eligible now could be given."""
    members = store.read_members(tx, roles)
    conditions = []
    for role, rows in sorted(members.items()):
        candidates = [Candidate(**row) for row in rows]
        for kind in (ITEM, OWNER):
            openings = find_openings(candidates, kind, tx.now)
            if openings.people:
                conditions.append(waiting_store.servable(role, kind, openings.people, all_known=openings.all_known))
    if not conditions:
        return []
    return waiting_store.read_waiting(tx, reduce(or_, conditions), SERVE_SIZE)


def _still_waiting(tx: Transaction, head: Sequence[WaitingRow], tickets: Mapping[str, TicketRow]) -> list[Need]:
    """Return the needs of the entries that nobody else served between looking and locking, in their order."""
    waiting = store.read_unassigned(tx, [e.subject_id for e in head if e.kind == ITEM], waiting=True)
    items = unassigned_needs(tx, tickets, waiting.values())
    tasks = store.read_ownerless(tx, [entry.subject_id for entry in head if entry.kind == OWNER])
    needs = []
    for entry in head:
        if entry.kind == ITEM and entry.subject_id in items:
            needs.append(items[entry.subject_id])
        elif entry.kind == OWNER and entry.subject_id in tasks:
            needs.append(owner_need(tickets[entry.ticket_number], entry.subject_id, entry.role))
    return needs


def tell_picks(tx: Transaction, tickets: Mapping[str, TicketRow], picks: Iterable[Pick], traces: Traces) -> None:
    """Tell the tickets' origin what became of them by these picks."""
    statuses = {}
    owned = set()
    for pick in picks:
        if pick.need.kind == ITEM:
            become = when_waiting if pick.chosen is None else when_assigned
            statuses[pick.need.ticket_number] = become(tickets[pick.need.ticket_number].status)
        else:
            owned.add(pick.need.ticket_number)
    tell_changes(tx, owned - statuses.keys(), traces)
    tell_statuses(tx, tickets, statuses, traces)
