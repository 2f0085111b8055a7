"""Holds that end by themselves: a row with an instant, which a tick finds."""

from __future__ import annotations

from baton.actors.scheduler import every
from baton.models.settings import get_settings
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow.action_facts import read_item
from baton.models.workflow.action_store import store_outcome
from baton.models.workflow.hold_store import any_due, due_holds
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.asking import Asked
from baton.pipelines.moves import decide_item
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import ItemFacts
from baton.pipelines.work import ACTIONS, Refusal

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
            ended = sum(_resume(tx, item) for item in sorted(due_holds(tx, BATCH).keys() & due.keys()))
        resumed += ended
        if not ended:
            break
    return resumed


def _resume(tx: Transaction, item: int) -> bool:
    values = read_item(tx, item, ())
    if values is None:
        return False
    asked = Asked(action=ACTIONS["item", "resume"], actor=_SCHEDULER, label="system", now=tx.now, reason="the hold is over")
    decision = decide_item(asked, ItemFacts.of(values))
    if isinstance(decision, Refusal):
        return False
    store_outcome(tx, decision, request=None, notices=get_settings().notifications)
    return True
