"""What is done to tickets that are late: priorities raised, items escalated or transferred, each once for every event."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow import overdue_store as store
from baton.models.workflow.action_facts import read_items, read_task
from baton.models.workflow.action_store import store_outcomes
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.asking import Asked
from baton.pipelines.following import about_changes
from baton.pipelines.messages import ActOnOverdue
from baton.pipelines.moves import decide_item
from baton.pipelines.overdue import SCHEDULER, Attempt, attempts, is_moot
from baton.pipelines.situations import ItemFacts, Outcome, TaskFacts
from baton.pipelines.task_moves import Around, decide_task
from baton.pipelines.work import CONFLICT, Refusal

#: What escalating and transferring read besides the item.
_READS = ("role", "members", "heirs")
log = structlog.get_logger("baton.firing")


@handles(
    ActOnOverdue,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def act_on_overdue(tx: Transaction, deliveries: Sequence[Delivery[ActOnOverdue]]) -> None:
    """Do to each ticket what its policy says of the event, and keep with the event what was done."""
    tickets = lock_tickets(tx, [delivery.message.ticket_number for delivery in deliveries])
    events = store.read_events(tx, [delivery.message.event_id for delivery in deliveries])
    # All roles at once: each is locked in its turn, before anything is decided.
    read_items(tx, store.open_items(tx, tickets).values(), _READS)
    for delivery in deliveries:
        message = delivery.message
        event = events.get(message.event_id)
        if event is None or message.ticket_number not in tickets or event["ticket_number"] != message.ticket_number:
            delivery.refuse(f"{message.ticket_number} has no event {message.event_id}")
        elif "done" not in event["detail"]:
            why_not = is_moot(event)
            done = [{"action": "none", "outcome": why_not}] if why_not else _act(tx, message)
            store.note_done(tx, event, done)
            event["detail"]["done"] = done
            log.info("acted_on_overdue", ticket_number=message.ticket_number, event_id=message.event_id, done=done)


def _act(tx: Transaction, message: ActOnOverdue) -> list[dict[str, str]]:
    """Do what the message says to the ticket as it is now; return what was done, or why not."""
    values = read_task(tx, message.ticket_number)
    assert values is not None  # it is locked
    wanted: list[Attempt | None] = list(attempts(message, values["priority"]))
    done = []
    while wanted:
        attempt = wanted.pop(0)
        if attempt is None:
            continue
        decision = _decide(tx, message.ticket_number, attempt)
        if isinstance(decision, Refusal):
            done.append({"action": attempt.action.name, "outcome": f"not done: {decision.reason}"})
            wanted.insert(0, attempt.otherwise)
            continue
        news = about_changes([message.ticket_number])
        store_outcomes(tx, [decision], news, request=None, notices=get_settings().notifications)
        done.append({"action": attempt.action.name, "outcome": "done"})
    return done


def _decide(tx: Transaction, ticket_number: str, attempt: Attempt) -> Outcome | Refusal:
    asked = Asked(action=attempt.action, actor=SCHEDULER, label="system", now=tx.now, **attempt.arguments)
    if attempt.action.on == "task":
        values = read_task(tx, ticket_number)
        assert values is not None
        return decide_task(asked, TaskFacts.of(values), Around())
    item = store.open_items(tx, [ticket_number]).get(ticket_number)
    facts = read_items(tx, [item], _READS).get(item) if item is not None else None
    return Refusal(CONFLICT, "nothing of it is open") if facts is None else decide_item(asked, ItemFacts.of(facts))
