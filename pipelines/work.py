"""
Work: what people may do with items and tasks. One table, read by the API, its documentation, the commands and the tests.

1. Whoever may not see an item or a task is told that it does not exist.
2. An action that names a version acts on that version only: whoever comes second is told what happened.
3. The table says who may do what: the assignee, the task's owner, coordinators (and admins), members of the item's role. Nobody
   else. A coordinator acts in the assignee's place; the history says who it was. So do the programs of operators (`OPERATORS`).
4. The table says from which states to which. An action that does not fit the state changes nothing.
5. Every action is one row of history for each item that it changes, and makes that item's version one higher.

Effects on the rotation: following, sending back and escalating have the next person picked in turn (`assignment`), except that a
step visited before goes back to whoever had it, without a turn. Taking, assigning by hand, transferring and handing over use no
turn and move nobody in the line.
"""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.permissions import Principal
from baton.pipelines.statuses import (
    FINAL_ITEM_STATES,
    ITEM_COMPLETED,
    ITEM_ESCALATED,
    ITEM_IN_PROGRESS,
    ITEM_NEW,
    ITEM_ON_HOLD,
    ITEM_RETURNED,
    ITEM_STATES,
    ITEM_TRANSFERRED,
    TASK_CANCELLED,
    TASK_COMPLETED,
    TASK_OPEN,
    TASK_WITHDRAWN,
)

#: Who sees all work and may do what their table entry says with any of it.
COORDINATORS = ("tts:Admin", "tts:Ticket Coordinator")

ASSIGNEE, OWNER, COORDINATOR, MEMBER, APPROVER = "assignee", "owner", "coordinator", "member", "approver"
PARTIES = {
    ASSIGNEE: "whoever has the item",
    OWNER: "the owner of the task",
    COORDINATOR: "ticket coordinators and admins",
    MEMBER: "active members of the item's role who could be given it in turn",
    APPROVER: "active members of the item's role, or the substitute of one who is away",
}
#: Services that act as a coordinator does: programs that an operator starts, who has the service secret. No other service acts.
OPERATORS = frozenset({"integration", "operator", "replay"})
#: What a task may be before it exists: its ticket waits in triage.
TRIAGE = "in triage"

