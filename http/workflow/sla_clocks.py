"""Reading clocks: those of a ticket, why one is due when it is, which are due soonest, and what a new ticket may expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from baton.http.api import Call, NotFound, Page, Reply, page
from baton.http.workflow.designs import PICTURE_POLICY
from baton.http.workflow.sla_views import (
    AtRiskQuery,
    AtRiskView,
    ClockExplanation,
    ClockView,
    EventView,
    ExpectationQuery,
    ExpectationView,
    MatchView,
    NextFireView,
    PauseView,
    TicketSlaView,
)
from baton.http.workflow.tasks import find_visible, viewer
from baton.models.workflow import SlaClock, allocation_store, sla_reading
from baton.models.workflow.sla_reading import ClockRows
from baton.pipelines.allocation import Allocated, match_workflow, read_deployed, write_rule_book
from baton.pipelines.sla.calendars import calendar_from_text
from baton.pipelines.sla.clocks import consumed_at
from baton.pipelines.sla.scenarios import seconds_of
from baton.pipelines.sla.timeline import reading_lines
from baton.pipelines.sla_clocks import BREACHED
from baton.pipelines.sla_expecting import expect
from baton.pipelines.sla_explaining import Told, clock_name, counting, explain_clock, remaining_seconds, shown_due
from baton.pipelines.sla_matching import Names
from baton.pipelines.sla_policy_texts import policy_from_json
from baton.pipelines.sla_rows import book_of

_EVENT_FIELDS = tuple(name for name in EventView.model_fields if name != "told")
_AT_RISK_FIELDS = tuple(name for name in AtRiskView.model_fields if name not in ("is_overdue", "seconds_left"))


def read_ticket(call: Call) -> TicketSlaView:
    """The clocks of a ticket and which policy held when, to whoever sees the ticket."""
    snapshot, _ = find_visible(call, call.params["ticket_number"])
    return sla_of(snapshot.ticket_number, call.now)


def sla_of(number: str, now: datetime) -> TicketSlaView:
    """Return the clocks of a ticket as they stand at `now`, and which policy held when."""
    rows = sla_reading.clocks_of(number)
    matches = sla_reading.matches_of(number)
    policies = rows.policies | sla_reading.policy_versions(_missing(matches, "policy_version", rows.policies))
    calendars = rows.calendars | sla_reading.calendar_versions(_missing(matches, "calendar_version", rows.calendars))
    shown = []
    for row in matches:
        policy, calendar = policies.get(row["policy_version"]), calendars.get(row["calendar_version"])
        shown.append(
            MatchView(
                **{name: row[name] for name in ("number", "at", "mode", "reason", "decided_by")},
                policy=policy.name if policy else None,
                policy_version=policy.number if policy else None,
                calendar=calendar.name if calendar else None,
                calendar_version=calendar.number if calendar else None,
            )
        )
    clocks = [show_clock(rows, row, now) for row in rows.clocks]
    return TicketSlaView(ticket_number=number, as_of=now, clocks=clocks, matches=shown)


def explain(call: Call) -> ClockExplanation:
    """Every window, closure, pause and the running sum of a clock, to whoever sees its ticket."""
    rows, row, told, now = _explained(call)
    return ClockExplanation(
        clock=show_clock(rows, row, now),
        ticket_number=row["ticket_number"],
        as_of=now,
        due_at=told.answer.due_at,
        verdict=told.answer.verdict,
        timeline=told.document()["timeline"],
        text=reading_lines(told.lines, told.scenario.clock.calendar),
        picture=f"/api/v1/sla/clocks/{row['id']}/explanation.svg",
    )


def draw(call: Call) -> Reply:
    """The same as a picture: a row for each day."""
    _, row, told, _ = _explained(call)
    return Reply(told.picture(f"{row['ticket_number']}: {told.name}"), headers=PICTURE_POLICY)


def at_risk(call: Call, query: AtRiskQuery) -> Page[AtRiskView]:
    """Open clocks by due time, the most urgent first, of the tickets that the caller sees."""
    now = call.now
    since = now if query.state == "at_risk" else None
    until = now if query.state == "breached" else sla_reading.after(now, query.within_seconds)
    found = sla_reading.due_clocks(viewer(call), since, until)
    if query.metric is not None:
        found = found.where(SlaClock.metric == query.metric)

    def view(row: dict[str, Any]) -> AtRiskView:
        left = (row["due_at"] - now).total_seconds()
        return AtRiskView(**{name: row[name] for name in _AT_RISK_FIELDS}, is_overdue=left < 0, seconds_left=left)

    return page(found, key=[SlaClock.due_at, SlaClock.id], cursor=query.cursor, limit=query.limit, view=view)


def read_expectation(call: Call, query: ExpectationQuery) -> ExpectationView:
    """By when a ticket filed now may expect an answer and its end."""
    decision = match_workflow(query.category, query.department, write_rule_book(read_deployed(allocation_store.read_deployed())))
    workflow = decision.workflow.name if isinstance(decision, Allocated) else None
    principal = call.principal
    requester = {"id": principal.id, "name": principal.name, "email": principal.email} if principal.kind == "employee" else {}
    values = {"workflow": workflow, "category": query.category, "department": query.department, "priority": query.priority}
    found = expect(book_of(sla_reading.current_book()), Names(values, requester), call.now)
    return ExpectationView(**{name: getattr(found, name) for name in ExpectationView.model_fields})


def show_clock(rows: ClockRows, row: Mapping[str, Any], now: datetime) -> ClockView:
    """Return a clock as it is shown."""
    policy, calendar_version = rows.policies[row["policy_version"]], rows.calendars[row["calendar_version"]]
    calendar = calendar_from_text(calendar_version.definition)
    pauses = [(start, end) for start, end, _ in rows.pauses.get(row["id"], ())]
    counts, moment = counting(row, calendar, pauses), row["stopped_at"] or max(now, row["counted_from"])
    step = rows.steps.get(row["item"])
    plain = ("id", "metric", "cycle", "state", "target_seconds", "started_at", "counted_from", "paused_since", "stopped_at")
    is_late = row["due_at"] is not None and row["due_at"] < now
    return ClockView(
        **{name: row[name] for name in (*plain, "on_attach", "match_reason")},
        name=clock_name(row["metric"], step, row["cycle"]),
        step=step,
        item=row["item"] or None,
        is_overdue=row["state"] == BREACHED or (row["stopped_at"] is None and is_late),
        policy=policy.name,
        policy_version=policy.number,
        calendar=calendar_version.name,
        calendar_version=calendar_version.number,
        due_at=shown_due(counts, row["due_at"]),
        consumed_seconds=seconds_of(consumed_at(counts, moment)),
        remaining_seconds=remaining_seconds(row, calendar, pauses, now),
        next_fire=_next_fire(row),
        pauses=[PauseView(from_at=start, to_at=end, reason=why) for start, end, why in rows.pauses.get(row["id"], ())],
        events=[_event(event) for event in rows.events.get(row["id"], ())],
    )


def _explained(call: Call) -> tuple[ClockRows, dict[str, Any], Told, datetime]:
    clock_id = call.integer("clock_id")
    rows = sla_reading.clock(clock_id)
    if not rows.clocks:
        raise NotFound(f"there is no clock {clock_id}")
    row = rows.clocks[0]
    try:
        find_visible(call, row["ticket_number"])
    except NotFound:
        raise NotFound(f"there is no clock {clock_id}") from None
    return rows, row, told_of(rows, row, call.now), call.now


def told_of(rows: ClockRows, row: Mapping[str, Any], now: datetime) -> Told:
    """Return a clock's explanation."""
    policy = policy_from_json(rows.policies[row["policy_version"]].definition)
    calendar = calendar_from_text(rows.calendars[row["calendar_version"]].definition)
    pauses = [(start, end) for start, end, _ in rows.pauses.get(row["id"], ())]
    return explain_clock(row, rows.steps.get(row["item"]), policy, calendar, pauses, now)


def _missing(matches: list[dict[str, Any]], column: str, known: Mapping[int, Any]) -> set[int]:
    return {row[column] for row in matches} - {None} - set(known)


def _next_fire(row: Mapping[str, Any]) -> NextFireView | None:
    if row["next_fire_at"] is None:
        return None
    return NextFireView(at=row["next_fire_at"], kind=row["next_fire_kind"], level=row["next_level"] or 0)


def _event(row: Mapping[str, Any]) -> EventView:
    told = json.loads(row["detail"]).get("tell", [])
    return EventView(**{name: row[name] for name in _EVENT_FIELDS}, told=told)
