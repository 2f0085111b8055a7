"""What coordinators see at a glance: is anything going wrong, and whose work lies with people who are not there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from baton.http.api import Call, Operation, Page, PageQuery, View, page
from baton.models.workflow import Member, oversight, sla_reading

#: Counting stops here: the answer "many" must not cost a scan.
MOST_COUNTED = 1_000
#: Clocks that are due within this many seconds are at risk.
AT_RISK_SECONDS = 24 * 3600


class Overview(View):
    """
    How much needs a coordinator's eye now. A count of `counted_to` means: so many or more.

    `at_risk` are clocks that are due within `at_risk_seconds`, `breached` those that still run past their due time, `absent`
    people with open work in a role that they are away from or no longer in.
    """

    as_of: datetime
    counted_to: int
    in_triage: int
    in_triage_since: datetime | None
    waiting: int
    waiting_since: datetime | None
    breached: int
    at_risk: int
    at_risk_seconds: int
    absent: int


class AbsentView(View):
    """Somebody with open items who is away, or (`is_active` false) no longer in the roles of those items."""

    user_id: str
    name: str
    is_active: bool
    open_items: int
    away_from: datetime | None
    away_to: datetime | None
    substitute: str | None
    substitute_name: str | None


def read_overview(call: Call) -> Overview:
    """How much is parked, waits, is late, is about to be, and lies with the absent."""
    now = call.now
    in_triage, in_triage_since = oversight.count_triage(MOST_COUNTED)
    waiting, waiting_since = oversight.count_waiting(MOST_COUNTED)
    return Overview(
        as_of=now,
        counted_to=MOST_COUNTED,
        in_triage=in_triage,
        in_triage_since=in_triage_since,
        waiting=waiting,
        waiting_since=waiting_since,
        breached=oversight.count_due(None, now, MOST_COUNTED),
        at_risk=oversight.count_due(now, sla_reading.after(now, AT_RISK_SECONDS), MOST_COUNTED),
        at_risk_seconds=AT_RISK_SECONDS,
        absent=oversight.count_absent_with_work(now, MOST_COUNTED),
    )


def list_absent(call: Call, query: PageQuery) -> Page[AbsentView]:
    """Who has open work and is not there to do it, by user id."""
    found = oversight.absent_with_work(call.now)
    return page(found, key=Member.user_id, cursor=query.cursor, limit=query.limit, view=_absent)


def _absent(row: dict[str, Any]) -> AbsentView:
    plain = {name: value for name, value in row.items() if name != "active_roles"}
    return AbsentView(**plain, is_active=row["active_roles"] > 0)


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/overview",
        read_overview,
        permission="triage.read",
        returns=Overview,
        summary="Count what needs a coordinator's eye",
    ),
    Operation(
        "GET",
        "/api/v1/handovers",
        list_absent,
        permission="triage.read",
        query=PageQuery,
        returns=Page[AbsentView],
        summary="List people with open work who are away, or no longer in its role",
    ),
)
