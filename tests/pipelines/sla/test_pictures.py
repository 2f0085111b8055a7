"""The picture of an explanation: words that would lie over one another stand together."""

from __future__ import annotations

import re
from typing import Any

from baton.pipelines.sla.pictures import draw
from baton.pipelines.sla.scenarios import answer, read_scenario
from baton.pipelines.sla.timeline import explain

WEEK = {"time_zone": "Europe/Berlin", "windows": {"mon": [["09:00", "17:00"]]}}
SCENARIO: dict[str, Any] = {"calendar": WEEK, "target_seconds": 3 * 3600, "started_at": "2026-06-01T10:00:00+02:00"}


def words(**changed: Any) -> list[str]:
    scenario = read_scenario(SCENARIO | changed)
    svg = draw(explain(scenario, answer(scenario)), scenario.clock.calendar, heading="A clock")
    return [word for word in re.findall(r'<text class="word"[^>]*>([^<]*)</text>', svg) if word]


def test_marks_that_lie_apart_have_their_own_words() -> None:
    assert sorted(words(as_of="2026-06-01T15:00:00+02:00")) == ["due", "question", "start"]


def test_the_words_of_marks_that_lie_close_together_stand_behind_one_another() -> None:
    assert sorted(words(as_of="2026-06-01T10:05:00+02:00")) == ["due", "start, question"]


def test_at_the_right_edge_words_stand_to_the_left_of_their_mark() -> None:
    scenario = read_scenario(SCENARIO | {"started_at": "2026-06-01T23:58:00+02:00"})
    svg = draw(explain(scenario, answer(scenario)), scenario.clock.calendar, heading="A clock")
    assert 'text-anchor="end">start<' in svg
