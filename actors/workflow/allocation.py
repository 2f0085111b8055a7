"""
Allocation: stored tickets get a task on a deployed workflow, or stand in triage where people see them.

`start_tickets` is the process from a stored ticket to its assigned step, in one transaction: a message between allocation and
assignment would cost a relay, a delivery and a second transaction for every ticket, and would leave a moment in which a ticket
stands between the two. The handlers here are for what does not come straight from intake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.rotation import assign, item_need, owner_need, owner_role
from baton.actors.workflow.statuses import Traces, tell_statuses
from baton.models.transaction import Transaction
from baton.models.workflow import allocation_store as store
from baton.models.workflow.intake_store import TicketRow, lock_tickets
from baton.pipelines.allocation import (
    Allocated,
    DeployedWorkflow,
    Parked,
    choose_by_hand,
    match_workflow,
    read_deployed,
    rule_key,
    write_rule_book,
)
from baton.pipelines.assignment import ITEM, Need
from baton.pipelines.messages import AllocateTicket, DrainTriage
from baton.pipelines.statuses import FINAL_STATUSES, IN_TRIAGE, when_assigned, when_waiting

#: Parked tickets that one DrainTriage takes; it announces the next one itself. More makes longer transactions, not faster ones.
DRAIN_SIZE = 50
#: Ticket number -> the workflow (id) that a person picked for it, and who.
Choices = Mapping[str, tuple[int, str]]


@handles(
    AllocateTicket,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def allocate_ticket(tx: Transaction, deliveries: Sequence[Delivery[AllocateTicket]]) -> None:
    """Allocate stored tickets that have no task, to the workflow picked in triage or to the one that matches."""
    traces = {each.message.ticket_number: each.envelope.trace_id for each in deliveries}
    tickets = _without_task(tx, lock_tickets(tx, traces))
    picked = {
        number: (workflow, by or "somebody")
        for number, (workflow, by) in store.read_choices(tx, tickets).items()
        if workflow is not None
    }
    start_tickets(tx, tickets, traces, picked)


@handles(
    DrainTriage,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def drain_triage(tx: Transaction, deliveries: Sequence[Delivery[DrainTriage]]) -> None:
    """Allocate the parked tickets that a deployed workflow matches, the longest parked first, a batch at a time."""
    wanted = {each.message.workflow_id for each in deliveries}
    store.hold_deployments(tx)
    for workflow in [each for each in read_deployed(store.read_deployed(tx)) if each.workflow_id in wanted]:
        numbers = store.read_parked(tx, {rule_key(rule) for rule in workflow.rules}, DRAIN_SIZE)
        start_tickets(tx, _without_task(tx, lock_tickets(tx, numbers)), {})
        if len(numbers) == DRAIN_SIZE:
            tx.announce(DrainTriage(workflow_id=workflow.workflow_id))


def start_tickets(
    tx: Transaction, tickets: Mapping[str, TicketRow], traces: Traces, choices: Choices | None = None
) -> None:
    """
    Bring stored tickets without a task to their assigned step, the waiting list, or triage, and tell their origin.

    The caller holds the tickets' locks.
    """
    needs, parked = allocate(tx, tickets, choices or {})
    picks = assign(tx, needs, traces)
    statuses = dict.fromkeys(parked, IN_TRIAGE)
    for pick in picks:
        if pick.need.kind == ITEM:
            become = when_waiting if pick.chosen is None else when_assigned
            statuses[pick.need.ticket_number] = become(tickets[pick.need.ticket_number].status)
    tell_statuses(tx, tickets, statuses, traces)


def allocate(tx: Transaction, tickets: Mapping[str, TicketRow], choices: Choices) -> tuple[list[Need], list[str]]:
    """
    Give each ticket its task and first item, or park it; keep the reasons.

    Returns:
        What needs a person now, in the order of the tickets, and the numbers of the parked tickets.
    """
    if not tickets:
        return [], []
    store.hold_deployments(tx)
    deployed = read_deployed(store.read_deployed(tx))
    decisions = decide(tickets.values(), deployed, choices)
    allocated = {number: each for number, each in decisions.items() if isinstance(each, Allocated)}
    parked = {number: each for number, each in decisions.items() if isinstance(each, Parked)}
    store.store_parked(
        tx, [(number, each.category_key, each.department_key, each.reason) for number, each in parked.items()]
    )
    store.leave_triage(tx, [number for number in allocated if tickets[number].status == IN_TRIAGE])
    _store_reasons(tx, decisions, choices)
    return _store_tasks(tx, tickets, allocated), list(parked)


def decide(
    tickets: Iterable[TicketRow], deployed: Sequence[DeployedWorkflow], choices: Choices
) -> dict[str, Allocated | Parked]:
    """Return what becomes of each ticket: a person's pick while that workflow is deployed, else what the rules say."""
    rules = write_rule_book(deployed)
    by_id = {workflow.workflow_id: workflow for workflow in deployed}
    decisions: dict[str, Allocated | Parked] = {}
    for ticket in tickets:
        workflow_id, chosen_by = choices.get(ticket.ticket_number, (None, ""))
        if workflow_id in by_id:
            decisions[ticket.ticket_number] = choose_by_hand(by_id[workflow_id], chosen_by)
        else:
            decisions[ticket.ticket_number] = match_workflow(ticket.category, ticket.department, rules)
    return decisions


def _store_reasons(tx: Transaction, decisions: Mapping[str, Allocated | Parked], choices: Choices) -> None:
    rows: list[tuple[str, int | None, str, list[dict[str, Any]], str]] = []
    for number, each in decisions.items():
        by = choices[number][1] if number in choices else "system"
        if isinstance(each, Allocated):
            rows.append((number, each.workflow.version_id, each.reason, each.considered, by))
        else:
            rows.append((number, None, each.reason, each.considered, by))
    store.store_reasons(tx, rows)


def _store_tasks(
    tx: Transaction, tickets: Mapping[str, TicketRow], allocated: Mapping[str, Allocated]
) -> list[Need]:
    rows = [(n, a.workflow.version_id, a.workflow.first_step, a.workflow.first_role) for n, a in allocated.items()]
    made = {item.ticket_number: item for item in store.store_tasks(tx, rows)}
    if not made:
        return []
    owners = owner_role(tx)
    needs = []
    for number in (number for number in tickets if number in made):
        item = made[number]
        needs.append(item_need(tickets[number], item.item, item.task, item.role))
        needs.append(owner_need(tickets[number], item.task, owners))
    return needs


def _without_task(tx: Transaction, tickets: Mapping[str, TicketRow]) -> dict[str, TicketRow]:
    """Return those of the tickets that still want allocation."""
    if not tickets:
        return {}
    taken = store.with_tasks(tx, tickets)
    return {n: ticket for n, ticket in tickets.items() if n not in taken and ticket.status not in FINAL_STATUSES}
