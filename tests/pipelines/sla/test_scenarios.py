"""The worked scenarios of the samples, and what a scenario must look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baton.pipelines.sla.scenarios import ScenarioError, answer, read_scenario, write_answer

CASES = json.loads((Path(__file__).parents[2] / "samples" / "sla-cases.json").read_text(encoding="utf-8"))
WEEK = {"time_zone": "Europe/Berlin", "windows": {"mon": [["09:00", "17:00"]]}}
SCENARIO: dict[str, Any] = {"calendar": WEEK, "target_seconds": 3600, "started_at": "2026-06-01T09:00:00+02:00"}


def answered(**changed: Any) -> dict[str, Any]:
    scenario = read_scenario(SCENARIO | changed)
    return write_answer(scenario, answer(scenario))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_worked_scenario_is_answered_as_it_was_worked(case: dict[str, Any]) -> None:
    scenario = read_scenario(case["scenario"])
    document = write_answer(scenario, answer(scenario))
    assert {name: document.get(name) for name in case["expect"]} == case["expect"]
    assert [type(document[name]) for name in case["expect"]] == [type(value) for value in case["expect"].values()]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"target_seconds": -1}, "target_seconds"),
        ({"target_seconds": "60"}, "target_seconds"),
        ({"target_seconds": True}, "target_seconds"),
        ({"target_seconds": float("nan")}, "target_seconds"),
        ({"target_seconds": 1e300}, "target_seconds"),
        ({"started_at": "2026-06-01T09:00:00"}, "started_at"),
        ({"started_at": "2026-06-01"}, "started_at"),
        ({"started_at": "0001-01-01T00:00:00Z"}, "started_at"),
        ({"started_at": None}, "started_at"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"stopped_at": 5}, "stopped_at"),
        ({"as_of": "2126-06-02T09:00:00Z"}, "as_of"),
        ({"stopped_at": "9700-06-02T09:00:00Z"}, "stopped_at"),
        ({"pauses": {}}, "pauses"),
        ({"pauses": ["now"]}, "pauses[0]"),
        ({"pauses": [{"to": None}]}, "pauses[0].from"),
        ({"pauses": [{"from": "2026-06-02T09:00:00Z", "to": "2026-06-01T09:00:00Z"}]}, "pauses[0].to"),
        ({"pauses": [{"from": "2026-06-02T09:00:00Z", "until": None}]}, "pauses[0].until"),
        ({"changes": [{"at": "2026-06-02T09:00:00Z"}]}, "changes[0].target_seconds"),
        ({"changes": [{"at": "2026-06-02T09:00:00Z", "target_seconds": -5}]}, "changes[0].target_seconds"),
        ({"changes": [{"at": "2026-06-02T09:00:00Z", "target_seconds": 5, "from_start": 1}]}, "changes[0].from_start"),
        ({"levels": [{"percent": 5, "seconds_before": 5}]}, "levels[0]"),
        ({"levels": [{"percent": -5}]}, "levels[0].percent"),
        ({"levels": [{"minutes_before": 5}]}, "levels[0].minutes_before"),
        ({"calendar": []}, "calendar"),
        ({"calendar": {"time_zone": "Europe/Berlin", "windows": {}}}, "calendar.windows"),
        ({"calendar": WEEK | {"closed": [{"on": "2026-02-30"}]}}, "calendar.closed[0].on"),
        ({"due": 5}, "due"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(SCENARIO | changed)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["calendar", "target_seconds", "started_at"])
def test_what_a_scenario_cannot_do_without_is_named(name: str) -> None:
    with pytest.raises(ScenarioError, match=f"{name}: is missing"):
        read_scenario({key: value for key, value in SCENARIO.items() if key != name})


def test_what_is_not_known_may_be_null() -> None:
    nothing = dict.fromkeys(("pauses", "changes", "stopped_at", "as_of", "levels"))
    assert answered(**nothing) == {"due_at": "2026-06-01T08:00:00Z"}


def test_milliseconds_are_told_and_what_is_finer_is_cut_off() -> None:
    document = answered(target_seconds=1.5, as_of="2026-06-01T09:00:00.250999+02:00")
    assert document == {"due_at": "2026-06-01T07:00:01.500Z", "consumed_seconds": 0.25, "verdict": "running"}


def test_a_due_time_beyond_three_years_is_not_told_but_the_verdict_is() -> None:
    document = answered(target_seconds=10_000 * 3600, as_of="2070-06-01T09:00:00+02:00")
    assert document["due_at"] is None
    assert document["verdict"] == "breached"


def test_what_comes_after_the_stop_changes_nothing() -> None:
    stop = {"stopped_at": "2026-06-01T11:00:00+02:00"}
    relaxed = {"at": "2026-06-01T12:00:00+02:00", "target_seconds": 36000, "from_start": True}
    assert answered(**stop, changes=[relaxed]) == answered(**stop)
    assert answered(**stop)["verdict"] == "breached"


def test_a_long_target_on_an_ordinary_calendar_has_its_due_time() -> None:
    week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    long = answered(
        calendar={"time_zone": "UTC", "windows": week}, started_at="2026-01-05T09:00:00Z", target_seconds=10_000 * 3600
    )
    # 1,250 working days of eight hours: 250 weeks, less the weekend after the last Friday.
    assert long["due_at"] == "2030-10-18T17:00:00Z"
