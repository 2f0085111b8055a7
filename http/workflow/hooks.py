"""
The calls at the end of tasks: what was told to AMS, BMS and ticket owners, what waits, what was given up, and making it again.

Reading is for coordinators and admins, since a call says what the ticket says; replaying and settling is for admins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import peewee as pw
from pydantic import StringConstraints

from baton.http.api import Body, Call, Conflict, Invalid, NotFound, Operation, Page, PageQuery, View, page
from baton.http.ticket_fields import ExtraText, Money
from baton.http.types import Name, ShortText
from baton.models.settings import Settings
from baton.models.workflow import Hook, hook_store
from baton.pipelines.ending import (
    DONE,
    GAVE_UP,
    HOOK_STATES,
    PENDING,
    SENT,
    CorrectionError,
    Ended,
    Means,
    Repeat,
    Verdict,
    check_corrections,
    decide,
    repeat,
    settle,
)

#: Counting stops here: the answer "many" must not cost a scan.
MOST_COUNTED = 10_000
HookState = Literal[HOOK_STATES]  # type: ignore[valid-type]


class HookQuery(PageQuery):
    """Which calls to list, newest first; `ticket` is a ticket number."""

    state: HookState | None = None
    ticket: Name | None = None


class HookView(View):
    """
    A call at the end of a task. `idempotency_key` is the message's and the Celery task's id, the same at every repeat.

    `payload` is what was sent, null while nothing was; `corrections` what somebody supplied for it.
    """

    id: int
    ticket_number: str
    hook: str
    state: str
    detail: str
    queue: str | None
    name: str | None
    idempotency_key: str
    attempts: int
    payload: dict[str, Any] | None
    corrections: dict[str, Any]
    created_at: datetime
    sent_at: datetime | None
    next_try_at: datetime | None


class AttemptView(View):
    """An attempt at a call: by whom, what became of it (a state), why."""

    at: datetime
    actor: str
    outcome: str
    detail: str


class HookDetail(HookView):
    """A call with its attempts, oldest first."""

    history: list[AttemptView]


class Replay(Body):
    """What the ticket lacks for the call; nothing to make the call as it is."""

    asset_name: ExtraText | None = None
    serial_number: ExtraText | None = None
    action: ExtraText | None = None
    requested_budget: Money | None = None
    cost_items: dict[str, Any] | None = None


class Settlement(Body):
    """How the call was seen to in another way."""

    reason: Annotated[ShortText, StringConstraints(pattern=r"\S")]


def list_hooks(call: Call, query: HookQuery) -> Page[HookView]:
    """Calls, newest first."""
    found = Hook.select()
    if query.state:
        found = found.where(Hook.state == query.state)
    if query.ticket:
        found = found.where(Hook.ticket_number == query.ticket)
    return page(found, key=Hook.id, cursor=query.cursor, limit=query.limit, descending=True, view=_view)


def read_hook(call: Call) -> HookDetail:
    """A call with every attempt at it."""
    return _detail(_found(Hook.get_or_none(Hook.id == call.integer("hook_id"))))


def replay_hook(call: Call, body: Replay) -> HookDetail:
    """The call is made again under its own id: word for word if it was made before, else from the ticket and the corrections."""
    hook = _found(hook_store.lock_hook(call.tx, call.integer("hook_id")))
    given = body.model_dump(exclude_none=True)
    corrections = {**json.loads(hook.corrections), **given}
    if hook.kwargs is not None and given:
        raise Conflict("it was sent, and a repeat under the same id must have the same content")
    try:
        check_corrections(hook.hook, given)
    except CorrectionError as error:
        raise Invalid([{"field": field, "message": why, "type": "value_error"} for field, why in error.problems]) from None
    hook_store.try_again(call.tx, hook, again(call.settings, hook, corrections), call.principal.subject, corrections)
    return _detail(hook)


def settle_hook(call: Call, body: Settlement) -> HookDetail:
    """The call is done with: somebody saw to it in another way."""
    hook = _found(hook_store.lock_hook(call.tx, call.integer("hook_id")))
    if hook.state in (SENT, DONE):
        raise Conflict(f"the call is {hook.state}: there is nothing to settle")
    hook_store.try_again(call.tx, hook, settle(body.reason), call.principal.subject)
    return _detail(hook)


def again(settings: Settings, hook: Hook, corrections: Mapping[str, Any]) -> Verdict:
    """Return what becomes of a call that is made again now. The ticket is read as it is now, unless the call was made before."""
    if hook.kwargs is not None:
        return repeat(Repeat(str(hook.name), str(hook.queue), json.loads(hook.kwargs)))
    row = hook_store.ended_at(hook.completion)
    if row is None:
        raise Conflict(f"the item {hook.completion} that ended the task is gone")
    means = Means(rabbitmq=not settings.embedded_broker, notifications=settings.notifications)
    return decide(hook.hook, Ended(**hook_store.facts_of(row)), means, corrections)


def hook_check(database: pw.Database) -> dict[str, Any]:
    """Return how many calls wait and how many were given up; degraded while any was, until somebody sees to it."""
    pending, gave_up = (
        Hook.select(Hook.id).where(Hook.state == state).limit(MOST_COUNTED).count() for state in (PENDING, GAVE_UP)
    )
    return {"status": "degraded" if gave_up else "ok", "pending": pending, "gave_up": gave_up}


def _found(hook: Hook | None) -> Hook:
    if hook is None:
        raise NotFound("there is no such call")
    return hook


def _view(hook: Hook) -> HookView:
    return HookView(**_fields(hook))


def _detail(hook: Hook) -> HookDetail:
    attempts = [
        AttemptView(at=each.at, actor=each.actor, outcome=each.outcome, detail=each.detail)
        for each in hook_store.attempts_of(hook.id)
    ]
    return HookDetail(**_fields(hook), history=attempts)


def _fields(hook: Hook) -> dict[str, Any]:
    derived = ("idempotency_key", "payload", "corrections")
    return {
        **{name: getattr(hook, name) for name in HookView.model_fields if name not in derived},
        "idempotency_key": hook.message_id,
        "payload": None if hook.kwargs is None else json.loads(hook.kwargs),
        "corrections": json.loads(hook.corrections),
    }


_HOOK = "/api/v1/hooks/{hook_id}"
OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/hooks",
        list_hooks,
        permission="hooks.read",
        query=HookQuery,
        returns=Page[HookView],
        summary="List the calls at the end of tasks",
    ),
    Operation(
        "GET",
        _HOOK,
        read_hook,
        permission="hooks.read",
        returns=HookDetail,
        problems=(404,),
        summary="Read a call with its attempts",
    ),
    Operation(
        "POST",
        f"{_HOOK}/replay",
        replay_hook,
        permission="hooks.replay",
        body=Replay,
        returns=HookDetail,
        problems=(404, 409),
        summary="Make a call again",
    ),
    Operation(
        "POST",
        f"{_HOOK}/settle",
        settle_hook,
        permission="hooks.replay",
        body=Settlement,
        returns=HookDetail,
        problems=(404, 409),
        summary="Mark a call as seen to in another way",
    ),
)
