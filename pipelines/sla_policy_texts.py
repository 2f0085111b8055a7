"""
Service level policies as TOML or JSON documents.

    name = "IT Support, High"
    rank = 100                                  # of several that match, the highest holds
    calendar = "Office hours"
    reopening = "continue"                      # or "new_cycle": a reopened ticket's clock starts anew
    change = "from_start"                       # or "from_change": where targets count from when this policy comes into force
    resolved_without_reply = "counts"           # as the first response; or "cancels": then there was nothing to respond to
    tell_on_attach = false                      # tell nobody of what was past due when the policy came

    [match]                                     # what is left out matches anything; `*` stands for any characters
    workflow = ["IT Support"]
    priority = ["High"]
    requester = { department = ["Board"], email = ["*@board.example.com"] }     # fields of the ticket's `employee`

    [targets]                                   # working time; what is left out has no clock
    first_response = "1h"
    next_response = "2h"
    resolution = "8h"

    [steps]
    share = true                                # a step without a target of its own gets its share of the resolution's
    targets = { Triage = "30m" }

    [pauses]
    on_hold = true
    waiting_for_requester = false               # from the staff's last reply to the requester's

    [[warnings]]
    percent = 75                                # or before = "1h", working time left
    tell = ["assignee", "owner"]

    [breach]
    tell = ["assignee", "manager"]

    [[escalations]]
    after = "2h"                                # working time after the breach
    metrics = ["resolution"]                    # left out: every clock
    tell = ["role:Admin"]
    raise_priority = true
    escalate = true                             # the open item, to its escalation role
    transfer_to = "17"                          # a user id

Everything that is wrong with a document is named at once. Durations are working time: 1h30m, 45m, 90s.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from baton.pipelines.definition_shapes import Shape
from baton.pipelines.sla.clocks import Level
from baton.pipelines.sla_policies import (
    ASSIGNEE,
    CANCELS,
    CONTINUE,
    COUNTS,
    FIRST_RESPONSE,
    FROM_CHANGE,
    FROM_START,
    MANAGER,
    METRICS,
    NAMES,
    NEW_CYCLE,
    NEXT_RESPONSE,
    OWNER,
    RESOLUTION,
    Effects,
    Policy,
    Rung,
)

#: Longest target or interval: five years around the clock.
LONGEST_SECONDS = 5 * 366 * 24 * 3600
_MOST = 100
_DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?", re.ASCII)
_TOLD = re.compile(r"assignee|owner|manager|(?:role|user):.+", re.DOTALL)


class PolicyError(ValueError):
    """A policy cannot be used; `errors` names everything that is wrong with it."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


def read_policy_text(text: str) -> dict[str, Any]:
    """Return the document of a policy written as TOML. Raises PolicyError."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError([f"not TOML: {error}"]) from error


@lru_cache(maxsize=512)
def policy_from_json(text: str) -> Policy:
    """Return the policy of a stored definition, the same object for the same text. Raises PolicyError."""
    return policy_of(json.loads(text))


def policy_of(document: Any) -> Policy:
    """Return the policy that a document defines. Raises PolicyError, naming everything that is wrong."""
    errors: list[str] = []
    shape = Shape(document, "", errors)
    steps, pauses = Shape(shape.table("steps"), "steps", errors), Shape(shape.table("pauses"), "pauses", errors)
    match = Shape(shape.table("match"), "match", errors)
    rank = shape.number("rank") or 0.0
    if rank != int(rank):
        shape.wrong("rank", "must be a whole number")
    policy = Policy(
        name=shape.name("name"),
        calendar=shape.name("calendar"),
        rank=int(rank),
        description=shape.text("description"),
        match={name: found for name in NAMES if (found := _texts(match, name))},
        requester=_requester(match, errors),
        targets=_targets(shape, "targets", "targets", errors, allowed=(FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION)),
        step_share=steps.flag("share", True),
        step_targets=_targets(steps, "targets", "steps.targets", errors),
        pause_on_hold=pauses.flag("on_hold", True),
        pause_waiting=pauses.flag("waiting_for_requester", False),
        reopening=shape.choice("reopening", (CONTINUE, NEW_CYCLE), CONTINUE),
        change=shape.choice("change", (FROM_START, FROM_CHANGE), FROM_START),
        resolved_without_reply=shape.choice("resolved_without_reply", (COUNTS, CANCELS), COUNTS),
        tell_on_attach=shape.flag("tell_on_attach", False),
        warnings=tuple(_warning(*each, errors) for each in _entries(shape, "warnings")),
        breach=_breach(shape, errors),
        escalations=tuple(_escalation(*each, errors) for each in _entries(shape, "escalations")),
    )
    for each in (shape, steps, pauses, match):
        each.nothing_else()
    if not policy.targets and not policy.step_targets:
        errors.append("targets must promise something: a response, a resolution, or a step")
    if errors:
        raise PolicyError(errors)
    return policy


def read_seconds(text: str) -> int | None:
    """Return the seconds of a duration such as 1h30m, 45m, 90s; None when it is none."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or not text:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    return total if total <= LONGEST_SECONDS else None


