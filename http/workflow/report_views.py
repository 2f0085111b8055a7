"""What the workflow front takes and shows of reports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from baton.http.ticket_fields import Day
from baton.http.types import Name, Query, View

Clock = Literal["first_response", "next_response", "resolution", "step"]


class RangeQuery(Query):
    """
    From which day to which, both included, by the calendar of BATON_TIME_ZONE; the last thirty days by default, a year at most.
    """

    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")


class SlaQuery(RangeQuery):
    """What to count by; `clock` counts those of one kind only."""

    group: Literal["policy", "category", "step", "week"] = "policy"
    clock: Clock | None = None


class SlaTable(SlaQuery):
    """The report as JSON or as CSV."""

    format: Literal["json", "csv"] = "json"


class SlaPicture(SlaQuery):
    """What to draw: how many were met and breached, or which part was in time."""

    metric: Literal["verdicts", "in_time"] = "verdicts"


class FairnessQuery(RangeQuery):
    """Of which role (as auth names it); of all by default."""

    role: Name | None = None


class FairnessTable(FairnessQuery):
    """The report as JSON or as CSV."""

    format: Literal["json", "csv"] = "json"


class FairnessPicture(FairnessQuery):
    """What to draw of each person."""

    metric: Literal["turns", "eligible", "late", "open"] = "turns"


class FlowTable(RangeQuery):
    """The report as JSON or as CSV; `table` says which of the two tables a CSV holds."""

    format: Literal["json", "csv"] = "json"
    table: Literal["days", "steps"] = "days"


class FlowPicture(RangeQuery):
    """What to draw: what came and went each day, what was left at its end, or how long steps took."""

    metric: Literal["tickets", "backlog", "steps"] = "tickets"


class ReportView(View):
    """Of which days a report is: the first and the last, both included."""

    first: str
    last: str
    time_zone: str


class SlaRow(View):
    """
    A group: the clocks that ended in the range, met or breached or cancelled; `late_open` fell due in it and still run.

    `in_time_percent` is the part that was met of those met, breached or late; null where there are none.
    """

    name: str
    met: int
    breached: int
    cancelled: int
    late_open: int
    in_time_percent: float | None


class SlaReport(ReportView):
    """Promises kept and broken, by group; `total` is of all groups."""

    group: str
    clock: str | None
    rows: list[SlaRow]
    total: SlaRow


class PersonDay(View):
    """
    A person's day in a role: `turns` taken, work `given_back` to them without a turn, how often they stood in line and nothing
    spoke against them (`eligible`) or something did (`passed_over`), and steps that ended `late`.
    """

    day: str
    role: str
    role_id: str
    user_id: str
    name: str
    turns: int
    given_back: int
    eligible: int
    passed_over: int
    late: int


class Person(View):
    """A person in a role over the range; `open_now` and `late_now` are as of now, `active` whether they are in the role."""

    role: str
    role_id: str
    user_id: str
    name: str
    active: bool
    turns: int
    given_back: int
    eligible: int
    passed_over: int
    late: int
    open_now: int
    late_now: int
    capacity: int | None


class RoleSpread(View):
    """How evenly turns went: the least and the most that an active member of a role took in the range."""

    role: str
    role_id: str
    fewest: int
    most: int


class FairnessReport(ReportView):
    """Who got how much, by person and by day; days on which nothing happened to a person are left out."""

    roles: list[RoleSpread]
    people: list[Person]
    days: list[PersonDay]


class FlowDay(View):
    """A day: tickets that got a workflow, that were finished (and still are), and that were open at its end."""

    day: str
    arrived: int
    finished: int
    backlog: int


class StepTime(View):
    """How long a step of tickets finished in the range took, in seconds by the clock on the wall, pauses included."""

    workflow: str
    step: str
    items: int
    mean_seconds: float
    median_seconds: float
    p90_seconds: float
    longest_seconds: float


class FlowReport(ReportView):
    """What came, what went, what is left, and how long steps took."""

    open_now: int
    days: list[FlowDay]
    steps: list[StepTime]
