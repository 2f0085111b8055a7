"""
Changes of service levels, brought to the tickets that run: a batch of them per message, in order of their numbers.

Each batch is one transaction: the tickets' clocks, what is taken back, how far the change has come, and the message for the next
batch. A process that dies leaves the message, and the change goes on where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.clocks import store_found
from baton.models.transaction import Transaction
from baton.models.workflow import SlaChange
from baton.models.workflow import sla_change_store as store
from baton.models.workflow.sla_facts import read_book, read_facts
from baton.pipelines.messages import ApplySlaChange
from baton.pipelines.sla_changing import (
    APPLY,
    BREACHES,
    DONE,
    MOVED,
    RECOVERS,
    RUNNING,
    Introduced,
    counted,
    decided_by,
    matches_of_change,
    matches_of_undoing,
    moves_of,
)
from baton.pipelines.sla_matching import Match, together
from baton.pipelines.sla_rows import book_of, facts_of, stored_of
from baton.pipelines.sla_tracking import Book, Changes, TicketFacts, changes_of, new_matches

#: Tickets of one batch: they are locked until its commit.
BATCH = 100
Decide = Callable[[TicketFacts, Sequence[Match], Book], list[Match]]


@handles(
    ApplySlaChange,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def apply_sla_change(tx: Transaction, deliveries: Sequence[Delivery[ApplySlaChange]]) -> None:
    """Bring the next tickets to each change; say where it goes on."""
    for delivery in deliveries:
        change = store.lock_change(tx, delivery.message.change_id)
        if change is None:
            delivery.refuse(f"there is no change {delivery.message.change_id}")
        elif change.state == RUNNING and change.cursor == delivery.message.after:
            _next_batch(tx, change)


def _next_batch(tx: Transaction, change: SlaChange) -> None:
    numbers = store.open_tickets(change.cursor, BATCH)
    counts = _see_to(tx, numbers, _decision(tx, change))
    store.advance(tx, change, numbers[-1] if numbers else change.cursor, {**counts, "seen": len(numbers)})
    if len(numbers) < BATCH:
        store.finish(tx, change, DONE)
    else:
        tx.announce(ApplySlaChange(change_id=change.id, after=numbers[-1]))


def _decision(tx: Transaction, change: SlaChange) -> Decide:
    """Return what decides, for each ticket, the match that the change makes."""
    by, before, after = decided_by(change.id), json.loads(change.before), json.loads(change.after)
    if change.kind == APPLY:
        policies = frozenset(map(int, after["policies"]))
        return lambda facts, known, book: matches_of_change(facts, known, book, policies, tx.now, by)
    # An undoing's `before` is what the change that it takes back had brought.
    introduced, undone = Introduced.of(after, before), int(change.undoes or 0)
    return lambda facts, known, book: matches_of_undoing(facts, known, book, undone, introduced, tx.now, by)


def _see_to(tx: Transaction, numbers: Sequence[str], decide: Decide) -> Counter[str]:
    """Bring these tickets' clocks to what is decided; return how many tickets changed, and clocks moved, breach and recover."""
    rows = read_facts(tx, numbers)
    counts: Counter[str] = Counter(changed=0, moved=0, breached=0, unbreached=0)
    if not rows.tickets:
        return counts
    book = book_of(read_book(rows))
    found: dict[str, Changes] = {}
    for number in rows.tickets:
        facts, stored = facts_of(rows, number), stored_of(rows, number)
        made = new_matches(facts, book)
        decided = decide(facts, together(facts.matches, made), book)
        found[number] = changes_of(facts, [*made, *decided], book, stored)
        effects = counted(moves_of(number, stored, found[number], tx.now))
        counts.update(changed=bool(decided), moved=effects[MOVED], breached=effects[BREACHES], unbreached=effects[RECOVERS])
    store_found(tx, found)
    return counts
