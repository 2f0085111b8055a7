"""A ticket's progress, for its requester: the steps, who has it, by when to expect the end. Nothing of what staff say of it."""

from __future__ import annotations

from datetime import datetime

from baton.http.api import Call, NotFound, Operation, View
from baton.http.workflow.tasks import find_visible
from baton.models.workflow.progress_reading import Progress, read_progress
from baton.pipelines.progress import Visited, stages_of


class StageView(View):
    """A step: `state` is done, now or next; `assignee` the name of whoever has it now."""

    name: str
    state: str
    assignee: str | None


class ProgressView(View):
    """Where a ticket is. `expected_by` is when its resolution is due, null while nothing is promised or it is on hold."""

    ticket_number: str
    status: str
    workflow: str | None
    stages: list[StageView]
    expected_by: datetime | None
    clock: str | None


def read(call: Call) -> ProgressView:
    """Where the ticket is, to its requester and to staff who see it; to others it does not exist."""
    number = call.params["ticket_number"]
    found = read_progress(number)
    if found is None or not _may_see(call, number, found):
        raise NotFound(f"there is no ticket {number}")
    visits = [Visited(step=step, state=state, assignee=name) for step, state, name in found.visits]
    return ProgressView(
        ticket_number=number,
        status=found.status,
        workflow=found.workflow,
        stages=[
            StageView(name=stage.name, state=stage.state, assignee=stage.assignee)
            for stage in stages_of(found.steps, visits, found.status)
        ],
        expected_by=found.due[0] if found.due else None,
        clock=found.due[1] if found.due else None,
    )


def _may_see(call: Call, number: str, found: Progress) -> bool:
    principal = call.principal
    if principal.kind == "employee":
        return str(found.requester.get("id")) == principal.id
    if principal.kind == "user" and principal.id == found.requester_user_id:
        return True
    if principal.kind == "user" and not any(role.startswith("tts:") for role in principal.roles):
        return principal.has_role("hdts:Admin", "hdts:Ticket Coordinator")
    find_visible(call, number)
    return True


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/progress/{ticket_number}",
        read,
        permission="progress.read",
        returns=ProgressView,
        problems=(404,),
        summary="Read where a ticket is on its way",
    ),
)
