"""Random scenarios: the engine says what a slow walk through time says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from baton.pipelines.sla.calendars import CalendarError, read_calendar
from baton.pipelines.sla.scenarios import ScenarioError, answer, instant_text, read_scenario
from baton.pipelines.sla.timeline import explain
from baton.pipelines.sla.working_time import consumed_ms, due_at, spans_between, to_ms
from tests.pipelines.sla.plain_clock import PlainClock, is_working
from tests.pipelines.sla.strategies import scenarios

UNTIL = timedelta(days=9)
MINUTE = timedelta(minutes=1)
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def within(instant: datetime | None, until: datetime) -> datetime | None:
    """What the walk can have seen: nothing after its end."""
    return None if instant is None or instant > until else instant


@slow
@given(scenarios())
def test_a_scenario_is_answered_as_a_walk_through_time_answers_it(document: dict[str, Any]) -> None:
    try:
        scenario = read_scenario(document)
    except ScenarioError as error:
        assume(error.reason.startswith("leaves no working time"))
        assume(False)
    until = scenario.clock.started_at + UNTIL
    found, expected = answer(scenario), PlainClock(document, MINUTE, until).expected()

    assert within(found.due_at, until) == expected["due_at"]
    assert (None if found.consumed_ms is None else found.consumed_ms / 1000) == expected.get("consumed_seconds")
    assert found.verdict == expected.get("verdict")
    assert [within(at, until) for at in found.levels_at] == expected.get("levels_at", [])


@slow
@given(scenarios())
def test_the_lines_of_an_explanation_add_up_to_its_answer(document: dict[str, Any]) -> None:
    try:
        scenario = read_scenario(document)
    except ScenarioError:
        assume(False)
    found = answer(scenario)
    lines = explain(scenario, found)

    sums = [line.sum for line in lines]
    assert sums == sorted(sums)
    assert [line.start for line in lines] == sorted(line.start for line in lines)
    counted = 0
    for line in lines:
        counted += line.counted
        assert line.sum == counted, line
    if scenario.moment is not None and scenario.moment >= scenario.clock.started_at:
        told = [line.sum for line in lines if line.kind in ("stop", "question")]
        assert told == [found.consumed_ms]


@slow
@given(scenarios(), st.integers(0, 3 * 1440), st.integers(1, 3 * 1440))
def test_spans_are_exactly_the_working_minutes(document: dict[str, Any], begin: int, length: int) -> None:
    try:
        calendar = read_calendar(document["calendar"])
    except CalendarError:
        assume(False)
    start = datetime.fromisoformat(document["started_at"]).astimezone(UTC) + begin * MINUTE
    minutes = [start + number * MINUTE for number in range(length)]

    spans = list(spans_between(calendar, to_ms(start), to_ms(start + length * MINUTE)))
    working = {to_ms(minute) for minute in minutes if is_working(document["calendar"], minute)}

    assert {at for first, last in spans for at in range(first, last, 60_000)} == working
    assert consumed_ms(calendar, start, start + length * MINUTE) == len(working) * 60_000


@slow
@given(scenarios(), st.integers(0, 200_000_000))
def test_what_is_due_has_consumed_its_target_and_not_a_millisecond_earlier(document: dict[str, Any], target_ms: int) -> None:
    try:
        scenario = read_scenario(document)
    except ScenarioError:
        assume(False)
    clock = scenario.clock
    due = due_at(clock.calendar, clock.started_at, target_ms / 1000, clock.pauses)

    if due is None:
        assert any(end is None for _, end in clock.pauses)
        return
    assert consumed_ms(clock.calendar, clock.started_at, due, clock.pauses) == target_ms, instant_text(due)
    if target_ms:
        before = due - timedelta(milliseconds=1)
        assert consumed_ms(clock.calendar, clock.started_at, before, clock.pauses) == target_ms - 1
