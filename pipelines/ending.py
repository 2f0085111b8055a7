"""
The end of a task: what its workflow says happens then, once in effect.

1. The workflow's `end_logic` says what is called when the last step is done: `asset` tells AMS, `budget` tells BMS,
   `notification` tells the requester, `none` calls nothing (contracts, sections 2 and 4). The ticket's owner is told of every
   completed task, whatever its workflow says (section 5), and not twice.
2. A task that was reopened before its end was reached has not ended: the end comes when it is completed again. Every completion
   is called for once.
3. The call says what the ticket says: an asset's name, serial number and category as the action; a budget's amount and items
   with the owner as who approved it. What a ticket does not say is not made up: the call is given up, with the reason, until
   somebody supplies what is missing or settles it another way.
4. AMS and BMS listen on RabbitMQ. Where none is configured the call waits; it is sent when there is one.
5. A call is repeated under the same id with the same content, so that its receiver can tell that it is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from baton.pipelines.audience import REQUESTER
from baton.pipelines.external_messages import ProcessBudgetApproval, ProcessWorkflowCompletion
from baton.pipelines.issue_messages import RecordIssue
from baton.pipelines.messages import Message
from baton.pipelines.requester_notices import requester_of, resolution_event
from baton.pipelines.statuses import RESOLVED, TASK_COMPLETED
from baton.pipelines.ticket_values import BUDGET_FIELDS, MAX_EXTRA, check_extras, check_text
from baton.pipelines.work_messages import NotifyCompletion

ASSET, BUDGET, NOTIFICATION, NONE = "asset", "budget", "notification", "none"
HOOKS = (ASSET, BUDGET, NOTIFICATION)

PENDING, SENT, GAVE_UP, DONE = "pending", "sent", "gave up", "done"
#: What can become of a call: it waits; it was handed to the queue; it lacks something; nothing is left to do.
HOOK_STATES = (PENDING, SENT, GAVE_UP, DONE)

#: What somebody may supply for a ticket that does not say it.
CORRECTABLE = {
    ASSET: frozenset({"asset_name", "serial_number", "action"}),
    BUDGET: frozenset({"requested_budget", "cost_items"}),
    NOTIFICATION: frozenset(),
}
NO_BROKER = "AMS and BMS listen on RabbitMQ, and none is configured: set BATON_BROKER_URL"


class CorrectionError(Exception):
    """What somebody supplied cannot be used in this call; `problems` are (field, reason). Nothing changes."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{name} {reason}" for name, reason in self.problems))


