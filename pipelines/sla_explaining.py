"""
A live clock explained: the scenario that its row stands for, and the answer with every line of the reckoning.

It is what `baton sla explain` says of a scenario in a file, by the same code: a clock that is looked at, a file that is judged
and a clock that fires cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from baton.pipelines.sla.calendars import Calendar
from baton.pipelines.sla.clocks import Clock, remaining_ms
from baton.pipelines.sla.pictures import draw
from baton.pipelines.sla.scenarios import Answer, Scenario, answer, horizon_of, seconds_of, write_answer
from baton.pipelines.sla.timeline import Line, explain, write_timeline
from baton.pipelines.sla.working_time import Pause, worked
from baton.pipelines.sla_clocks import CANCELLED
from baton.pipelines.sla_policies import STEP, Policy


@dataclass(frozen=True, slots=True)
class Told:
    """A clock with its explanation; `name` is what it is about, such as `resolution`."""

    name: str
    scenario: Scenario
    answer: Answer
    lines: list[Line]

    def document(self) -> dict[str, Any]:
        """Return the answer as JSON: due_at, consumed_seconds, verdict, levels_at, timeline."""
        timeline = write_timeline(self.lines, self.scenario.clock.calendar)
        return write_answer(self.scenario, self.answer) | {"timeline": timeline}

    def picture(self, heading: str) -> str:
        """Return the timeline as an SVG document."""
        return draw(self.lines, self.scenario.clock.calendar, heading=heading)


def explain_clock(
    row: Mapping[str, Any], step: str | None, policy: Policy, calendar: Calendar, pauses: Sequence[Pause], as_of: datetime
) -> Told:
    """Return a clock's explanation as of a moment; `row` has the columns of its row, `step` is its step's name."""
    counts = counting(row, calendar, pauses)
    metric = row["metric"]
    levels = tuple(rung.level for rung in (*policy.warnings, *policy.escalations) if metric in rung.metrics)
    scenario = Scenario(clock=counts, as_of=max(as_of, counts.started_at), levels=levels)
    found = answer(scenario)
    if row["state"] == CANCELLED:
        # It was called off before anybody could keep or break the promise.
        found = replace(found, verdict=CANCELLED)
    return Told(clock_name(metric, step, row["cycle"]), scenario, found, explain(scenario, found))


def counting(row: Mapping[str, Any], calendar: Calendar, pauses: Sequence[Pause]) -> Clock:
    """Return a stored clock as it counts."""
    return Clock(
        calendar=calendar,
        started_at=row["counted_from"],
        target_seconds=row["target_seconds"],
        pauses=pauses,
        stopped_at=row["stopped_at"],
    )


def clock_name(metric: str, step: str | None, cycle: int) -> str:
    """Return what a clock is about, in words."""
    words = f"step {step}" if metric == STEP and step else metric.replace("_", " ")
    return f"{words}, cycle {cycle}" if cycle > 1 else words


def shown_due(counts: Clock, due_at: datetime | None) -> datetime | None:
    """Return a clock's due time as answers tell it: none that is too far away to be meant."""
    return None if due_at is None or due_at - counts.started_at > horizon_of(counts) else due_at


def remaining_seconds(row: Mapping[str, Any], calendar: Calendar, pauses: Sequence[Pause], now: datetime) -> int | float | None:
    """Return the working time left until the target is consumed, negative once it is late; of an ended clock as it ended."""
    moment = row["stopped_at"] or max(now, row["counted_from"])
    left = remaining_ms(counting(row, calendar, pauses), moment)
    return None if left is None else seconds_of(left)


def is_open(calendar: Calendar, now_ms: int) -> bool:
    """Return whether an instant (milliseconds since 1970) is working time."""
    return worked(calendar, now_ms, now_ms + 1) == 1
