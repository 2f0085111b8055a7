"""A ticket's journey through this service, for the trace across all of them."""

from __future__ import annotations

from typing import Any

from baton.models import database as db
from baton.models.workflow.definitions import Step, Workflow, WorkflowVersion
from baton.models.workflow.hooks import Hook, HookAttempt
from baton.models.workflow.names import name_of, name_of_subject
from baton.models.workflow.people import Role
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.sla_tables import SlaClock, SlaEvent
from baton.models.workflow.work import (
    Allocation,
    AssignmentPick,
    TaskItem,
    TaskItemHistory,
    TicketRequest,
    TicketSnapshot,
    TriageEntry,
    WaitingEntry,
)


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return what happened to the ticket here, oldest first: dicts with at, service, event and a one-line detail."""
    with db.read_tx("workflow"):
        parts = (_intake, _allocations, _picks, _history, _requests, _hooks, _levels, _queues)
        events = [event for part in parts for event in part(ticket_number)]
    return sorted(
        ({"at": at, "service": "workflow", "event": event, "detail": detail} for at, event, detail in events),
        key=lambda entry: entry["at"],
    )


def _intake(number: str) -> list[tuple[Any, str, str]]:
    snapshot = TicketSnapshot.get_or_none(TicketSnapshot.ticket_number == number)
    if snapshot is None:
        return []
    detail = f"stored; now {snapshot.status} (status version {snapshot.status_version})"
    return [(snapshot.received_at, "taken in", detail)]


def _allocations(number: str) -> list[tuple[Any, str, str]]:
    query = (
        Allocation.select(Allocation.decided_at, Workflow.name, WorkflowVersion.number, Allocation.reason)
        .left_outer_join(WorkflowVersion, on=(WorkflowVersion.id == Allocation.workflow_version))
        .left_outer_join(Workflow, on=(Workflow.id == WorkflowVersion.workflow))
        .where(Allocation.ticket_number == number)
    )
    return [
        (at, "allocated", f"to {name} version {version}: {reason}") if name else (at, "parked in triage", reason)
        for at, name, version, reason in tuples(query)
    ]


def _picks(number: str) -> list[tuple[Any, str, str]]:
    query = (
        AssignmentPick.select(
            AssignmentPick.decided_at,
            AssignmentPick.kind,
            AssignmentPick.chosen,
            AssignmentPick.reason,
            Role.name,
            name_of(AssignmentPick.chosen),
        )
        .left_outer_join(Role, on=(Role.id == AssignmentPick.role))
        .where(AssignmentPick.ticket_number == number)
        .order_by(AssignmentPick.id)
    )
    events = []
    for at, kind, chosen, reason, role, name in tuples(query):
        what = "step" if kind == "item" else "owner"
        event = f"{what} waits" if chosen is None else f"{what} assigned"
        who = f"user {chosen} ({name})" if name else f"user {chosen}"
        events.append((at, event, f"{role}: {reason}" if chosen is None else f"{role}: {who}, {reason}"))
    return events


def _history(number: str) -> list[tuple[Any, str, str]]:
    query = (
        TaskItemHistory.select(
            TaskItemHistory, Step.name.alias("step_name"), name_of_subject(TaskItemHistory.actor).alias("actor_name")
        )
        .join(TaskItem, on=(TaskItem.id == TaskItemHistory.item))
        .left_outer_join(Step, on=(Step.id == TaskItem.step))
        .where(TaskItemHistory.ticket_number == number, TaskItemHistory.event.not_in(("assigned", "waits")))
        .order_by(TaskItemHistory.id)
    )
    return [
        (row["at"], f"item {row['event']}", f"step {row['step_name']}, by {_actor(row)} {row['reason']}".strip())
        for row in dicts(query)
    ]


def _actor(row: dict[str, Any]) -> str:
    return f"{row['actor']} ({row['actor_name']})" if row["actor_name"] else str(row["actor"])


def _requests(number: str) -> list[tuple[Any, str, str]]:
    query = TicketRequest.select().where(TicketRequest.ticket_number == number)
    return [(row.handled_at, f"{row.kind} {row.outcome}", row.reason) for row in query]


def _hooks(number: str) -> list[tuple[Any, str, str]]:
    query = (
        HookAttempt.select(HookAttempt.at, Hook.hook, HookAttempt.outcome, HookAttempt.detail, HookAttempt.actor)
        .join(Hook, on=(Hook.id == HookAttempt.hook))
        .where(Hook.ticket_number == number)
    )
    return [(at, f"{hook} call {outcome}", f"{detail}, by {actor}") for at, hook, outcome, detail, actor in tuples(query)]


def _levels(number: str) -> list[tuple[Any, str, str]]:
    query = (
        SlaEvent.select(SlaEvent.fired_at, SlaClock.metric, SlaEvent.kind, SlaEvent.late, SlaEvent.retracted_at)
        .join(SlaClock, on=(SlaClock.id == SlaEvent.clock))
        .where(SlaEvent.ticket_number == number)
    )
    return [
        (at, f"clock {kind}", f"{metric}{', late' if late else ''}{', no longer holds' if retracted else ''}")
        for at, metric, kind, late, retracted in tuples(query)
    ]


def _queues(number: str) -> list[tuple[Any, str, str]]:
    parked = TriageEntry.select().where(TriageEntry.ticket_number == number)
    triage = [(row.since, "stands in triage", row.reason) for row in parked]
    waiting = [
        (row.since, f"{row.kind} stands on the waiting list", row.reason)
        for row in WaitingEntry.select().where(WaitingEntry.ticket_number == number)
    ]
    return triage + waiting
