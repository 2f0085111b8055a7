"""Mails that could not be delivered, for those who look after them: the list, sending one again, setting one aside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, Conflict, NotFound, Operation, Page, PageQuery, View, page
from baton.http.types import Name, storable
from baton.models.notifications import failure_store, sending_store
from baton.models.notifications.email_tables import FailedNotification

_PATH = "/api/v1/notifications/failed"


class FailedView(View):
    """
    A mail that failed. `given_up`: nothing more happens by itself; otherwise it is tried again at `next_retry`.

    `retry_count` are the retries made by the scheduler, `last_retry` when the last was. `bounced`: it was taken and came back.
    """

    id: int
    recipient: str
    type: str
    ticket_number: str | None
    task_item_id: int | None
    error: str
    retry_count: int
    last_retry: datetime | None
    next_retry: datetime | None
    given_up: bool
    bounced: bool
    resolved: bool
    resolved_at: datetime | None
    resolved_by: str
    created_at: datetime


class FailedQuery(PageQuery):
    """Which failures to list, newest first; all given conditions must hold. By default those that are not resolved."""

    resolved: bool = False
    given_up: bool | None = None
    type: Name | None = None
    ticket: Name | None = None
    recipient: Name | None = None


class Reason(Body):
    """Why a failure needs nothing more, for whoever asks later."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"\S"), AfterValidator(storable)]


def list_failures(call: Call, query: FailedQuery) -> Page[FailedView]:
    """Return a page of failures, newest first."""
    f = FailedNotification
    found: Any = f.select().where(f.resolved == query.resolved)
    if query.given_up is not None:
        found = found.where(f.given_up == query.given_up)
    for field, wanted in ((f.type, query.type), (f.ticket_number, query.ticket), (f.recipient, query.recipient)):
        if wanted is not None:
            found = found.where(field == wanted)
    return page(found, key=f.id, cursor=query.cursor, limit=query.limit, descending=True, view=failed_view)


def read_failure(call: Call) -> FailedView:
    """Return one failure."""
    failure = FailedNotification.get_or_none(FailedNotification.id == call.integer("failure_id"))
    if failure is None:
        raise NotFound("there is no such failure")
    return failed_view(failure)


def retry(call: Call) -> FailedView:
    """The mail is due now; one that was given up has all its retries before it again."""
    failure = _open(call)
    if not failure_store.send_again(call.tx, [failure.delivery]):
        sending_store.make_due(call.tx, [failure.delivery])
    return _now(failure)


def resolve(call: Call, body: Reason) -> FailedView:
    """The mail is not sent any more, and its failure needs nobody's attention."""
    failure = _open(call)
    failure_store.give_up(call.tx, failure.delivery, body.reason)
    failure_store.resolve(call.tx, [failure.delivery], f"{call.principal.subject}: {body.reason}")
    return _now(failure)


def failed_view(failure: FailedNotification) -> FailedView:
    """Return a failure's row as callers see it."""
    return FailedView(**{name: getattr(failure, name) for name in FailedView.model_fields})


def _open(call: Call) -> FailedNotification:
    failure = failure_store.lock(call.tx, call.integer("failure_id"))
    if failure is None:
        raise NotFound("there is no such failure")
    if failure.resolved:
        raise Conflict("it is resolved: there is nothing left to do")
    return failure


def _now(failure: FailedNotification) -> FailedView:
    return failed_view(FailedNotification.get_by_id(failure.id))


_ONE = f"{_PATH}/{{failure_id}}"
OPERATIONS = (
    Operation(
        "GET",
        _PATH,
        list_failures,
        permission="notifications.failures",
        query=FailedQuery,
        returns=Page[FailedView],
        summary="List mails that could not be delivered",
        tag="failures",
    ),
    Operation(
        "GET",
        _ONE,
        read_failure,
        permission="notifications.failures",
        returns=FailedView,
        problems=(404,),
        summary="Read a failure",
        tag="failures",
    ),
    Operation(
        "POST",
        f"{_ONE}/retry",
        retry,
        permission="notifications.retry",
        returns=FailedView,
        problems=(404, 409),
        summary="Send a mail that failed again",
        tag="failures",
    ),
    Operation(
        "POST",
        f"{_ONE}/resolve",
        resolve,
        permission="notifications.retry",
        body=Reason,
        returns=FailedView,
        problems=(404, 409),
        summary="Set a failure aside",
        tag="failures",
    ),
)
