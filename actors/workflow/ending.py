"""Ending: a completed task's workflow says what is called; calls that had to wait are made when they can be."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import structlog

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.scheduler import every
from baton.models.settings import get_settings
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow import Hook
from baton.models.workflow import hook_store as store
from baton.models.workflow.hook_store import EndedRow
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.ending import GAVE_UP, Ended, Means, Verdict, decide, hook_of, issue_of
from baton.pipelines.messages import EndTask

#: Calls that waited and are looked at in one transaction.
BATCH = 100
log = structlog.get_logger("baton.ending")


@handles(
    EndTask,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def end_task(tx: Transaction, deliveries: Sequence[Delivery[EndTask]]) -> None:
    """Note and make the calls that the completed tasks' workflows ask for, each once per completion."""
    traces = {delivery.message.ticket_number: delivery.envelope.trace_id for delivery in deliveries}
    lock_tickets(tx, traces)
    ended = store.ended_by(tx, traces)
    known = store.tasks_of(tx, traces.keys() - ended.keys())
    for delivery in deliveries:
        number = delivery.message.ticket_number
        if number not in ended:
            delivery.refuse(f"no step of {number} is completed" if number in known else f"{number} has no task")
    means = available()
    calls = []
    for row in ended.values():
        hook = hook_of(row.end_logic, row.task_status)
        if hook is None:
            log.info("nothing_to_call", ticket_number=row.ticket_number, end_logic=row.end_logic, task=row.task_status)
        else:
            calls.append((row, hook, decide(hook, Ended(**store.facts_of(row)), means)))
    made = set(store.store_calls(tx, calls, traces))
    for row, hook, verdict in calls:
        if row.ticket_number in made:
            _report(tx, hook, row, verdict)


@every(5, "workflow")
def make_waiting_calls(service: str) -> int:
    """Make the calls that waited until they could be made; return how many were looked at."""
    means = available()
    looked_at = 0
    while means.rabbitmq and store.anything_due():
        with write_tx(service) as tx:
            hooks = store.due_hooks(tx, BATCH)
            for hook in hooks:
                _make_again(tx, hook, means)
        if not hooks:  # another scheduler has them
            break
        looked_at += len(hooks)
    return looked_at


def _make_again(tx: Transaction, hook: Hook, means: Means) -> None:
    row = store.ended_at(hook.completion)
    if row is None:
        store.try_again(tx, hook, Verdict(state=GAVE_UP, detail="the item that ended the task is gone"))
        return
    verdict = decide(hook.hook, Ended(**store.facts_of(row)), means, json.loads(hook.corrections))
    store.try_again(tx, hook, verdict)
    _report(tx, hook.hook, row, verdict)


def available() -> Means:
    """Return what the settings say that this installation has."""
    settings = get_settings()
    return Means(rabbitmq=not settings.embedded_broker, notifications=settings.notifications)


def _report(tx: Transaction, hook: str, row: EndedRow, verdict: Verdict) -> None:
    if verdict.state == GAVE_UP:
        log.warning("hook_gave_up", ticket_number=row.ticket_number, hook=hook, reason=verdict.detail)
        issue = issue_of(hook, Ended(**store.facts_of(row)), verdict, f"temp-{uuid.uuid4()}")
        tx.announce(issue, ticket_number=row.ticket_number)
