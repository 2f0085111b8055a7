"""Holds that end by themselves: a row with an instant, which a tick finds."""

from __future__ import annotations

from baton.actors.scheduler import every
from baton.models.settings import get_settings
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow.action_facts import read_items
from baton.models.workflow.action_store import store_outcomes
from baton.models.workflow.hold_store import any_due, due_holds
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.acting_together import decide_together
from baton.pipelines.asking import Asked
from baton.pipelines.following import about_changes
from baton.pipelines.moves import decide_item
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import ItemFacts, Outcome
from baton.pipelines.work import ACTIONS

#: Holds that one transaction ends; more makes others wait longer for their tickets.
BATCH = 50
_SCHEDULER = Principal("system", "scheduler")


@every(1, "workflow")
def resume_due(service: str) -> int:
    """Resume every item whose hold is over; return how many."""
    resumed = 0
    while any_due(service):
        with write_tx(service) as tx:
            due = due_holds(tx, BATCH)
            # The tickets' locks are the claim: a second scheduler finds the holds gone when it gets them.
            lock_tickets(tx, due.values())
            ended = _resume(tx, sorted(due_holds(tx, BATCH).keys() & due.keys()))
        resumed += ended
        if not ended:
            break
    return resumed


def _resume(tx: Transaction, items: list[int]) -> int:
    """Resume these items; return how many could be."""
    asked = Asked(action=ACTIONS["item", "resume"], actor=_SCHEDULER, label="system", now=tx.now, reason="the hold is over")
    found = read_items(tx, items, ())
    decisions = decide_together([(asked, ItemFacts.of(values)) for values in found.values()], decide_item)
    outcomes = [decision for decision in decisions if isinstance(decision, Outcome)]
    news = about_changes(outcome.ticket_number for outcome in outcomes)
    store_outcomes(tx, outcomes, news, request=None, notices=get_settings().notifications)
    return len(outcomes)
