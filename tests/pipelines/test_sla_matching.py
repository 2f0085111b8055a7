"""Matching: which policy holds, from when on, whatever is told when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.pipelines.sla_matching import (
    Match,
    NameChange,
    Names,
    Offered,
    choose,
    could_both_match,
    match_again,
    match_changes,
    matches,
    names_at,
    together,
)
from baton.pipelines.sla_policies import Policy
from baton.pipelines.sla_policy_texts import policy_of

START = datetime(2026, 6, 1, 9, tzinfo=UTC)


def policy(name: str = "Test", **changes: Any) -> Policy:
    return policy_of({"name": name, "calendar": "B", "targets": {"resolution": "8h"}, **changes})


def names(**values: str | None) -> Names:
    requester = {"email": "eve@board.example.com"}
    return Names({"workflow": None, "category": None, "department": None, "priority": "Medium", **values}, requester)


def offered(*policies: Policy) -> list[Offered]:
    return [Offered(number, number * 10, 1, each) for number, each in enumerate(policies, start=1)]


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({}, True),
        ({"category": ["Other", "it_support"]}, True),
        ({"category": ["IT"]}, False),
        ({"category": ["IT*"]}, True),
        ({"category": ["*sup*t"]}, True),
        ({"category": ["*sup*x"]}, False),
        ({"workflow": ["*"]}, False),
        ({"requester": {"email": ["*@board.example.com"]}}, True),
        ({"requester": {"level": ["*"]}}, False),
        ({"category": ["IT*"], "priority": ["High"]}, False),
    ],
)
def test_a_policy_matches_when_each_condition_does(match: dict[str, Any], found: bool) -> None:
    assert matches(policy(match=match), names(category="IT Support")) is found


def test_many_stars_take_no_long_time() -> None:
    assert not matches(policy(match={"category": ["*a" * 100 + "b"]}), names(category="a" * 300))


def test_rank_decides_then_conditions_then_the_name() -> None:
    low, high = policy("A", rank=1, match={"priority": ["Medium"], "category": ["*"]}), policy("Z", rank=2)
    narrow, wide = policy("N", match={"priority": ["Medium"]}), policy("B")
    ticket = names(category="IT")
    assert choose(offered(low, high), ticket)[0].policy is high  # type: ignore[union-attr]
    assert choose(offered(wide, narrow), ticket)[0].policy is narrow  # type: ignore[union-attr]
    assert choose(offered(policy("D"), policy("C")), ticket)[1].startswith("'C' (rank 0) matches every ticket; so do 'D'")
    assert choose([], ticket) == (None, "no policy matches workflow none, category IT, department none, priority Medium")


def test_the_names_at_each_change_are_those_of_then() -> None:
    hour = timedelta(hours=1)
    changes = [
        NameChange(START + hour, "priority", "Low", "High"),
        NameChange(START + 2 * hour, "priority", "High", "Medium"),
        NameChange(START + 2 * hour, "category", None, "IT"),
    ]
    points = names_at(START, names(category="IT"), changes)
    assert [(at - START, n.values["priority"], n.values["category"]) for at, n in points] == [
        (0 * hour, "Low", None),
        (hour, "High", None),
        (2 * hour, "Medium", "IT"),
    ]


def test_changes_told_together_are_matched_as_if_told_one_by_one() -> None:
    offers = offered(policy("L", match={"priority": ["Low"]}), policy("H", match={"priority": ["High"]}, change="from_change"))
    points = [(START + timedelta(hours=n), names(priority=each)) for n, each in enumerate(("Low", "High", "High", "Odd", "Low"))]
    together = match_changes(points, [], offers, {})
    apart: list[Match] = []
    for count in range(1, 6):
        apart += match_changes(points[:count], apart, offers, {})
    assert together == apart
    assert [(m.version, m.mode) for m in together] == [
        (10, "start"), (20, "from_change"), (20, "kept"), (None, "from_change"), (10, "from_start"),
    ]  # fmt: skip
    assert match_changes(points, together, offers, {}) == []


def test_of_what_happens_at_one_instant_the_last_word_counts_whenever_it_is_matched() -> None:
    offers = offered(policy("L", match={"priority": ["Low"]}), policy("H", match={"priority": ["High"]}, change="from_change"))
    later = START + timedelta(hours=1)
    for words in (("High", "Low"), ("Low", "High"), ("Odd", "Low"), ("High", "Odd", "High"), ("High", "Odd", "Low", "Odd")):
        for at, first in ((later, [(START, names(priority="Low"))]), (START, [])):
            at_end = [*first, (at, names(priority=words[-1]))]
            apart = match_changes(first, [], offers, {})
            for word in words:
                told = [*first, (at, names(priority=word))]
                apart = together(apart, match_changes(told, apart, offers, {}))
            assert apart == match_changes(at_end, [], offers, {}), words
            # And once something happened afterwards, as well.
            next_word = [*at_end, (later + timedelta(hours=1), names(priority="High"))]
            apart = together(match_changes([*first, (at, names(priority=words[0]))], [], offers, {}), [])
            apart = together(apart, match_changes(next_word, apart, offers, {}))
            assert apart == match_changes(next_word, [], offers, {}), words


def test_a_last_word_of_the_same_policy_keeps_the_version_that_the_first_had_pinned() -> None:
    old, newer = offered(policy()), [Offered(1, 99, 2, policy(targets={"resolution": "1h"}))]
    known = match_changes([(START, names(category="IT"))], [], old, {})
    (again,) = match_changes([(START, names(category="HR"))], known, newer, {10: 1})
    assert (again.number, again.version, again.mode, again.names) == (1, 10, "start", names(category="HR"))


def test_what_was_applied_at_that_instant_stays_and_the_last_word_follows_it() -> None:
    offers = offered(policy("L", match={"priority": ["Low"]}), policy("H", match={"priority": ["High"]}))
    known = match_changes([(START, names(priority="Low"))], [], offers, {})
    newer = [Offered(1, 99, 2, offers[0].policy), offers[1]]
    known += match_again(START, names(priority="Low"), known, newer, "user:1")
    (after,) = match_changes([(START, names(priority="High"))], known, newer, {10: 1})
    assert (after.number, after.version) == (3, 20)


def test_a_change_told_after_a_later_one_leaves_what_holds_now() -> None:
    offers = offered(policy("L", match={"priority": ["Low"]}), policy("H", match={"priority": ["High"]}))
    later = [(START, names(priority="Low")), (START + timedelta(hours=2), names(priority="High"))]
    known = match_changes(later, [], offers, {})
    both = [later[0], (START + timedelta(hours=1), names(priority="Low")), later[1]]
    assert [(m.number, m.version, m.mode) for m in match_changes(both, known, offers, {})] == [(3, 20, "kept")]


def test_the_same_policy_keeps_its_version_until_it_is_applied_again() -> None:
    old = match_changes([(START, names())], [], offered(policy()), {})
    newer = [Offered(1, 99, 2, policy(targets={"resolution": "1h"}))]
    at = START + timedelta(hours=1)
    assert match_changes([(START, names()), (at, names())], old, newer, {10: 1})[0].version == 10
    (applied,) = match_again(at, names(), old, newer, "user:1")
    assert (applied.version, applied.calendar_version, applied.mode, applied.decided_by) == (99, 2, "from_start", "user:1")
    assert match_again(at, names(), [*old, applied], newer, "user:1") == []
    assert match_again(at + timedelta(hours=1), names(), [*old, applied], newer, "user:2") == []


def test_policies_that_may_both_match_are_told_apart_from_those_that_cannot() -> None:
    high, low = policy(match={"priority": ["High"]}), policy(match={"priority": ["Low", "low est"]})
    assert not could_both_match(high, low)
    assert could_both_match(high, policy(match={"category": ["IT"]}))
    assert could_both_match(low, policy(match={"priority": ["LOW"]})) and could_both_match(
        high, policy(match={"priority": ["H*"]})
    )
