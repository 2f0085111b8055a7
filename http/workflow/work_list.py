"""My work: what somebody has to do now, the most urgent first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from baton.http.api import Call, Forbidden, Operation, Query, View
from baton.http.types import Name
from baton.models.workflow import work_list
from baton.pipelines.urgency import HELD, LATE, TODAY, Job, earliest, in_order, urgency_of
from baton.pipelines.work import COORDINATORS

#: Open items of one person that are looked at. Whoever has more has another problem than their order.
MOST = 1_000


class WorkQuery(Query):
    """Whose work (one's own, coordinators anybody's), and which of it; `q` is looked for in subject and number."""

    assignee: Name | None = None
    urgency: Literal["late", "soon", "later", "unpromised", "on hold"] | None = None
    state: Name | None = None
    priority: Name | None = None
    category: Name | None = None
    q: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class JobView(View):
    """An open item: `due_at` is the earliest due time of the clocks that run for it (`due_for` says which)."""

    id: int
    version: int
    ticket_number: str
    subject: str
    category: str | None
    department: str | None
    priority: str
    status: str
    workflow: str
    step: str
    role: str
    state: str
    visit: int
    created_at: datetime
    assigned_at: datetime | None
    due_at: datetime | None
    due_for: str | None
    urgency: str


class WorkView(View):
    """Somebody's open items, the most urgent first. The counts are of all of them, `found` of those asked for."""

    items: list[JobView]
    open: int
    late: int
    soon: int
    on_hold: int
    found: int


def read(call: Call, query: WorkQuery) -> WorkView:
    """What the caller, or whom a coordinator asks about, has to do."""
    assignee = query.assignee or call.principal.id
    if assignee != call.principal.id and not (call.principal.kind == "service" or call.principal.has_role(*COORDINATORS)):
        raise Forbidden("only coordinators see others' work as a list")
    rows = {row["id"]: row for row in work_list.open_items(assignee, MOST)}
    clocks = work_list.clocks_of(sorted({row["ticket_number"] for row in rows.values()}))
    dues: dict[int, list[work_list.Due]] = {}
    for row in rows.values():
        dues[row["id"]] = [due for item, due in clocks.get(row["ticket_number"], []) if item in (0, row["id"])]
    jobs = [
        Job(id=id_, state=row["state"], priority=row["priority"], due_at=earliest(due.due_at for due in dues[id_]))
        for id_, row in rows.items()
    ]
    pressing = {job.id: urgency_of(job, call.now) for job in jobs}
    wanted = [job for job in in_order(jobs) if _fits(rows[job.id], pressing[job.id], query)]
    return WorkView(
        items=[
            JobView(**rows[job.id], due_at=job.due_at, due_for=_due_for(job, dues[job.id]), urgency=pressing[job.id])
            for job in wanted[: query.limit]
        ],
        open=len(jobs),
        late=sum(each == LATE for each in pressing.values()),
        soon=sum(each == TODAY for each in pressing.values()),
        on_hold=sum(each == HELD for each in pressing.values()),
        found=len(wanted),
    )


def _due_for(job: Job, dues: list[work_list.Due]) -> str | None:
    return next((due.metric for due in dues if due.due_at == job.due_at and due.due_at is not None), None)


def _fits(row: dict[str, object], urgency: str, query: WorkQuery) -> bool:
    if query.urgency is not None and urgency != query.urgency:
        return False
    if any(getattr(query, name) not in (None, row[name]) for name in ("state", "priority", "category")):
        return False
    words = (query.q or "").casefold().split()
    text = f"{row['subject']} {row['ticket_number']}".casefold()
    return all(word in text for word in words)


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/work",
        read,
        permission="work.read",
        query=WorkQuery,
        returns=WorkView,
        problems=(403,),
        summary="List somebody's open items, the most urgent first",
    ),
)
