"""
Checking past tickets: what the arithmetic says of a row, beside what its file says.

1. Rows that the mapping does not ask for, and rows without a verdict of their own, are skipped.
2. The clock starts and stops where the row says; its target is the row's due time or follows from one of its columns.
3. The verdict of such a clock is worked out and compared. A clock that ran when the file was written is judged for that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from baton.pipelines.csv_rows import Row
from baton.pipelines.sla.check_mapping import CheckMapping, read_time
from baton.pipelines.sla.clocks import Clock, due, verdict
from baton.pipelines.sla.scenarios import instant_text, seconds_of
from baton.pipelines.sla.working_time import consumed_ms

Outcome = Literal["agrees", "disagrees", "unreadable", "no_verdict", "not_asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a row; `reason` says why it disagrees or could not be read, `told` and `found` are met or breached."""

    row: Row
    outcome: Outcome
    told: str = ""
    found: str = ""
    reason: str = ""


def last_rows(rows: Iterable[Row], column: str | None) -> Iterator[Row]:
    """Yield the last row of each run of rows with the same value in `column`; all of them when it is None."""
    held: Row | None = None
    for row in rows:
        if held is not None and (column is None or row.faults or held.faults or row.values[column] != held.values[column]):
            yield held
        held = row
    if held is not None:
        yield held


def check_row(row: Row, mapping: CheckMapping) -> Checked:
    """Return whether the arithmetic agrees with a row's own verdict."""
    if row.faults:
        return Checked(
            row=row, outcome="unreadable", reason="; ".join(f"{each.field} {each.reason}".strip() for each in row.faults)
        )
    if any(row.values[column] not in values for column, values in mapping.where.items()):
        return Checked(row=row, outcome="not_asked")
    text = row.values[mapping.verdict_from]
    if not _known(text, mapping):
        return Checked(row=row, outcome="no_verdict")
    told = mapping.verdicts.get(text)
    if told is None:
        return Checked(row=row, outcome="unreadable", reason=f"{mapping.verdict_from}: {text!r} is no verdict of the mapping")
    try:
        clock = _clock(row, mapping)
    except ValueError as error:
        return Checked(row=row, outcome="unreadable", told=told, reason=str(error))
    return _compared(row, mapping, told, clock)


def _clock(row: Row, mapping: CheckMapping) -> Clock:
    started = _time(row, mapping.started, mapping)
    if started is None:
        raise ValueError(f"{mapping.started}: not known, so the clock has no start")
    stopped = next(filter(None, (_time(row, column, mapping) for column in mapping.stopped)), None)
    return Clock(calendar=mapping.calendar, started_at=started, target_seconds=_target(row, mapping, started), stopped_at=stopped)


def _target(row: Row, mapping: CheckMapping, started: datetime) -> float | None:
    if mapping.due is not None:
        due_at = _time(row, mapping.due, mapping)
        if due_at is not None and due_at < started:
            raise ValueError(f"{mapping.due}: lies before the start")
        return None if due_at is None else seconds_of(consumed_ms(mapping.calendar, started, due_at))
    return mapping.targets.get(row.values[mapping.target_from or ""])


def _compared(row: Row, mapping: CheckMapping, told: str, clock: Clock) -> Checked:
    moment = clock.stopped_at or mapping.as_of
    if clock.target_seconds is None:
        found, reason = mapping.without_target, "it has no target"
    elif moment is None:
        return Checked(row=row, outcome="unreadable", told=told, reason="it still runs, and the mapping gives no as_of")
    else:
        found = "breached" if verdict(clock, mapping.as_of) == "breached" else "met"
        what = "stopped" if clock.stopped_at else "still ran"
        used = seconds_of(consumed_ms(clock.calendar, clock.started_at, moment))
        reason = f"due {instant_text(due(clock))}, {what} {instant_text(moment)}: {used} of {clock.target_seconds} s consumed"
    if found is None:
        return Checked(row=row, outcome="not_asked", told=told)
    return Checked(row=row, outcome="agrees" if found == told else "disagrees", told=told, found=found, reason=reason)


def _time(row: Row, column: str, mapping: CheckMapping) -> datetime | None:
    text = row.values[column]
    if not _known(text, mapping):
        return None
    try:
        return read_time(text, mapping.date, mapping.zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{column}: {text!r} does not follow {mapping.date!r}") from None


def _known(text: str, mapping: CheckMapping) -> bool:
    return text != "" and text not in mapping.empty
