"""Reading of policies: everything wrong is named at once, and what Baton comes with can be used."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines import sla_policy_texts
from baton.pipelines.sla.clocks import Level
from baton.pipelines.sla_policies import METRICS, Effects
from baton.pipelines.sla_policy_texts import PolicyError, policy_of, read_policy_text, read_seconds, write_seconds
from baton.pipelines.sla_seeds import read_calendar_file, read_policy_file

WORKFLOWS = ("Asset Check In", "Asset Check Out", "Budget Proposal", "General Request", "IT Support")
PRIORITIES = ("Critical", "High", "Medium", "Low")


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "Test", "calendar": "B", "targets": {"resolution": "8h"}, **changes}


def test_the_example_of_the_module_is_read_as_it_says() -> None:
    example = str(sla_policy_texts.__doc__)
    text = "\n".join(line[4:] for line in example.splitlines() if line.startswith("    "))
    policy = policy_of(read_policy_text(text))
    assert (policy.rank, policy.calendar, policy.match["priority"]) == (100, "Office hours", ("High",))
    assert policy.targets == {"first_response": 3600, "next_response": 7200, "resolution": 28800}
    assert policy.warnings[0].level == Level(percent=75)
    assert policy.escalations[0].level == Level(seconds_before=-7200)
    assert policy.escalations[0].effects == Effects(("role:Admin",), raise_priority=True, escalate=True, transfer_to="17")


def test_what_is_left_out_has_sensible_values() -> None:
    policy = policy_of(document(warnings=[{"before": "1h"}]))
    assert (policy.reopening, policy.change, policy.resolved_without_reply) == ("continue", "from_start", "counts")
    assert (policy.pause_on_hold, policy.pause_waiting, policy.step_share) == (True, False, True)
    assert policy.warnings[0].metrics == METRICS and policy.warnings[0].effects.tell == ("assignee", "owner")
    assert policy.breach.tell == ("assignee", "manager")


def test_a_step_has_its_own_target_or_its_share() -> None:
    policy = policy_of(document(steps={"targets": {"Triage": "30m"}}))
    assert [policy.step_seconds("Triage", 0.2), policy.step_seconds("Resolve", 0.6)] == [1800, 17280]
    assert policy.step_seconds("Finalize", None) is None
    assert policy_of(document(steps={"share": False})).step_seconds("Resolve", 0.6) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "name must not be blank"),
        ({"calendar": None}, "calendar is missing"),
        ({"targets": {}}, "targets must promise something"),
        ({"targets": {"resolution": "-1h"}}, "targets.resolution must be a duration"),
        ({"targets": {"resolution": 3600}}, "targets.resolution must be a text"),
        ({"targets": {"resolution": "99999h"}}, "targets.resolution must be a duration of at most five years"),
        ({"targets": {"resolve": "1h"}}, "targets.resolve is not known"),
        ({"rank": 1.5}, "rank must be a whole number"),
        ({"match": {"category": "IT"}}, "match.category must be a list"),
        ({"match": {"category": [7]}}, "match.category must be texts"),
        ({"match": {"colour": ["red"]}}, "match.colour is not known"),
        ({"match": {"requester": {"email": "eve"}}}, "match.requester.email must be a list"),
        ({"steps": {"share": "yes"}}, "steps.share must be true or false"),
        ({"steps": {"targets": {"Triage": "soon"}}}, "steps.targets.Triage must be a duration"),
        ({"reopening": "maybe"}, "reopening must be one of continue, new_cycle"),
        ({"warnings": [{}]}, "warnings.1 needs either percent or before"),
        ({"warnings": [{"percent": 50, "before": "1h"}]}, "warnings.1 needs either percent or before"),
        ({"warnings": [{"percent": 100}]}, "warnings.1.percent must lie between 0 and 100"),
        ({"warnings": [{"percent": 5, "metrics": ["speed"]}]}, "warnings.1.metrics must be of"),
        ({"warnings": [{"percent": 5, "tell": ["everybody"]}]}, "warnings.1.tell must be of"),
        ({"escalations": [{"after": "later"}]}, "escalations.1.after must be a duration"),
        ({"breach": {"shout": True}}, "breach.shout is not known"),
        ({"pauses": "never"}, "pauses must be a table"),
        ({"colour": "red"}, "colour is not known"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(document(**changes))
    assert said in str(refused.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of({"rank": "first", "warnings": [{"percent": 200}], "change": "never"})
    assert len(refused.value.errors) >= 5


@pytest.mark.parametrize("text", ["", "h", "1", "1d", "1h 30m", "30m1h", "１h"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_seconds(text) is None


@given(st.integers(0, 5 * 366 * 24 * 3600))
def test_a_duration_that_is_written_is_read_again(seconds: int) -> None:
    assert read_seconds(write_seconds(seconds)) == seconds


def test_there_is_a_policy_for_every_priority_of_each_workflow() -> None:
    folder = resources.files("baton.pipelines").joinpath("policies")
    found = {name: policy_of(text) for entry in folder.iterdir() for name, text in read_policy_file(entry.read_text()).items()}
    assert set(found) == {f"{workflow}, {priority}" for workflow in WORKFLOWS for priority in PRIORITIES}
    for name, policy in found.items():
        workflow, priority = name.split(", ")
        assert policy.match == {"workflow": (workflow,), "priority": (priority,)} and policy.calendar == "Office hours"
        assert policy.targets["first_response"] < policy.targets["resolution"], name
    by_priority = [[found[f"{w}, {p}"].targets["resolution"] for p in PRIORITIES] for w in WORKFLOWS]
    assert all(row == sorted(row) and len(set(row)) == 4 for row in by_priority), "the more urgent, the sooner"


def test_the_seeded_calendar_is_in_the_zone_of_the_installation() -> None:
    text = resources.files("baton.pipelines").joinpath("calendars", "office_hours.toml").read_text()
    name, calendar = read_calendar_file(text, "Europe/Berlin")
    assert (name, calendar["time_zone"]) == ("Office hours", "Europe/Berlin")
    assert re.fullmatch("mon,tue,wed,thu,fri", ",".join(calendar["windows"]))
