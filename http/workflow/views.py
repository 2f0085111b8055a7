"""What the workflow front takes and shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from baton.http.types import Body, Id, Instant, Name, PageQuery, ShortText, View
from baton.pipelines.statuses import ITEM_STATES, TASK_STATUSES, TICKET_STATUSES

TicketStatus = Literal[TICKET_STATUSES]  # type: ignore[valid-type]
TaskStatus = Literal[TASK_STATUSES]  # type: ignore[valid-type]
ItemState = Literal[ITEM_STATES]  # type: ignore[valid-type]


class TaskQuery(PageQuery):
    """Which tasks to list, newest first."""

    status: TicketStatus | None = None
    task_status: TaskStatus | None = None
    owner: Name | None = None
    workflow_id: Id | None = None


class ItemQuery(PageQuery):
    """Which items to list, newest first; `role` is a role's id."""

    assignee: Name | None = None
    state: ItemState | None = None
    role: Name | None = None


class WaitingQuery(PageQuery):
    """Which waiting entries to list, oldest first; `kind` is item or owner, `role` a role's id."""

    kind: Literal["item", "owner"] | None = None
    role: Name | None = None


class MemberQuery(PageQuery):
    """Which members to list; `role` is a role's id. `q` finds by beginnings of the words of name and address."""

    q: ShortText | None = None
    is_active: bool | None = None
    role: Name | None = None
    user_id: Name | None = None


class TaskSummary(View):
    """A task in a list: `status` is the ticket's, `task_status` the task's own."""

    id: int
    ticket_number: str
    subject: str
    category: str | None
    department: str | None
    priority: str
    status: str
    status_version: int
    task_status: str
    workflow_id: int
    workflow: str
    workflow_version: int
    owner_user_id: str | None
    owner_name: str | None = None
    created_at: datetime
    closed_at: datetime | None
    version: int


class ItemView(View):
    """A visit of a task to a step."""

    id: int
    ticket_number: str
    task: int
    step_id: int
    step: str
    position: int
    visit: int
    role_id: str
    role: str
    assignee: str | None
    assignee_name: str | None = None
    state: str
    waiting_since: datetime | None
    created_at: datetime
    assigned_at: datetime | None
    closed_at: datetime | None
    version: int


class SnapshotView(View):
    """A ticket as it was taken in: `ticket_data` is the whole of it."""

    ticket_number: str
    status: str
    status_version: int
    department: str | None
    category: str | None
    priority: str
    received_at: datetime
    ticket_data: Any


class TaskView(View):
    """A ticket's task with its items; `task` is null while the ticket is in triage, or was withdrawn before it had one."""

    ticket_number: str
    status: str
    task: TaskSummary | None
    items: list[ItemView]
    snapshot: SnapshotView


class HistoryView(View):
    """What happened to an item: who, when, from what to what, why."""

    id: int
    item: int
    step: str
    at: datetime
    actor: str
    actor_name: str | None = None
    event: str
    from_state: str | None
    to_state: str | None
    from_user: str | None
    from_user_name: str | None = None
    to_user: str | None
    to_user_name: str | None = None
    reason: str
    request: str | None


class AllocationView(View):
    """Why this workflow: `workflow` is null where none matched."""

    workflow: str | None
    workflow_version: int | None
    reason: str
    considered: list[dict[str, Any]]
    decided_by: str
    decided_at: datetime


class PickView(View):
    """Why this person: `considered` in the order of the rotation. `turn` is null where none was used."""

    kind: str
    subject_id: int
    role_id: str
    role: str
    chosen: str | None
    chosen_name: str | None = None
    turn: int | None
    reason: str
    considered: list[dict[str, Any]]
    decided_at: datetime


class ExplanationView(View):
    """Every decision about a ticket, oldest first."""

    ticket_number: str
    allocations: list[AllocationView]
    assignments: list[PickView]


class TriageView(View):
    """A ticket that no deployed workflow matches. `chosen_workflow` is set while a pick by hand is carried out."""

    ticket_number: str
    subject: str
    category: str | None
    department: str | None
    priority: str
    reason: str
    since: datetime
    chosen_workflow: int | None
    chosen_by: str | None


class Choice(Body):
    """The workflow that a ticket in triage shall get."""

    workflow_id: Id


class ChoiceView(View):
    """A pick that was taken down and is carried out next."""

    ticket_number: str
    workflow_id: int
    chosen_by: str


class WaitingView(View):
    """An item (`subject_id` is its id) or a task without an owner (`subject_id` is the task's) that waits."""

    kind: str
    subject_id: int
    ticket_number: str
    subject: str
    priority: str
    role_id: str
    role: str
    reason: str
    since: datetime


class RoleView(View):
    """A role; `turn` counts the turns taken in it, `is_provisional` that auth has not told of it yet."""

    role_id: str
    system: str
    name: str
    is_active: bool
    is_provisional: bool
    turn: int


class MemberView(View):
    """A person in a role; `substitute` stands in for them while they are away."""

    user_id: str
    name: str
    role_id: str
    role: str
    is_active: bool
    is_away: bool
    away_from: datetime | None
    away_to: datetime | None
    substitute: str | None
    substitute_name: str | None
    capacity: int | None
    open_items: int
    turns: int
    last_turn: int


class Availability(Body):
    """When the person is out of office: from, until, either open. Both null: present."""

    away_from: Instant | None
    away_to: Instant | None


class MemberList(View):
    """A person in each of their roles."""

    items: list[MemberView]


class Capacity(Body):
    """How many items of the role the person may have at once; null is no limit."""

    capacity: Annotated[int, Field(ge=0, le=1_000_000)] | None