class _IncompleteError(Exception):
    """The ticket does not say what the call must say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A task whose last step is done: `data` is the ticket as it came, `completion` the item that was completed last."""

    ticket_number: str
    subject: str
    category: str | None
    data: Mapping[str, Any]
    workflow: str
    owner_user_id: str | None
    requester_user_id: str | None
    completion: int
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What this installation has: a RabbitMQ on which others listen, a notifications service."""

    rabbitmq: bool
    notifications: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """A message that was sent before, as it was stored."""

    name: str
    queue: str
    kwargs: Mapping[str, Any]

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments as they travelled."""
        return dict(self.kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a call: its state, why, and the message to send, if any."""

    state: str
    detail: str
    message: Message | Repeat | None = None


def hook_of(end_logic: str, task_status: str) -> str | None:
    """Return which call the end of a task asks for, None for none (rules 1 and 2)."""
    return end_logic if end_logic in HOOKS and task_status == TASK_COMPLETED else None


def decide(hook: str, ended: Ended, means: Means, corrections: Mapping[str, Any] | None = None) -> Verdict:
    """Return what becomes of a call that was not made yet; `corrections` go before what the ticket says."""
    if hook == NOTIFICATION:
        return _notification(ended, means)
    said = {**ended.data, "action": ended.category, **(corrections or {})}
    try:
        message = _asset(ended, said) if hook == ASSET else _budget(ended, said)
    except _IncompleteError as error:
        return Verdict(state=GAVE_UP, detail=str(error))
    if not means.rabbitmq:
        return Verdict(state=PENDING, detail=NO_BROKER)
    return Verdict(state=SENT, detail=f"to {message.queue}", message=message)


def repeat(message: Repeat) -> Verdict:
    """Return what becomes of a call that was made before: it is made again, word for word (rule 5)."""
    return Verdict(state=SENT, detail=f"to {message.queue}, again", message=message)


def settle(reason: str) -> Verdict:
    """Return what becomes of a call that somebody saw to in another way."""
    return Verdict(state=DONE, detail=f"settled by hand: {reason}")


def check_corrections(hook: str, corrections: Mapping[str, Any]) -> None:
    """Raise CorrectionError unless these are fields that somebody may supply for this call, with usable values."""
    known = ", ".join(sorted(CORRECTABLE[hook])) or "none"
    problems = [
        (name, f"is no field of the {hook} call; it has: {known}") for name in sorted(set(corrections) - CORRECTABLE[hook])
    ]
    if not problems:
        texts = {name: value for name, value in corrections.items() if name != "cost_items"}
        found = [problem for name, value in texts.items() for problem in check_text(name, value, MAX_EXTRA, required=True)]
        found += check_extras({name: value for name, value in corrections.items() if name in BUDGET_FIELDS})
        problems = [(problem.field, problem.reason) for problem in found]
    if problems:
        raise CorrectionError(problems)


def issue_of(hook: str, ended: Ended, verdict: Verdict, temporary_id: str) -> RecordIssue:
    """Return the report that a call was given up. Calls that lack the same are one issue, which names the newest ticket."""
    return RecordIssue(
        temporary_id=temporary_id,
        title=f"The {hook} call at the end of a task was given up: {verdict.detail}",
        description=(
            f"ticket: {ended.ticket_number}\nworkflow: {ended.workflow}\nreason: {verdict.detail}\n\n"
            f"`baton hooks list --ticket {ended.ticket_number}` shows the call; replay it with what is missing, or settle it."
        ),
        priority="High",
        tags=["hook", hook],
        component="workflow",
        reporter="service:workflow",
        ticket_number=ended.ticket_number,
    )


def _asset(ended: Ended, said: Mapping[str, Any]) -> ProcessWorkflowCompletion:
    _demand(said, "asset_name", "serial_number", "action")
    return ProcessWorkflowCompletion(
        ticket_id=ended.ticket_number,
        asset_name=_text(said, "asset_name"),
        serial_number=_text(said, "serial_number"),
        action=_text(said, "action"),
        completed_at=_instant(ended.completed_at),
    )


def _budget(ended: Ended, said: Mapping[str, Any]) -> ProcessBudgetApproval:
    _demand(said, "requested_budget")
    items = said.get("cost_items")
    if items is not None and not isinstance(items, Mapping):
        raise _IncompleteError("cost_items of the ticket is not an object")
    owner = ended.owner_user_id
    return ProcessBudgetApproval(
        ticket_id=ended.ticket_number,
        requested_budget=_text(said, "requested_budget"),
        cost_items=dict(items or {}),
        # Auth numbers its users; ids of another form stay as they are.
        approved_by=int(owner) if owner is not None and owner.isascii() and owner.isdigit() else owner,
        completed_at=_instant(ended.completed_at),
    )


def _notification(ended: Ended, means: Means) -> Verdict:
    if not means.notifications:
        return Verdict(state=DONE, detail="notifications are switched off: nobody was told")
    employee = ended.data.get("employee")
    employee_id = employee.get("id") if isinstance(employee, Mapping) else None
    requester = requester_of(str(employee_id) if isinstance(employee_id, str | int) else None, ended.requester_user_id)
    if requester is None:
        return Verdict(state=DONE, detail="the ticket does not say who its requester is; its owner is told as of every task")
    if ended.requester_user_id is not None and ended.requester_user_id == ended.owner_user_id:
        return Verdict(state=DONE, detail="the requester owns the ticket, and is told as its owner")
    message = NotifyCompletion(
        user_id=requester,
        subject=f"{ended.ticket_number} is completed",
        message=f"The work on your ticket {ended.ticket_number} ({ended.subject}) is completed.",
        # The type by which requesters hear of every end, and one event with it: they are told once.
        notification_type="resolution",
        related_task_item_id=ended.completion,
        related_ticket_number=ended.ticket_number,
        metadata={
            "workflow_name": ended.workflow,
            "completed_at": _instant(ended.completed_at),
            "reason": REQUESTER,
            "event": resolution_event(ended.ticket_number, f"{RESOLVED}:{ended.completion}"),
        },
    )
    return Verdict(state=SENT, detail=f"to {message.queue}", message=message)


def _demand(said: Mapping[str, Any], *names: str) -> None:
    lacking = [name for name in names if not _is_text(said.get(name))]
    if lacking:
        raise _IncompleteError(f"the ticket lacks {' and '.join(lacking)}")


def _is_text(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said[name]
    # Other systems send amounts and serial numbers as numbers; 1e22 is not how anybody writes an amount.
    return value if isinstance(value, str) else format(Decimal(repr(value)), "f")


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
