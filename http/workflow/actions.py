"""Acting on items and tasks over HTTP: one operation per row of the table of actions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from baton.http.api import (
    Call,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Operation,
    PreconditionFailed,
    Problem,
    Reply,
)
from baton.http.workflow import acting
from baton.http.workflow.action_views import (
    ActionTable,
    ActionView,
    Bulk,
    BulkResult,
    BulkView,
    ItemDone,
    Preview,
    PreviewQuery,
    TaskDone,
    body_of,
)
from baton.http.workflow.views import ItemView, TaskSummary
from baton.models.workflow import Task, action_reading, reading
from baton.pipelines.asking import Asked
from baton.pipelines.work import (
    ACTIONS,
    CONFLICT,
    FORBIDDEN,
    INVALID,
    ITEM_ACTIONS,
    PARTIES,
    STALE,
    TASK_ACTIONS,
    UNSEEN,
    Action,
    Refusal,
)


def act_on_item(call: Call, body: Any, action: Action) -> Reply:
    """The action is done; the answer is the item as it is then."""
    item = call.integer("item_id")
    done = acting.act_on_item(call.tx, asked(call, action, body), item, notices=call.settings.notifications)
    if isinstance(done, Refusal):
        refuse_item(call, item, done)
    row = action_reading.item_after(call.tx, item)
    view = ItemDone(action=action.name, status=row.pop("ticket_status"), item=ItemView(**row), opened=done.opened)
    return Reply(view, etag=row["version"])


def act_on_task(call: Call, body: Any, action: Action, query: PreviewQuery | None = None) -> Reply:
    """The action is done; the answer is the task as it is then. With `preview`, nothing is done but to say what would be."""
    number, preview = call.params["ticket_number"], query is not None and query.preview
    done = acting.act_on_task(call.tx, asked(call, action, body), number, notices=call.settings.notifications, preview=preview)
    if isinstance(done, Refusal):
        raise _problem(done, by_header=_version(call) is not None, what=f"ticket {number}", facts=_of_task(number))
    if preview:
        return Reply(_preview(number, done))
    task = reading.tasks(None).where(Task.ticket_number == number).first()
    view = TaskDone(
        action=action.name,
        ticket_number=number,
        status=done.outcome.status or action_reading.status_of(number),
        task=TaskSummary(**task) if task else None,
        opened=done.opened,
    )
    return Reply(view, etag=task["version"] if task else None)


def act_on_many(call: Call, body: Bulk) -> BulkView:
    """Each item is acted on as if alone, in their order; what is refused leaves the others as they are."""
    action = ACTIONS["item", body.action]
    _check_arguments(action, body)
    if len({each.id for each in body.items}) < len(body.items):
        raise Invalid.of("items", "names an item twice")
    wanted = asked(call, action, body)
    every = {each.id: replace(wanted, version=each.version) for each in body.items}
    done_or_not = acting.act_on_items(call.tx, every, notices=call.settings.notifications)
    results = [_one_of_many(item, done) for item, done in zip(every, done_or_not, strict=True)]
    done = sum(result.status == 200 for result in results)
    return BulkView(done=done, refused=len(results) - done, results=results)


def list_actions(call: Call) -> ActionTable:
    """The table of actions."""
    return ActionTable(items=[_row(action) for action in ACTIONS.values()])


def asked(call: Call, action: Action, body: Any) -> Asked:
    """Return the action as this call asks for it."""
    given = {name: value for name, value in body.model_dump().items() if value is not None and name in _ARGUMENTS}
    found = Asked(action=action, actor=call.principal, now=call.now, **given)
    version = _version(call)
    return found if version is None else replace(found, version=version)


_ARGUMENTS = frozenset(Asked.__dataclass_fields__) - {"action", "actor", "now", "label"}


def _version(call: Call) -> int | None:
    """Return the version that If-Match names, 0 (which none has) for a tag that is no version, None without the header."""
    given = call.request.get_header("If-Match")
    if given is None or given.strip() == "*":
        return None
    text = given.strip().strip('"')
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def refuse_item(call: Call, item: int, refusal: Refusal) -> NoReturn:
    """Raise the problem for a refused action on an item, with what happened to it."""
    facts = None
    if refusal.kind in (STALE, CONFLICT):
        facts = {"current": action_reading.item_now(item), "happened": action_reading.last_change(item)}
    raise _problem(refusal, by_header=_version(call) is not None, what=f"item {item}", facts=facts)


def _of_task(number: str) -> dict[str, Any]:
    return {"current": action_reading.task_now(number), "happened": action_reading.last_change_of_ticket(number)}


def _problem(refusal: Refusal, *, by_header: bool, what: str, facts: dict[str, Any] | None) -> Problem:
    """Return the refusal as a problem; to who may not see it, it does not exist."""
    if refusal.kind == UNSEEN:
        return NotFound(f"there is no {what}")
    if refusal.kind == FORBIDDEN:
        return Forbidden(refusal.reason)
    if refusal.kind == INVALID:
        return Invalid.of(refusal.field, refusal.reason)
    if refusal.kind == STALE and by_header:
        return PreconditionFailed(refusal.reason, **(facts or {}))
    return Conflict(refusal.reason, **(facts or {}))


def _one_of_many(item: int, done: acting.Done | Refusal) -> BulkResult:
    if isinstance(done, Refusal):
        problem = _problem(done, by_header=False, what=f"item {item}", facts=None)
        return BulkResult(id=item, status=problem.status, detail=done.reason)
    return BulkResult(id=item, status=200, opened=done.opened)


def _check_arguments(action: Action, body: Bulk) -> None:
    given = {name for name, value in body.model_dump().items() if value is not None} - {"action", "items"}
    missing = [name for name in action.required if not str(getattr(body, name, None) or "").strip()]
    surplus = sorted(given - {*action.required, *action.optional})
    errors = [{"field": name, "message": f"{action.name} needs it", "type": "missing"} for name in missing]
    errors += [{"field": name, "message": f"{action.name} takes none", "type": "extra_forbidden"} for name in surplus]
    if errors:
        raise Invalid(errors)


def _preview(number: str, done: acting.Done) -> Preview:
    outcome = done.outcome
    change = next(iter(outcome.changes), None)
    current = action_reading.workflow_of(number)
    matched = outcome.allocated.workflow if outcome.allocated is not None else None
    becomes = None
    if change is not None:
        becomes = f"{change.state}; a new one opens at the first step" if matched else "stays as it is"
    return Preview(
        ticket_number=number,
        workflow_id=matched.workflow_id if matched else current[0],
        workflow=matched.name if matched else current[1],
        workflow_version=matched.version_number if matched else current[2],
        reason=outcome.allocated.reason if outcome.allocated is not None else "the same workflow goes on",
        item=None if change is None else change.item,
        item_becomes=becomes,
        moves=matched is not None,
    )


def _row(action: Action) -> ActionView:
    return ActionView(
        name=action.name,
        on=action.on,
        summary=action.summary,
        who=list(action.who),
        from_states=list(action.from_states),
        to_state=action.to_state,
        needs_assignee=action.assigned,
        required=list(action.required),
        optional=list(action.optional),
    )


def in_words(action: Action) -> str:
    """Return the action's row as a sentence, for the documentation."""
    who = "; ".join(PARTIES[party] for party in action.who)
    to = f" It becomes {action.to_state}." if action.to_state else ""
    return f"Who: {who}. From: {', '.join(action.from_states)}.{to}"


def _operation(action: Action) -> Operation:
    is_item = action.on == "item"
    where = "items/{item_id}" if is_item else "tasks/{ticket_number}"
    return Operation(
        "POST",
        f"/api/v1/{where}/{action.name}",
        partial(act_on_item if is_item else act_on_task, action=action),
        permission="work.act",
        body=body_of(action),
        query=PreviewQuery if action.name == "reclassify" else None,
        returns=ItemDone if is_item else (TaskDone | Preview if action.name == "reclassify" else TaskDone),
        problems=(404, 409, 412),
        summary=action.summary,
        description=in_words(action),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/actions",
        list_actions,
        permission="work.read",
        returns=ActionTable,
        transaction="none",
        summary="List what can be done with items and tasks, by whom and when",
    ),
    Operation(
        "POST",
        "/api/v1/items/bulk",
        act_on_many,
        permission="work.act",
        body=Bulk,
        returns=BulkView,
        summary="Do one action on many items, with a result for each",
    ),
    *(_operation(action) for action in (*ITEM_ACTIONS, *TASK_ACTIONS)),
)