_WORKABLE = (ITEM_NEW, ITEM_IN_PROGRESS, ITEM_ESCALATED, ITEM_TRANSFERRED)
_OPEN = tuple(state for state in ITEM_STATES if state not in FINAL_ITEM_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """
    A row of the table.

    `from_states` are an item's states, or a task's; `to_state` None leaves it. `assigned` True: somebody must have the item;
    False: nobody may. `required` and `optional` name the arguments, texts unless it is `resume_at`.
    """

    name: str
    on: str
    who: tuple[str, ...]
    from_states: tuple[str, ...]
    to_state: str | None
    event: str
    summary: str
    assigned: bool | None = None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_STAFF = (ASSIGNEE, OWNER, COORDINATOR)
_WORKER = (ASSIGNEE, COORDINATOR)
_LEADS = (OWNER, COORDINATOR)

ITEM_ACTIONS = (
    Action(
        name="start", on="item", who=_WORKER, assigned=True, event="started",
        from_states=(ITEM_NEW, ITEM_ESCALATED, ITEM_TRANSFERRED), to_state=ITEM_IN_PROGRESS, optional=("comment",),
        summary="Begin the work on an item; the ticket is In Progress",
    ),
    Action(
        name="follow", on="item", who=_WORKER, assigned=True, event="completed",
        from_states=_WORKABLE, to_state=ITEM_COMPLETED, required=("transition",), optional=("comment",),
        summary="Follow a way out of the step, by its name; it leads to the next step, or ends the task",
    ),
    Action(
        name="complete", on="item", who=_WORKER, assigned=True, event="completed",
        from_states=_WORKABLE, to_state=ITEM_COMPLETED, optional=("comment",),
        summary="Follow the only way out of the step",
    ),
    Action(
        name="return", on="item", who=_WORKER, assigned=True, event="returned",
        from_states=_WORKABLE, to_state=ITEM_RETURNED, required=("reason",),
        summary="Send an item back to the step it came from, and to whoever had it there",
    ),
    Action(
        name="transfer", on="item", who=_STAFF, assigned=True, event="transferred",
        from_states=_OPEN, to_state=ITEM_TRANSFERRED, required=("to_user",), optional=("reason",),
        summary="Give an item to a colleague of its role; one on hold stays on hold",
    ),
    Action(
        name="assign", on="item", who=_LEADS, assigned=False, event="assigned",
        from_states=_OPEN, to_state=None, required=("to_user",), optional=("reason",),
        summary="Give an item that nobody has to a member of its role",
    ),
    Action(
        name="take", on="item", who=(MEMBER,), assigned=False, event="taken",
        from_states=_OPEN, to_state=None, summary="Take an item that nobody has",
    ),
    Action(
        name="escalate", on="item", who=_STAFF, event="escalated",
        from_states=_WORKABLE, to_state=ITEM_ESCALATED, required=("reason",),
        summary="Give an item to the step's escalation role, whose members take turns",
    ),
    Action(
        name="hold", on="item", who=_STAFF, assigned=True, event="put on hold",
        from_states=_WORKABLE, to_state=ITEM_ON_HOLD, required=("reason",), optional=("resume_at",),
        summary="Put an item on hold, until it is resumed or until an instant",
    ),
    Action(
        name="resume", on="item", who=_STAFF, event="resumed",
        from_states=(ITEM_ON_HOLD,), to_state=None, optional=("comment",),
        summary="Go on with an item on hold, in the state it was in before",
    ),
    Action(
        name="approve", on="item", who=(APPROVER,), event="approved",
        from_states=_WORKABLE, to_state=None, optional=("comment",),
        summary="Approve what a step asks approval for; the last one needed follows the only way out",
    ),
    Action(
        name="reject", on="item", who=(APPROVER,), event="rejected",
        from_states=_WORKABLE, to_state=ITEM_RETURNED, required=("reason",),
        summary="Refuse approval; the item goes back to the step it came from",
    ),
    Action(
        name="note", on="item", who=_STAFF, event="noted",
        from_states=ITEM_STATES, to_state=None, required=("comment",),
        summary="Note something in an item's history, finished or not",
    ),
)  # fmt: skip

TASK_ACTIONS = (
    Action(
        name="reopen", on="task", who=_LEADS, event="reopened",
        from_states=(TASK_COMPLETED, TASK_WITHDRAWN), to_state=TASK_OPEN, required=("reason",),
        summary="Open a finished task at its last step, for whoever had that",
    ),
    Action(
        name="close", on="task", who=_LEADS, event="closed",
        from_states=(TASK_COMPLETED,), to_state=None, optional=("comment",),
        summary="Close a resolved ticket, whose outcome was accepted",
    ),
    Action(
        name="cancel", on="task", who=_LEADS, event="cancelled",
        from_states=(TASK_OPEN, TRIAGE), to_state=TASK_CANCELLED, required=("reason",),
        summary="End a task for good, with whatever is open in it",
    ),
    Action(
        name="priority", on="task", who=_LEADS, event="priority changed",
        from_states=(TASK_OPEN, TRIAGE), to_state=None, required=("priority",), optional=("reason",),
        summary="Change a ticket's priority",
    ),
    Action(
        name="reclassify", on="task", who=_LEADS, event="reclassified",
        from_states=(TASK_OPEN, TRIAGE), to_state=None, optional=("category", "department", "reason"),
        summary="Change a ticket's category or department; another workflow that matches takes it over from its first step",
    ),
    Action(
        name="owner", on="task", who=_LEADS, event="owner changed",
        from_states=(TASK_OPEN,), to_state=None, required=("to_user",), optional=("reason",),
        summary="Make a coordinator the owner of a task",
    ),
)  # fmt: skip

HANDOVER_ACTIONS = (
    Action(
        name="substitute", on="handover", who=_WORKER, assigned=True, event="handed over",
        from_states=_OPEN, to_state=None,
        summary="Give an item to the first of the assignee's substitutes who could be given it in turn",
    ),
    Action(
        name="rotation", on="handover", who=_WORKER, assigned=True, event="handed over",
        from_states=_OPEN, to_state=None,
        summary="Give the item of somebody who is away to the next member of its role in turn",
    ),
)  # fmt: skip

ACTIONS = {(action.on, action.name): action for action in (*ITEM_ACTIONS, *TASK_ACTIONS, *HANDOVER_ACTIONS)}

UNSEEN, FORBIDDEN, STALE, CONFLICT, INVALID = "unseen", "forbidden", "stale", "conflict", "invalid"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action changes nothing: `kind` is unseen, forbidden, stale, conflict, or invalid (`field` names the argument)."""

    kind: str
    reason: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    What decides who may act: who has the item, who owns the task, and who else sees it, all as they are under the lock.

    `roles` are the `system:Role` pairs that see it, `guests` user ids.
    """

    state: str
    version: int
    assignee: str | None = None
    owner: str | None = None
    roles: frozenset[str] = frozenset()
    guests: frozenset[str] = frozenset()


def refuse(action: Action, actor: Principal, standing: Standing, version: int | None) -> Refusal | None:
    """Return why the actor may not do this now, or None. Membership (`member`, `approver`) is the action's own to check."""
    if not sees(actor, standing):
        return Refusal(UNSEEN, "there is none")
    if version is not None and version != standing.version:
        return Refusal(STALE, f"it was changed in between: its version is {standing.version}, not {version}")
    if not {MEMBER, APPROVER}.intersection(action.who) and not parties_of(actor, standing).intersection(action.who):
        return Refusal(FORBIDDEN, f"only {' or '.join(PARTIES[party] for party in action.who)} may {action.name} it")
    if standing.state not in action.from_states:
        return Refusal(CONFLICT, f"it is {standing.state}; {action.name} is for {', '.join(action.from_states)}")
    if action.assigned is True and standing.assignee is None:
        return Refusal(CONFLICT, "nobody has it yet")
    if action.assigned is False and standing.assignee is not None:
        return Refusal(CONFLICT, f"user {standing.assignee} has it")
    return None


def sees(actor: Principal, standing: Standing) -> bool:
    """Return whether the actor may know of it."""
    guest = actor.kind == "user" and actor.id in standing.guests
    return guest or bool(parties_of(actor, standing)) or bool(actor.roles & standing.roles)


def parties_of(actor: Principal, standing: Standing) -> set[str]:
    """Return what the actor is to this item or task: assignee, owner, coordinator."""
    parties = set()
    if actor.kind == "user" and actor.id == standing.assignee:
        parties.add(ASSIGNEE)
    if actor.kind == "user" and actor.id == standing.owner:
        parties.add(OWNER)
    if actor.has_role(*COORDINATORS) or actor.kind == "system" or (actor.kind == "service" and actor.id in OPERATORS):
        parties.add(COORDINATOR)
    return parties
