"""The mapping of a replay: which columns of an event log say what, and what its states mean here. A TOML document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

OPEN, WORKING, HELD, GOAL_RESOLVED, GOAL_CLOSED = "open", "working", "on hold", "resolved", "closed"
#: What a state of a file can mean.
GOALS = (OPEN, WORKING, HELD, GOAL_RESOLVED, GOAL_CLOSED)
FINAL_GOALS = frozenset({GOAL_RESOLVED, GOAL_CLOSED})


class ReplayMappingError(Exception):
    """A document that is no mapping of a replay; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMapping:
    """`case`, `state`, `group`, `person`, `priority`, `by` and `at` name columns; `intake` the mapping that makes tickets."""

    intake: str
    case: str
    state: str
    group: str
    person: str
    priority: str
    by: str
    at: str
    no_group: str
    states: Mapping[str, str]
    priorities: Mapping[str, str]
    counters: Mapping[str, str]
    empty: Sequence[str] = ()
    silent: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that a file must have."""
        return [self.case, self.state, self.group, self.person, self.priority, self.by, self.at, *self.counters.values()]


def parse_replay_mapping(document: Mapping[str, Any]) -> ReplayMapping:
    """
    Return the mapping that a document describes.

    Raises:
        ReplayMappingError: a name is missing or unknown, or a value is of another type.
    """
    known = {each.name for each in fields(ReplayMapping)}
    wrong = [f"unknown: {name}" for name in sorted(document.keys() - known)]
    wrong += [f"missing: {name}" for name in sorted(known - {"empty", "silent"} - document.keys())]
    wrong += [f"{name} must be a {_KINDS.get(name, str).__name__}" for name, value in document.items() if _is_odd(name, value)]
    if wrong:
        raise ReplayMappingError("; ".join(wrong))
    goals = {str(goal) for goal in document["states"].values()} - set(GOALS)
    if goals:
        raise ReplayMappingError(f"states: no such goal as {', '.join(sorted(goals))}; there are {', '.join(GOALS)}")
    if set(document["counters"]) != {"reassignments", "reopens"}:
        raise ReplayMappingError("counters names the columns of reassignments and of reopens")
    return ReplayMapping(**document)


_KINDS: dict[str, type] = {"states": dict, "priorities": dict, "counters": dict, "empty": list, "silent": list}


def _is_odd(name: str, value: Any) -> bool:
    return not isinstance(value, _KINDS.get(name, str))
