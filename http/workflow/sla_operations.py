"""The operations on service levels: clocks explained, calendars, policies, changes that are tried out, applied and undone."""

from __future__ import annotations

from baton.http.api import Operation, Page, Rate
from baton.http.workflow import reports, sla_changes, sla_clocks, sla_holidays, sla_levels
from baton.http.workflow import sla_change_views as changing
from baton.http.workflow import sla_definition_views as definitions
from baton.http.workflow import sla_views as views
from baton.http.workflow.designs import SVG

_SLA = "/api/v1/sla"
_CLOCK = f"{_SLA}/clocks/{{clock_id}}"
_CALENDARS, _POLICIES = f"{_SLA}/calendars", f"{_SLA}/policies"
_CALENDAR, _POLICY = f"{_CALENDARS}/{{calendar_id}}", f"{_POLICIES}/{{policy_id}}"

CLOCKS = (
    Operation(
        "GET", "/api/v1/tickets/{ticket_number}/sla", sla_clocks.read_ticket, "work.read", returns=views.TicketSlaView,
        problems=(404,), summary="Read a ticket's clocks, and which policy held when",
    ),
    Operation(
        "GET", f"{_CLOCK}/explanation", sla_clocks.explain, "work.read", returns=views.ClockExplanation, problems=(404,),
        summary="Read how a clock's due time comes about",
    ),
    Operation(
        "GET", f"{_CLOCK}/explanation.svg", sla_clocks.draw, "work.read", media_type=SVG, problems=(404,),
        summary="See how a clock's due time comes about",
    ),
    Operation(
        "GET", f"{_SLA}/at-risk", sla_clocks.at_risk, "work.read", query=views.AtRiskQuery, returns=Page[views.AtRiskView],
        summary="List the running clocks that are due soonest, or late",
    ),
    Operation(
        "GET", f"{_SLA}/expectation", sla_clocks.read_expectation, "sla.expect", query=views.ExpectationQuery,
        returns=views.ExpectationView, summary="Ask by when a ticket filed now would be answered and resolved",
    ),
)  # fmt: skip

CALENDARS = (
    Operation(
        "GET", _CALENDARS, sla_levels.list_calendars, "sla.read", query=definitions.LevelQuery,
        returns=Page[definitions.LevelSummary], summary="List calendars",
    ),
    Operation(
        "POST", _CALENDARS, sla_levels.create_calendar, "sla.write", body=definitions.NewCalendar,
        returns=definitions.LevelDetail, status=201, problems=(409,), summary="Make a calendar",
    ),
    Operation(
        "POST", f"{_CALENDARS}/validate", sla_levels.check_calendar, "sla.read", body=definitions.ChangedCalendar,
        transaction="read", returns=definitions.JudgedView, summary="Say what is wrong with a calendar that is not stored",
    ),
    Operation(
        "GET", _CALENDAR, sla_levels.read_calendar, "sla.read", returns=definitions.LevelDetail, problems=(404,),
        summary="Read a calendar with its versions",
    ),
    Operation(
        "PUT", _CALENDAR, sla_levels.change_calendar, "sla.write", body=definitions.ChangedCalendar,
        returns=definitions.LevelDetail, problems=(404, 412), summary="Store a calendar's next version, under its ETag",
    ),
    Operation(
        "POST", f"{_CALENDAR}/retire", sla_levels.retire_calendar, "sla.write", returns=definitions.LevelDetail,
        problems=(404, 409), summary="Offer a calendar to no policy any more",
    ),
    Operation(
        "POST", f"{_CALENDAR}/holidays", sla_holidays.add_holidays, "sla.write", body=definitions.HolidayBody,
        returns=definitions.HolidayView, problems=(404, 409, 412), rate=Rate(20, 60),
        summary="Close a calendar on a country's holidays, or on the days of an iCalendar text",
    ),
    Operation(
        "GET", f"{_SLA}/countries", sla_holidays.list_countries, "sla.read", transaction="none",
        returns=definitions.CountryList, summary="List the countries whose public holidays are known",
    ),
)  # fmt: skip

POLICIES = (
    Operation(
        "GET", _POLICIES, sla_levels.list_policies, "sla.read", query=definitions.LevelQuery,
        returns=Page[definitions.PolicySummary], summary="List policies",
    ),
    Operation(
        "POST", _POLICIES, sla_levels.create_policy, "sla.write", body=definitions.PolicyBody,
        returns=definitions.LevelDetail, status=201, problems=(409,), summary="Make a policy",
    ),
    Operation(
        "POST", f"{_POLICIES}/validate", sla_levels.check_policy, "sla.read", body=definitions.PolicyBody,
        transaction="read", returns=definitions.JudgedView,
        summary="Say what is wrong with a policy that is not stored, and which others may match the same tickets",
    ),
    Operation(
        "PUT", f"{_POLICIES}/order", sla_levels.order_policies, "sla.write", body=definitions.PolicyOrder,
        returns=Page[definitions.PolicySummary], summary="Put the policies into the order in which they hold",
    ),
    Operation(
        "GET", _POLICY, sla_levels.read_policy, "sla.read", returns=definitions.LevelDetail, problems=(404,),
        summary="Read a policy with its versions",
    ),
    Operation(
        "PUT", _POLICY, sla_levels.change_policy, "sla.write", body=definitions.PolicyBody,
        returns=definitions.LevelDetail, problems=(404, 412), summary="Store a policy's next version, under its ETag",
    ),
    Operation(
        "POST", f"{_POLICY}/retire", sla_levels.retire_policy, "sla.write", returns=definitions.LevelDetail,
        problems=(404,), summary="Give a policy to no new ticket",
    ),
)  # fmt: skip

_CHANGES = f"{_SLA}/changes"
_CHANGE = f"{_CHANGES}/{{change_id}}"

CHANGES = (
    Operation(
        "POST", f"{_SLA}/preview", sla_changes.preview, "sla.write", body=changing.PreviewBody, transaction="read",
        returns=changing.PreviewView, summary="Say what changed policies or calendars would do to running clocks",
    ),
    Operation(
        "GET", _CHANGES, sla_changes.list_changes, "sla.read", query=changing.ChangeQuery, returns=Page[changing.ChangeView],
        summary="List changes of policies and calendars",
    ),
    Operation(
        "POST", _CHANGES, sla_changes.change, "sla.write", body=changing.ChangeBody, returns=changing.ChangeView, status=202,
        problems=(409,), summary="Change policies and calendars, for running tickets too",
    ),
    Operation(
        "GET", _CHANGE, sla_changes.read_change, "sla.read", returns=changing.ChangeView, problems=(404,),
        summary="Read a change and how far it has come",
    ),
    Operation(
        "POST", f"{_CHANGE}/undo", sla_changes.undo, "sla.write", returns=changing.ChangeView, status=202, problems=(404, 409),
        summary="Take a change back",
    ),
    Operation(
        "POST", f"{_CHANGE}/resume", sla_changes.resume, "sla.write", returns=changing.ChangeView, status=202,
        problems=(404, 409), summary="Go on with a change whose message was given up",
    ),
)  # fmt: skip

OPERATIONS = (*CLOCKS, *CALENDARS, *POLICIES, *CHANGES, *reports.OPERATIONS)
