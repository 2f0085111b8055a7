"""What a decision about work is made from, and what it changes: plain values, read and written by the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from baton.pipelines.allocation import Allocated
from baton.pipelines.assignment import Candidate, Need
from baton.pipelines.envelope import Message
from baton.pipelines.messages import AllocateTicket, AssignItem, AssignWaiting
from baton.pipelines.status_sync import status_announcement
from baton.pipelines.work_messages import EndTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    An item of the task, in the order in which they were opened.

    A former one is from before the task was moved to another version: its `counterpart` is the step of the same name there.
    """

    item: int
    step: int
    visit: int
    role: int
    assignee: str | None
    state: str
    came_from: int | None
    version: int
    is_former: bool = False
    counterpart: int | None = None
    counterpart_role: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way out of a step: to a step of a role, or (`to_step` None) to the end. `who` is assignee, coordinator or anyone."""

    id: int
    name: str
    to_step: int | None
    to_role: int | None
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An approval that an item has."""

    user_id: str
    stands_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """
    A ticket with its task under the lock; `task` None: it waits in triage, or never had one.

    `trail` is its items in the order of their opening, `role_names` the `system:Role` pairs that these belong to.
    """

    ticket_number: str
    status: str
    category: str | None
    department: str | None
    priority: str
    requester_user_id: str | None
    requester_email: str | None
    through_gateway: bool
    task: int | None = None
    task_status: str | None = None
    task_version: int = 1
    owner: str | None = None
    workflow_id: int | None = None
    workflow_version: int | None = None
    workflow: str = ""
    trail: tuple[Visit, ...] = ()
    role_names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TaskFacts:
        """Return the facts that the store read, a mapping by field."""
        return cls(**{**values, "trail": tuple(Visit(**visit) for visit in values["trail"])})

    @property
    def last(self) -> Visit | None:
        """The newest item."""
        return self.trail[-1] if self.trail else None

    def find(self, item: int | None) -> Visit | None:
        """Return the item of this id."""
        return next((visit for visit in self.trail if visit.item == item), None)

    def last_at(self, step: int) -> Visit | None:
        """Return the newest item at a step."""
        return next((visit for visit in reversed(self.trail) if visit.step == step), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """
    An item under the lock of its ticket and role.

    `members` are those of its role, `heirs` of its escalation role, `stand_ins` (user id -> the absent member they stand for) who
    may decide in place of others. They are there when the action reads them.
    """

    task: TaskFacts
    visit: Visit
    step_name: str
    role_name: str
    escalation_role: int | None
    escalation_role_name: str | None
    approvals_needed: int
    waiting: bool
    previous_state: str | None = None
    previous_status: str | None = None
    ways: tuple[Way, ...] = ()
    members: tuple[Candidate, ...] = ()
    heirs: tuple[Candidate, ...] = ()
    approvals: tuple[Given, ...] = ()
    excluded: frozenset[str] = frozenset()
    stand_ins: dict[str, Candidate] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ItemFacts:
        """Return the facts that the store read, a mapping by field."""
        parts: dict[str, Any] = {**values, "task": TaskFacts.of(values["task"]), "visit": Visit(**values["visit"])}
        parts["ways"] = tuple(Way(**way) for way in values.get("ways", ()))
        parts["approvals"] = tuple(Given(**given) for given in values.get("approvals", ()))
        for name in ("members", "heirs"):
            parts[name] = tuple(Candidate(**member) for member in values.get(name, ()))
        return cls(**parts)

    def need(self, role: int | None = None) -> Need:
        """Return the need of this item for somebody."""
        return Need(
            kind="item",
            subject_id=self.visit.item,
            ticket_number=self.task.ticket_number,
            role=role or self.visit.role,
            task=self.task.task or 0,
            requester_user_id=self.task.requester_user_id,
            requester_email=self.task.requester_email,
            excluded=self.excluded,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """What an item becomes, and the row of its history. `opens` True: it is not finished."""

    item: int
    state: str
    assignee: str | None
    role: int
    event: str
    from_state: str
    from_user: str | None
    reason: str
    opens: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An item to open at a step; `event` other than "" is noted in its history as its beginning."""

    task: int
    step: int
    visit: int
    role: int
    former: str | None = None
    came_from: int | None = None
    event: str = ""
    from_state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an item on hold goes back to."""

    item: int
    previous_state: str
    previous_status: str
    reason: str
    resume_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An approval or rejection: by whom, and in whose place."""

    item: int
    user_id: str
    name: str
    stands_for: str
    stands_for_name: str
    decision: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What an action changes. The store writes all of it, in one transaction, and announces its messages.

    `freed` and `taken` are (role, user) pairs whose open work is one less or more. `assign` is an item that wants its next
    person, `owner_need` the requester of a task that wants an owner, `note` what a ticket without a task keeps as the reason.
    """

    action: str
    actor: str
    ticket_number: str
    through_gateway: bool
    task: int | None = None
    item: int | None = None
    changes: tuple[ItemChange, ...] = ()
    opening: Opening | None = None
    freed: tuple[tuple[int, str], ...] = ()
    taken: tuple[tuple[int, str], ...] = ()
    hold: Hold | None = None
    decided: Decided | None = None
    status: str | None = None
    task_status: str | None = None
    owner: str | None = None
    workflow_version: int | None = None
    ticket_changes: dict[str, str | None] = field(default_factory=dict)
    triage_keys: tuple[str, str] | None = None
    allocated: Allocated | None = None
    owner_need: tuple[str | None, str | None] | None = None
    touches_task: bool = False
    note: str = ""
    assign: int | None = None
    ends: bool = False
    allocate: bool = False
    notices: tuple[Message, ...] = ()

    def messages(self, opened: int | None, waiting_roles: Sequence[str], *, notices: bool) -> list[Message]:
        """Return what is announced with it: `opened` is the item it opened, `waiting_roles` whose lists can be served now."""
        found: list[Message] = []
        wanted = opened if opened is not None else self.assign
        if wanted is not None:
            found.append(AssignItem(task_item_id=wanted, ticket_number=self.ticket_number))
        found += [AssignWaiting(role_id=role) for role in waiting_roles]
        if self.allocate:
            found.append(AllocateTicket(ticket_number=self.ticket_number))
        if self.ends:
            found.append(EndTask(ticket_number=self.ticket_number))
        return found + list(self.notices if notices else ())

    def status_message(self) -> Any:
        """Return what tells the ticket's origin of its new status."""
        return status_announcement(self.ticket_number, self.status or "", through_gateway=self.through_gateway)
