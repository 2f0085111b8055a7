"""What each update of a logged history becomes here."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baton.pipelines.replay import (
    Case,
    Deed,
    State,
    expected_moves,
    group_changes,
    impossible,
    marked_places,
    next_deed,
    read_case,
    reopenings,
)
from baton.pipelines.replay_mapping import ReplayMappingError, parse_replay_mapping

FILE = Path(__file__).parents[2] / "scripts" / "mappings" / "servicenow-replay.toml"
MAPPING = parse_replay_mapping(tomllib.loads(FILE.read_text(encoding="utf-8")))


def case(*rows: tuple[str, str, str], priority: str = "3 - Moderate") -> Case:
    """A case whose updates have (state, group, person)."""
    texts = [
        {
            **dict.fromkeys(MAPPING.columns, "0"),
            "number": "INC1", "incident_state": state, "assignment_group": group, "assigned_to": person, "priority": priority,
            "sys_updated_by": "Updated by 7", "sys_updated_at": "5/3/2016 12:00",
        }
        for state, group, person in rows
    ]  # fmt: skip
    return read_case("INC1", texts, MAPPING)


class Desk:
    """A case as Baton would have it, moved by deeds."""

    def __init__(self) -> None:
        self.state = State(status="Assigned", department="A", priority="Medium", item=1, item_state="new", assignee="9")

    def do(self, deed: Deed) -> None:
        changes: dict[str, Any] = {
            "start": {"item_state": "in progress", "status": "In Progress"},
            "hold": {"item_state": "on hold", "status": "On Hold"},
            "resume": {"item_state": "in progress", "status": "In Progress"},
            "complete": {"item_state": "completed", "status": "Resolved"},
            "close": {"status": "Closed"},
            "reopen": {"item_state": "new", "status": "Pending", "assignee": None},
            "reclassify": {"department": deed.arguments.get("department"), "assignee": None, "item_state": "new"},
            "assign": {"assignee": deed.arguments.get("to_user")},
            "transfer": {"assignee": deed.arguments.get("to_user"), "item_state": "transferred"},
            "priority": {"priority": deed.arguments.get("priority")},
            "note": {},
        }[deed.action]
        self.state = replace(self.state, **changes)

    def play(self, played: Case) -> list[list[str]]:
        """Carry every update out; return the actions of each."""
        actions = []
        for before, update in zip((None, *played.updates), played.updates, strict=False):
            done: list[str] = []
            while deed := next_deed(before, update, self.state, f"{update.group}/{update.person}", done):
                assert update.mark in " ".join(deed.arguments.values()), deed
                self.do(deed)
                done.append(deed.action)
                assert len(done) < 9, done
            actions.append(done)
        return actions


def test_each_update_is_reached_by_the_actions_that_the_mapping_names() -> None:
    life = case(
        ("New", "A", "?"),
        ("New", "B", "?"),
        ("Active", "B", "Ada"),
        ("Active", "B", "Ada"),
        ("Awaiting User Info", "B", "Ada"),
        ("Awaiting Vendor", "B", "Ada"),
        ("Active", "B", "Ada"),
        ("Resolved", "B", "Ada"),
        ("Active", "C", "Bob"),
        ("Awaiting Problem", "C", "Bob"),
        ("Resolved", "C", "Bob"),
        ("Closed", "C", "Bob"),
        ("Closed", "C", "Bob"),
    )

    assert Desk().play(life) == [
        ["transfer"],
        ["reclassify", "assign"],
        ["transfer", "start"],
        ["note"],
        ["hold"],
        ["resume", "hold"],
        ["resume"],
        ["complete"],
        ["reopen", "reclassify", "assign", "start"],
        ["hold"],
        ["resume", "complete"],
        ["close"],
        ["note"],
    ]
    assert (group_changes(life), expected_moves(life), reopenings(life)) == (2, 2, 1)


def test_a_case_may_begin_resolved_and_end_without_being_resolved_first() -> None:
    assert Desk().play(case(("Resolved", "A", "Ada"), ("Closed", "A", "Ada"))) == [["transfer", "complete"], ["close"]]
    assert Desk().play(case(("New", "A", "?"), ("Closed", "A", "?"))) == [["transfer"], ["complete", "close"]]


def test_what_is_asked_of_a_finished_case_is_named_and_noted_and_carried_out_when_it_is_reopened() -> None:
    states = ("Resolved", "Closed", "Active", "Closed")
    odd = case(("Resolved", "A", "?"), *((state, "B", "Ada") for state in states))
    reasons = [impossible(before, update) for before, update in itertools.pairwise(odd.updates)]

    assert reasons[0].startswith("group A to B, person nobody to Ada: the incident is Resolved")
    assert reasons[1:] == ["", "", ""]
    assert Desk().play(odd)[1] == ["note"]
    assert Desk().play(odd)[3] == ["reopen", "reclassify", "assign", "start"]
    assert (group_changes(odd), expected_moves(odd)) == (1, 1)


def test_another_priority_is_set() -> None:
    assert Desk().play(case(("New", "A", "?"), priority="1 - Critical")) == [["transfer", "priority"]]


def test_the_marks_of_a_history_name_the_updates_it_accounts_for() -> None:
    texts = ["[INC1 1/3] at ...", "Complete: [INC1 3/3] x", "A, B to C, D: [INC1 2/3]", "[INC2 9/9]", "by hand"]

    assert marked_places("INC1", texts) == {1, 2, 3}


def test_a_mapping_that_is_none_is_refused_with_every_reason() -> None:
    with pytest.raises(ReplayMappingError, match=r"unknown: colour; missing: at; .*state must be a str"):
        parse_replay_mapping({"colour": "red", "state": 7})
