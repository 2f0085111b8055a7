"""What waits where people see it: tickets in triage, and work for which nobody is eligible."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import peewee as pw

from baton.http.api import Call, Conflict, NotFound, Page, PageQuery, Reply, page
from baton.http.workflow.tasks import viewer
from baton.http.workflow.views import Choice, ChoiceView, TriageView, WaitingQuery, WaitingView
from baton.models import database as db
from baton.models.workflow import Role, TriageEntry, WaitingEntry, Workflow, reading
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.messages import AllocateTicket

#: Work that waits longer than this for somebody eligible turns the service's health to degraded.
ALARM_AFTER = timedelta(minutes=15)
#: Counting stops here: the answer "many" must not cost a scan.
MOST_COUNTED = 10_000


def list_triage(call: Call, query: PageQuery) -> Page[TriageView]:
    """Tickets that no deployed workflow matches, longest parked first."""
    return page(
        reading.triage(),
        key=TriageEntry.id,
        cursor=query.cursor,
        limit=query.limit,
        view=lambda row: TriageView(**row),
    )


def allocate(call: Call, body: Choice) -> Reply:
    """The pick is taken down; the ticket gets its task on that workflow next."""
    number = call.params["ticket_number"]
    lock_tickets(call.tx, [number])
    entry = TriageEntry.get_or_none(TriageEntry.ticket_number == number)
    if entry is None:
        raise NotFound(f"{number} is not in triage")
    workflow = Workflow.get_or_none(Workflow.id == body.workflow_id)
    if workflow is None:
        raise NotFound(f"there is no workflow {body.workflow_id}")
    if workflow.deployed_version is None:
        raise Conflict(f"workflow {workflow.name} is not deployed")
    entry.chosen_workflow, entry.chosen_by = workflow.id, call.principal.subject
    entry.save()
    call.tx.announce(AllocateTicket(ticket_number=number), ticket_number=number)
    view = ChoiceView(ticket_number=number, workflow_id=workflow.id, chosen_by=call.principal.subject)
    return Reply(view, status=202, headers={"Location": f"/api/v1/tasks/{number}"})


def list_waiting(call: Call, query: WaitingQuery) -> Page[WaitingView]:
    """Items and ownerships for which nobody is eligible, oldest first."""
    found = reading.waiting(viewer(call))
    if query.kind:
        found = found.where(WaitingEntry.kind == query.kind)
    if query.role:
        found = found.where(Role.role_id == query.role)
    return page(
        found,
        key=WaitingEntry.id,
        cursor=query.cursor,
        limit=query.limit,
        view=lambda row: WaitingView(**row),
    )


def queue_check(database: pw.Database) -> dict[str, Any]:
    """Return how many tickets are parked and how much work waits; degraded when some of it waits too long."""
    oldest = WaitingEntry.select(WaitingEntry.since).order_by(WaitingEntry.id).first()
    late = oldest is not None and db.now("workflow") - oldest.since > ALARM_AFTER
    return {
        "status": "degraded" if late else "ok",
        "in_triage": TriageEntry.select(TriageEntry.id).limit(MOST_COUNTED).count(),
        "waiting": WaitingEntry.select(WaitingEntry.id).limit(MOST_COUNTED).count(),
        "oldest_waiting_since": None if oldest is None else oldest.since.isoformat(),
    }
