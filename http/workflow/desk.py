"""A ticket as its page shows it: its task and items, its clocks, where it can go and who could have it, in one answer."""

from __future__ import annotations

from typing import Any

from baton.http.api import Call, Operation, View
from baton.http.workflow.sla_clocks import sla_of
from baton.http.workflow.sla_views import TicketSlaView
from baton.http.workflow.tasks import COORDINATORS, find_visible, view_task
from baton.http.workflow.views import ItemView, TaskView
from baton.models.workflow import desk_reading
from baton.pipelines.assignment import Candidate, is_away


class WayView(View):
    """A way out of the step where the ticket is; `to` is the name of the step it leads to, null where it ends the task."""

    name: str
    to: str | None


class StepNote(View):
    """What whoever works at the step is told."""

    name: str
    instructions: str
    approvals_needed: int


class OfferView(View):
    """Somebody who could be given an item or a task: how many open items they have, and whether they are away now."""

    user_id: str
    name: str
    open_items: int
    is_away: bool


class DeskView(View):
    """
    What a ticket's page shows. `item` is the open item; `step`, `ways` and `members` (of its role) belong to it.

    `coordinators` are those who could own the task, told to those who may change its owner.
    """

    task: TaskView
    item: ItemView | None
    step: StepNote | None
    ways: list[WayView]
    members: list[OfferView]
    coordinators: list[OfferView]
    sla: TicketSlaView


def read_desk(call: Call) -> DeskView:
    """Everything about a ticket that its page shows, to whoever sees the ticket."""
    snapshot, row = find_visible(call, call.params["ticket_number"])
    task = view_task(snapshot, row)
    item = next((each for each in reversed(task.items) if each.closed_at is None), None)
    step = desk_reading.step(item.step_id) if item is not None else None
    leads = row is not None and call.principal.has_role(*COORDINATORS)
    owners = desk_reading.coordinator_role() if leads else None
    roles = {role for role in (owners, item.role_id if item is not None else None) if role is not None}
    people = desk_reading.active_members(roles) if roles else []
    return DeskView(
        task=task,
        item=item,
        step=StepNote(**step) if step is not None else None,
        ways=[WayView(**way) for way in desk_reading.ways_out(item.step_id)] if item is not None else [],
        members=[_offer(call, each) for each in people if item is not None and each["role_id"] == item.role_id],
        coordinators=[_offer(call, each) for each in people if each["role_id"] == owners],
        sla=sla_of(snapshot.ticket_number, call.now),
    )


def _offer(call: Call, row: dict[str, Any]) -> OfferView:
    candidate = Candidate(id=row["id"], user_id=row["user_id"], away_from=row["away_from"], away_to=row["away_to"])
    shown = {name: row[name] for name in ("user_id", "name", "open_items")}
    return OfferView(**shown, is_away=is_away(candidate, call.now))


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/tickets/{ticket_number}/desk",
        read_desk,
        permission="work.read",
        returns=DeskView,
        problems=(404,),
        summary="Read what a ticket's page shows: task, items, clocks, ways out of the step, and who could have it",
    ),
)
