"""
What is wrong with a policy or a calendar before it is stored, everything at once, and what its author should know besides.

1. An error keeps it from being stored: a field that is wrong, a calendar that is not there or has no working time.
2. A warning keeps nothing back: another policy with the same rank may match the same ticket (then the one with more conditions
   holds, and at last the first by name); a name that no workflow, step or role bears.
3. A note says which other policies may match the same ticket, and which of the two holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baton.pipelines.allocation import normalise
from baton.pipelines.sla.calendar_fields import CalendarError, read_closed, read_windows, read_zone
from baton.pipelines.sla.calendars import read_calendar
from baton.pipelines.sla_matching import could_both_match
from baton.pipelines.sla_policies import Policy
from baton.pipelines.sla_policy_texts import PolicyError, policy_of
from baton.pipelines.validation import ERROR, WARNING, Fault

NOTE = "note"
#: Overlaps that are named, of each kind.
MOST_OVERLAPS = 20
#: Closed ranges of one calendar: each day that is worked out looks at them all.
MOST_CLOSED = 3_000
_CALENDAR_FIELDS = ("time_zone", "windows", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySurroundings:
    """What a policy will stand among: the policies in force, and the names there are; None: not known here, and not judged."""

    policies: Sequence[Policy] = ()
    calendars: frozenset[str] = frozenset()
    workflows: frozenset[str] | None = None
    steps: frozenset[str] | None = None
    roles: frozenset[str] | None = field(default=None)


def judge_policy(document: Any, around: PolicySurroundings) -> list[Fault]:
    """Return everything to be said about a policy's document, errors first."""
    try:
        policy = policy_of(document)
    except PolicyError as error:
        return [_fault("policy-unusable", ERROR, "", each, "correct it") for each in error.errors]
    faults = []
    if policy.calendar not in around.calendars:
        message = f"there is no calendar {policy.calendar!r} in force"
        faults.append(_fault("calendar-unknown", ERROR, "calendar", message, "make the calendar first, or name another"))
    return [*faults, *_unknown_names(policy, around), *_overlaps(policy, around.policies)]


def judge_calendar(document: Any) -> list[Fault]:
    """Return everything that is wrong with a calendar's document."""
    if not isinstance(document, Mapping):
        return [_calendar_fault(CalendarError("calendar", "must be an object with time_zone, windows and, if need be, closed"))]
    found = [CalendarError(str(name), "is no field of a calendar") for name in document if name not in _CALENDAR_FIELDS]
    found += _tried(lambda: read_zone(document.get("time_zone")))
    windows, closed = document.get("windows"), document.get("closed")
    if isinstance(windows, Mapping):
        found += [error for name, value in windows.items() for error in _tried(read_windows, {str(name): value})]
    else:
        found += _tried(read_windows, windows)
    if isinstance(closed, Sequence) and len(closed) > MOST_CLOSED:
        found.append(CalendarError("closed", f"must have at most {MOST_CLOSED} ranges"))
    elif isinstance(closed, Sequence) and not isinstance(closed, str):
        for number, each in enumerate(closed):
            wrong = _tried(read_closed, [each])
            found += [CalendarError(error.field.replace("closed[0]", f"closed[{number}]", 1), error.reason) for error in wrong]
    else:
        found += _tried(read_closed, closed)
    found = found or _tried(read_calendar, document)
    return [_calendar_fault(error) for error in found]


def with_closed(document: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a calendar's document with these closed ranges too, and which of them are new: a range it has already is left."""
    closed = [dict(each) for each in document.get("closed") or ()]
    known = {_range(each) for each in closed}
    added = [dict(each) for each in entries if _range(each) not in known]
    return {**document, "closed": [*closed, *added]}, added


def ranked(policies: Sequence[Policy]) -> dict[str, int]:
    """Return the ranks, by name, that put policies into this order, the first highest; with room between them."""
    return {policy.name: 10 * (len(policies) - place) for place, policy in enumerate(policies)}


def errors_of(faults: Iterable[Fault], field_name: str) -> list[dict[str, str]]:
    """Return the errors among faults as an answer's field errors, below a field."""
    return [
        {"field": ".".join(part for part in (field_name, fault.where) if part), "message": fault.message, "type": fault.code}
        for fault in faults
        if fault.severity == ERROR
    ]


def _unknown_names(policy: Policy, around: PolicySurroundings) -> Iterator[Fault]:
    effects = [policy.breach, *(rung.effects for rung in (*policy.warnings, *policy.escalations))]
    told = [each.removeprefix("role:") for effect in effects for each in effect.tell if each.startswith("role:")]
    workflows = [each for each in policy.match.get("workflow", ()) if "*" not in each]
    for what, where, names, known in (
        ("workflow", "match.workflow", workflows, around.workflows),
        ("step", "steps.targets", list(policy.step_targets), around.steps),
        ("role", "tell", told, around.roles),
    ):
        plain = None if known is None else {normalise(name) for name in known}
        for name in dict.fromkeys(names):
            if plain is not None and normalise(name) not in plain:
                message = f"there is no {what} {name!r} now"
                yield _fault(f"{what}-unknown", WARNING, where, message, "check the spelling, or make it")


def _overlaps(policy: Policy, others: Sequence[Policy]) -> list[Fault]:
    found = [other for other in others if other.name != policy.name and could_both_match(policy, other)]
    same = [other for other in found if other.rank == policy.rank]
    different = [other for other in found if other.rank != policy.rank]
    faults = []
    for other in same[:MOST_OVERLAPS]:
        message = f"{other.name!r} has the same rank, {policy.rank}, and may match the same ticket"
        remedy = "give one of them a higher rank; until then more conditions win, then the first by name"
        faults.append(_fault("overlap-same-rank", WARNING, "rank", message, remedy))
    for other in different[:MOST_OVERLAPS]:
        holds = policy.name if policy.rank > other.rank else other.name
        message = f"{other.name!r} (rank {other.rank}) may match the same ticket; {holds!r} holds"
        faults.append(_fault("overlap", NOTE, "rank", message, "nothing, if that is meant"))
    return faults


def _range(entry: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((key, value) for key, value in entry.items() if key != "name"))


def _tried(read: Any, *arguments: Any) -> list[CalendarError]:
    try:
        read(*arguments)
    except CalendarError as error:
        return [error]
    return []


def _calendar_fault(error: CalendarError) -> Fault:
    code = "no-working-time" if "no working time" in error.reason else "calendar-unusable"
    return _fault(code, ERROR, "" if error.field == "calendar" else error.field, error.reason, "correct it")


def _fault(code: str, severity: str, where: str, message: str, remedy: str) -> Fault:
    return Fault(code=code, severity=severity, where=where, message=message, remedy=remedy)
