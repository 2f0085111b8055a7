"""What the workflow front takes and shows of calendars and policies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from baton.http.types import Body, Name, PageQuery, Text, View
from baton.http.workflow.definition_views import FaultView
from baton.pipelines.sla.holidays import LONGEST_YEARS

Years = Annotated[list[Annotated[int, Field(ge=1950, le=2100)]], Field(min_length=1, max_length=LONGEST_YEARS)]
#: A JSON document; what it may hold is judged by the rules, which name everything that is wrong at once.
Document = Annotated[dict[str, Any], Field(max_length=100)]


class NewCalendar(Body):
    """A calendar: `definition` has time_zone, windows and closed."""

    name: Name
    definition: Document


class ChangedCalendar(Body):
    """A calendar's next version."""

    definition: Document


class PolicyBody(Body):
    """A policy as its author writes it, as JSON or as TOML."""

    definition: Document | None = None
    toml: Text | None = None


class PolicyOrder(Body):
    """The names of all policies in force, the one that holds first before all others."""

    names: Annotated[list[Name], Field(min_length=1, max_length=1_000)]


class HolidayBody(Body):
    """
    Where closed days come from: a country (and a state or region of it), or an iCalendar text; and of which years.

    `save` stores the calendar with them as its next version; otherwise it is only shown.
    """

    country: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}$")] | None = None
    subdivision: Name | None = None
    language: Name | None = None
    ics: Text | None = None
    years: Years
    save: bool = False


class LevelQuery(PageQuery):
    """Which calendars or policies: those in force, those retired, or both."""

    state: Literal["in_force", "retired", "all"] = "all"


class LevelSummary(View):
    """A calendar or policy; `version` is the number of the version in force, null when it is retired."""

    id: int
    name: str
    version: int | None
    created_at: datetime


class PolicySummary(LevelSummary):
    """A policy, with what orders it."""

    rank: int | None
    calendar: str | None


class LevelVersion(View):
    """A version of a calendar or policy; it never changes."""

    number: int
    created_by: str
    created_at: datetime
    definition: dict[str, Any]


class LevelDetail(LevelSummary):
    """
    A calendar or policy with its newest hundred versions, newest first. `faults` is what its author should know of it.

    `used_by` names the policies in force that count in a calendar. Its ETag is the number of the newest version.
    """

    definition: dict[str, Any] | None
    versions: list[LevelVersion]
    faults: list[FaultView]
    used_by: list[str]
    toml: str | None


class HolidayView(View):
    """A calendar's definition with closed days added: `added` were not in it. `calendar` is there if it was stored."""

    definition: dict[str, Any]
    added: list[dict[str, Any]]
    calendar: LevelDetail | None


class JudgedView(View):
    """What is to be said about a calendar or policy that is not stored."""

    is_usable: bool
    faults: list[FaultView]


class CountryView(View):
    """A country whose public holidays are known, with its states or regions."""

    country: str
    subdivisions: list[str]


class CountryList(View):
    """All such countries."""

    items: list[CountryView]