def write_seconds(seconds: int) -> str:
    """Return a duration as `read_seconds` reads it."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{rest}s" if rest else ""]
    return "".join(parts) or "0s"


def _texts(shape: Shape, key: str) -> tuple[str, ...]:
    found = shape.list(key, _MOST, ())
    if not all(isinstance(each, str) and 0 < len(each) <= 300 for each in found):
        shape.wrong(key, "must be texts of 1 to 300 characters")
        return ()
    return tuple(found)


def _requester(match: Shape, errors: list[str]) -> dict[str, tuple[str, ...]]:
    table = match.table("requester")
    requester = Shape(table, "match.requester", errors)
    return {str(name): found for name in table if (found := _texts(requester, str(name)))}


def _targets(shape: Shape, key: str, path: str, errors: list[str], allowed: Sequence[str] | None = None) -> dict[str, int]:
    table = shape.table(key)
    inner = Shape(table, path, errors)
    found = {str(name): _duration(inner, str(name)) for name in (table if allowed is None else allowed)}
    inner.nothing_else()
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _duration(shape: Shape, key: str, default: int | None = None) -> int | None:
    text = shape.optional(key)
    if text is None:
        return default
    seconds = read_seconds(text)
    if seconds is None:
        shape.wrong(key, "must be a duration of at most five years, such as 1h30m, 45m or 90s")
    return seconds


def _entries(shape: Shape, key: str) -> list[tuple[Any, str]]:
    return [(entry, f"{key}.{number}") for number, entry in enumerate(shape.list(key, _MOST, ()), start=1)]


def _warning(entry: Any, path: str, errors: list[str]) -> Rung:
    shape = Shape(entry, path, errors)
    percent, before = shape.number("percent"), _duration(shape, "before")
    if (percent is None) == (before is None):
        shape.wrong("", "needs either percent or before")
    if percent is not None and not 0 < percent < 100:
        shape.wrong("percent", "must lie between 0 and 100")
    rung = Rung(Level(percent=percent, seconds_before=before), _metrics(shape), _effects(shape, (ASSIGNEE, OWNER)))
    shape.nothing_else()
    return rung


def _escalation(entry: Any, path: str, errors: list[str]) -> Rung:
    shape = Shape(entry, path, errors)
    after = _duration(shape, "after", 0) or 0
    rung = Rung(Level(seconds_before=-after), _metrics(shape), _effects(shape, (MANAGER,)))
    shape.nothing_else()
    return rung


def _breach(shape: Shape, errors: list[str]) -> Effects:
    inner = Shape(shape.table("breach"), "breach", errors)
    effects = _effects(inner, (ASSIGNEE, MANAGER))
    inner.nothing_else()
    return effects


def _metrics(shape: Shape) -> tuple[str, ...]:
    found = shape.list("metrics", _MOST, METRICS)
    if not all(each in METRICS for each in found):
        shape.wrong("metrics", f"must be of {', '.join(METRICS)}")
    return tuple(each for each in METRICS if each in found)


def _effects(shape: Shape, told: tuple[str, ...]) -> Effects:
    tell = tuple(shape.list("tell", _MOST, told))
    if not all(isinstance(each, str) and len(each) <= 300 and _TOLD.fullmatch(each) for each in tell):
        shape.wrong("tell", "must be of assignee, owner, manager, role:NAME, user:ID")
    return Effects(tell, shape.flag("raise_priority", False), shape.flag("escalate", False), shape.optional("transfer_to"))
