"""What the workflow front shows of clocks, and what may be asked about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from baton.http.types import Name, PageQuery, Query, View


class EventView(View):
    """
    What a clock fired: `kind` is warning, projected, breach or escalation, `level` the number of the warning or escalation.

    `late`: it fired noticeably after it was due. `retracted_at`: it no longer holds, `note` says why. `told` names those who were
    to be told, in the policy's words.
    """

    id: int
    kind: str
    level: int
    due_at: datetime
    fired_at: datetime
    late: bool
    on_attach: bool
    verdict: str
    note: str
    retracted_at: datetime | None
    told: list[str]


class PauseView(View):
    """From when to when a clock stood still, and why; `to_at` null: it still does."""

    from_at: datetime
    to_at: datetime | None
    reason: str


class NextFireView(View):
    """What a clock fires next."""

    at: datetime
    kind: str
    level: int


class ClockView(View):
    """
    A clock. `state` is running, paused, met, breached or cancelled; `is_overdue` says whether an open one is past due.

    `consumed_seconds` and `remaining_seconds` are working time, the latter negative once it is late. `due_at` is null while a
    pause holds it, and where it would be too far away to be meant.
    """

    id: int
    metric: str
    name: str
    step: str | None
    item: int | None
    cycle: int
    state: str
    is_overdue: bool
    policy: str
    policy_version: int
    calendar: str
    calendar_version: int
    target_seconds: int
    started_at: datetime
    counted_from: datetime
    due_at: datetime | None
    consumed_seconds: float
    remaining_seconds: float | None
    paused_since: datetime | None
    stopped_at: datetime | None
    on_attach: bool
    match_reason: str
    next_fire: NextFireView | None
    pauses: list[PauseView]
    events: list[EventView]


class MatchView(View):
    """Which policy holds from `at` on and why; `policy` null: none. `decided_by` is system, a person, or `change:ID`."""

    number: int
    at: datetime
    policy: str | None
    policy_version: int | None
    calendar: str | None
    calendar_version: int | None
    mode: str
    reason: str
    decided_by: str


class TicketSlaView(View):
    """Everything that is promised about a ticket, as of a moment."""

    ticket_number: str
    as_of: datetime
    clocks: list[ClockView]
    matches: list[MatchView]


class ClockExplanation(View):
    """How a clock's due time and verdict come about, line by line; `text` has the same lines for reading."""

    clock: ClockView
    ticket_number: str
    as_of: datetime
    due_at: datetime | None
    verdict: str | None
    timeline: list[dict[str, Any]]
    text: list[str]
    picture: str


class ExpectationQuery(Query):
    """A ticket that might be filed."""

    category: Name | None = None
    department: Name | None = None
    priority: Name = "Medium"


class ExpectationView(View):
    """What such a ticket may expect if it is filed now; everything null where nothing is promised."""

    open_now: bool
    first_response_due: datetime | None
    resolution_due: datetime | None
    policy: str | None
    calendar: str | None
    reason: str


class AtRiskQuery(PageQuery):
    """
    Which running clocks: `at_risk` are due within so many seconds and not late yet, `breached` are late, `all` are both.

    Clocks that stand still are not listed.
    """

    within_seconds: Annotated[int, Field(ge=0, le=366 * 86400)] = 86400
    state: Literal["at_risk", "breached", "all"] = "all"
    metric: Literal["first_response", "next_response", "resolution", "step"] | None = None


class AtRiskView(View):
    """A running clock that is due, with its ticket as it is now; `step` and `assignee` are of the item that is worked on."""

    id: int
    ticket_number: str
    subject: str
    status: str
    priority: str
    category: str | None
    department: str | None
    owner: str | None
    owner_name: str | None
    assignee: str | None
    assignee_name: str | None
    step: str | None
    metric: str
    due_at: datetime
    is_overdue: bool
    seconds_left: float
    target_seconds: int
    next_fire_at: datetime | None
    next_fire_kind: str | None
