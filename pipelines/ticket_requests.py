"""
Ticket requests: the requester's copy of a ticket's status, which follows the workflow's and shows the requester's own wishes.

1. News from the workflow side apply when they are news (`status_sync`): not twice, not late, not out of order.
2. A requester may withdraw a ticket that is not finished, and reopen one that is. The ticket shows what was asked at
   once, and the request is pending until the workflow side answers it.
3. While a request is pending, news that do not answer it were on their way before it was read: they are noted, not
   shown. The answer is known by its trace, which is the request's own; what comes from a sender that keeps no versions
   (the old services) answers too.
4. The answer decides, also when it refuses (it then tells the status that really holds): both sides end equal.
5. A newer request takes the place of an unanswered one. Requests of a ticket are numbered, so that the workflow side
   ignores one that comes too late. Asking again for what is asked or holds already changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from baton.pipelines.status_sync import is_news
from baton.pipelines.statuses import FINAL_STATUSES, OPEN, REOPENABLE_STATUSES, WITHDRAWN

WITHDRAW = "withdraw"
REOPEN = "reopen"

#: What the ticket shows as soon as the request is made.
SHOWN = {WITHDRAW: WITHDRAWN, REOPEN: OPEN}


class RequestRefusedError(Exception):
    """The requester's wish does not fit the ticket's state; `reason` says why. Nothing changes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """
    A ticket's status as its requester's side has it.

    `status` is shown; `workflow_status` and `version` are the newest news from the workflow side, shown or not; `pending`
    and `request_id` name an unanswered request; `requests` counts those made.
    """

    status: str
    workflow_status: str | None = None
    version: int = 0
    pending: str | None = None
    request_id: str | None = None
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A status told by the workflow side. `trace_id` is that of what caused it."""

    status: str
    version: int | None = None
    trace_id: str | None = None


def apply_news(state: TicketState, news: News) -> TicketState:
    """Return the state after the news; the same state when they are old and answer nothing."""
    newer = is_news(news.version, state.version)
    known = _note(state, news) if newer else state
    if state.pending is None:
        return replace(known, status=news.status) if newer else state
    if news.version is not None and news.trace_id != state.request_id:
        return known
    # An answer that later news overtook still ends the request: what they said is what holds.
    return replace(known, status=known.workflow_status or news.status, pending=None, request_id=None)


def request(state: TicketState, kind: str, request_id: str) -> TicketState | None:
    """
    Return the state after the requester asked to withdraw or reopen; None when that holds already.

    Raises:
        RequestRefusedError: the ticket's status does not allow it.
    """
    if state.pending == kind or (kind == WITHDRAW and state.status == WITHDRAWN):
        return None
    if kind == WITHDRAW and state.status in FINAL_STATUSES:
        raise RequestRefusedError(f"a ticket that is {state.status} cannot be withdrawn")
    if kind == REOPEN and state.status not in REOPENABLE_STATUSES:
        raise RequestRefusedError(f"a ticket that is {state.status} cannot be reopened")
    return replace(state, status=SHOWN[kind], pending=kind, request_id=request_id, requests=state.requests + 1)


def overrule(state: TicketState, status: str) -> TicketState:
    """Return the state after an operator set the status by hand: shown until newer news come; no request stays pending."""
    return replace(state, status=status, pending=None, request_id=None)


def _note(state: TicketState, news: News) -> TicketState:
    version = state.version if news.version is None else news.version
    return replace(state, workflow_status=news.status, version=version)

