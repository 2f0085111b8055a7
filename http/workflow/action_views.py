"""What actions on items and tasks take, read off the table of actions, and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, create_model

from baton.http.types import TEXT_LENGTH, Body, Id, Instant, Name, Query, Text, View, storable
from baton.http.workflow.views import ItemView, TaskSummary
from baton.pipelines.work import ITEM_ACTIONS, PARTIES, Action

#: A text that says something.
Reason = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH, pattern=r"\S"), AfterValidator(storable)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
#: How many items one bulk request acts on at most: it is one transaction.
BULK_ITEMS = 200
_TYPES: dict[str, Any] = {"comment": Text, "reason": Text, "resume_at": Instant}


def body_of(action: Action) -> type[Body]:
    """Return the type of the action's body: what it requires, what it may have, and the version it acts on."""
    fields: dict[str, Any] = {"version": (Version | None, None)}
    for name in action.required:
        fields[name] = (Reason if name in ("reason", "comment") else Name, ...)
    for name in action.optional:
        fields[name] = (_TYPES.get(name, Name) | None, None)
    title = "".join(part.capitalize() for part in (*action.on.split(), *action.name.split()))
    model: type[Body] = create_model(f"{title}Request", __base__=Body, __doc__=action.summary + ".", **fields)
    return model


class ActionView(View):
    """A row of the table of actions. `from_states` are an item's, or a task's; `to_state` null leaves the state."""

    name: str
    on: str
    summary: str
    who: list[str]
    from_states: list[str]
    to_state: str | None
    needs_assignee: bool | None
    required: list[str]
    optional: list[str]


class ActionTable(View):
    """Every action there is, and what each kind of person is."""

    items: list[ActionView]
    people: dict[str, str] = PARTIES


class ItemDone(View):
    """An item after the action; `opened` is the item that it opened, `status` the ticket's."""

    action: str
    item: ItemView
    opened: int | None
    status: str


class TaskDone(View):
    """A task after the action; `task` is null for a ticket without one."""

    action: str
    ticket_number: str
    status: str
    task: TaskSummary | None
    opened: int | None


class Preview(View):
    """What reclassifying would do: the workflow that would have the ticket and why, and what happens to the open item."""

    ticket_number: str
    workflow_id: int | None
    workflow: str | None
    workflow_version: int | None
    reason: str
    item: int | None
    item_becomes: str | None
    moves: bool


class PreviewQuery(Query):
    """`preview`: say what would happen, and change nothing."""

    preview: bool = False


class BulkItem(Body):
    """An item of a bulk request, with the version that is acted on."""

    id: Id
    version: Version | None = None


class Bulk(Body):
    """One action on many items, with one set of arguments."""

    action: Literal[tuple(action.name for action in ITEM_ACTIONS)]  # type: ignore[valid-type]
    items: Annotated[list[BulkItem], Field(min_length=1, max_length=BULK_ITEMS)]
    comment: Text | None = None
    reason: Text | None = None
    transition: Name | None = None
    to_user: Name | None = None
    resume_at: Instant | None = None


class BulkResult(View):
    """What became of one item: `status` as if it had been asked for alone, `detail` why not, `opened` the item opened."""

    id: int
    status: int
    detail: str | None = None
    opened: int | None = None


class BulkView(View):
    """What became of each item, in the order asked."""

    done: int
    refused: int
    results: list[BulkResult]


class HandoverItem(View):
    """An open item of the person: who would get it from them (`heir`), and why, or why nobody would."""

    item: ItemView
    heir: str | None
    heir_name: str | None
    reason: str


class HandoverView(View):
    """A person's open work. `substitutes` is the chain that it would be offered to, `is_away` whether they are away now."""

    user_id: str
    name: str | None
    is_away: bool
    away_from: datetime | None
    away_to: datetime | None
    substitutes: list[str]
    substitute_names: list[str | None]
    items: list[HandoverItem]


class HandoverRequest(Body):
    """Hand items over, to the chain of substitutes or back to the rotation; all of them unless `items` names some."""

    to: Literal["substitute", "rotation"]
    items: Annotated[list[Id], Field(min_length=1, max_length=BULK_ITEMS)] | None = None


class SubstituteRequest(Body):
    """Who stands in while the person is away; null: nobody."""

    substitute: Name | None


class SubstituteView(View):
    """A person's substitute, and the chain from there."""

    user_id: str
    substitute: str | None
    chain: list[str]
