"""
A slow clock that is obviously right: walks through time in small steps and asks of each whether it is working time, straight from
the definition. It shares nothing with the code under test but the JSON of a calendar.

Everything in its scenarios lies on whole steps, so that sampling each step's first instant is exact.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_working(calendar: dict[str, Any], instant: datetime) -> bool:
    """Whether the wall clock at an instant stands inside a window and inside no closed range."""
    wall = instant.astimezone(ZoneInfo(calendar["time_zone"]))
    clock = f"{wall:%H:%M}"
    return _in_window(calendar["windows"], wall.date(), clock) and not any(
        _closes(each, wall.date(), clock) for each in calendar.get("closed", [])
    )


def _in_window(windows: Any, day: date, clock: str) -> bool:
    if windows == "always":
        return True
    today, yesterday = WEEKDAYS[day.weekday()], WEEKDAYS[(day.weekday() - 1) % 7]
    for start, end in windows.get(today, []):
        if (start <= clock < end) if start < end else clock >= start:
            return True
    return any(end <= start and clock < end for start, end in windows.get(yesterday, []))


def _closes(closed: dict[str, str], day: date, clock: str) -> bool:
    first, last = (closed["on"], closed["on"]) if "on" in closed else (closed["from"], closed["to"])
    if closed.get("every") == "year":
        today = f"{day:%m-%d}"
        inside = first <= today <= last if first <= last else today >= first or today <= last
    else:
        inside = first <= day.isoformat() <= last
    return inside and closed.get("start", "00:00") <= clock < closed.get("end", "24:00")


class PlainClock:
    """The answers to a scenario of instants and seconds, found by walking in steps of `step` up to `until`."""

    def __init__(self, scenario: dict[str, Any], step: timedelta, until: datetime) -> None:
        self.scenario, self.step, self.until = scenario, step, until
        self.start = _read(scenario["started_at"])
        self.pauses = [(_read(each["from"]), _read(each["to"])) for each in scenario.get("pauses", [])]

    def counts(self, instant: datetime) -> bool:
        """Whether the step that begins at an instant is counted."""
        paused = any(start <= instant and (end is None or instant < end) for start, end in self.pauses)
        return not paused and is_working(self.scenario["calendar"], instant)

    def reached(self, since: datetime, seconds: float) -> datetime | None:
        """The first instant at which that much was counted since an instant; None if it is not by `until`."""
        left, at = timedelta(seconds=seconds), since
        while at < self.until:
            if self.counts(at):
                if left <= timedelta(0):
                    return at
                left -= self.step
                if left <= timedelta(0):
                    return at + self.step + left
            at += self.step
        return None

    def first_outside_pauses(self, since: datetime) -> datetime | None:
        """The first step from an instant on in which nothing is paused; None if there is none by `until`."""
        at = since
        while at < self.until and any(start <= at and (end is None or at < end) for start, end in self.pauses):
            at += self.step
        return at if at < self.until else None

    def consumed(self, end: datetime) -> float:
        """How many seconds were counted from the start to an instant."""
        total, at = 0.0, self.start
        while at < end:
            total += self.step.total_seconds() * self.counts(at)
            at += self.step
        return total

    def expected(self) -> dict[str, Any]:
        """The answer in the shape of a real one."""
        stopped, as_of = _read(self.scenario.get("stopped_at")), _read(self.scenario.get("as_of"))
        moment = stopped or as_of
        target, since = self.scenario["target_seconds"], self.start
        for change in sorted(self.scenario.get("changes", []), key=lambda each: _read(each["at"])):
            if moment is None or _read(change["at"]) <= moment:
                target = change["target_seconds"]
                since = self.start if change["from_start"] else max(self.start, _read(change["at"]))
        due = None if target is None else self.reached(since, target)
        answer: dict[str, Any] = {"due_at": due}
        if moment is not None:
            answer["consumed_seconds"] = self.consumed(moment)
        verdict = self._verdict(target, due, stopped, as_of)
        if verdict:
            answer["verdict"] = verdict
        if self.scenario.get("levels"):
            answer["levels_at"] = [self._level(each, target, since, stopped) for each in self.scenario["levels"]]
        return answer

    def _verdict(
        self, target: float | None, due: datetime | None, stopped: datetime | None, as_of: datetime | None
    ) -> str | None:
        if target is None:
            return "none"
        moment = stopped or as_of
        if moment is None:
            return None
        if due is not None and due < moment:
            return "breached"
        if stopped:
            return "met"
        paused = any(start <= moment and (end is None or moment < end) for start, end in self.pauses)
        return "paused" if paused else "running"

    def _level(self, level: dict[str, float], target: float | None, since: datetime, stopped: datetime | None) -> datetime | None:
        if target is None:
            return None
        if "percent" in level:
            at = self.reached(since, target * level["percent"] / 100)
        elif level["seconds_before"] > target:
            at = self.first_outside_pauses(since)
        else:
            at = self.reached(since, target - level["seconds_before"])
        return None if stopped and at and at >= stopped else at


def _read(text: str | None) -> Any:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
