"""
Which policy holds for a ticket, from when on, and why.

1. A policy matches when each of its conditions does: one of the names it lists is the ticket's. Names are compared as when
   workflows are matched (case, and what separates the words, do not count); `*` stands for any characters.
2. Of several that match, the highest rank holds; then the one with more conditions; then the first by name. The reason names
   the others.
3. A ticket is matched when it arrives, and again at each change of its workflow, category, department or priority: at the
   instant of the change, with the names as they were then, whenever that is worked out. What was decided stays decided; only of
   what happens at one instant the last word counts, whether it was matched in between or not.
4. The same policy again keeps the version that the ticket has. Another one holds from the change on; its targets count from the
   start or from the change, as it says.
5. No policy that matches: from then on the ticket has no clocks.
6. Policies may also be applied to a ticket that lives: matched once more at that instant, and then the newest version counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from baton.pipelines.allocation import normalise
from baton.pipelines.sla_policies import FROM_CHANGE, NAMES, Policy

START, KEPT = "start", "kept"
#: Who decides the matches of a ticket's own changes.
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Names:
    """What a ticket is matched by: workflow, category, department and priority, and the requester's attributes by name."""

    values: Mapping[str, str | None]
    requester: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Offered:
    """A policy that may match: the current version, with the version of its calendar."""

    policy_id: int
    version: int
    calendar_version: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Match:
    """
    Which version holds from `at` on; `version` None: none. `mode` is start, kept, from_start or from_change.

    `since`: with from_change, from when targets count, if not from `at`: where a change was undone.
    """

    number: int
    at: datetime
    version: int | None
    calendar_version: int | None
    mode: str
    reason: str
    names: Names | None = None
    decided_by: str = SYSTEM
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class NameChange:
    """At `at` one of a ticket's names became `value`; `before` is what it was."""

    at: datetime
    name: str
    before: str | None
    value: str | None


def matches(policy: Policy, names: Names) -> bool:
    """Return whether every condition of a policy holds."""
    return all(_one_of(wanted, names.values.get(name)) for name, wanted in policy.match.items()) and all(
        _one_of(wanted, names.requester.get(name)) for name, wanted in policy.requester.items()
    )


def choose(offered: Iterable[Offered], names: Names) -> tuple[Offered | None, str]:
    """Return the policy that holds for these names, or None, and the reason."""
    found = sorted((each for each in offered if matches(each.policy, names)), key=_order)
    if not found:
        return None, f"no policy matches {_told(names)}"
    first, others = found[0], found[1:]
    reason = f"{first.policy.name!r} (rank {first.policy.rank}) matches {_told(names, first.policy)}"
    if others:
        reason += "; so do " + ", ".join(f"{each.policy.name!r} (rank {each.policy.rank})" for each in others[:5])
    return first, reason


def match_changes(
    points: Sequence[tuple[datetime, Names]], known: Sequence[Match], offered: Sequence[Offered], policies: Mapping[int, int]
) -> list[Match]:
    """
    Return the matches that are missing: of each point (instant, names then), in order, that was not matched before.

    `known` are the ticket's matches by number; `policies` says which policy each of their versions is of. What happens at one
    instant may be told in pieces: a match that was made of less has a successor of the same number (see `together`).
    """
    done = {each.at for each in known}
    policy_of = {**policies, **{each.version: each.policy_id for each in offered}}
    held, made = list(known), list[Match]()
    for at, names in points:
        last = held[-1] if held else None
        told_more = last is not None and last.at == at == max(done) and last.names not in (None, names)
        if at in done and not told_more:
            continue
        outdated = held.pop() if last is not None and told_more and last.decided_by == SYSTEM else None
        last = held[-1] if held else None
        # Told after a later change was matched already: what holds now must follow from the names as they are now.
        names = points[-1][1] if last is not None and at < last.at else names
        chosen, reason = choose(offered, names)
        made.append(_pinned(_next(last, at, names, chosen, reason, policy_of), outdated, policy_of))
        held.append(made[-1])
    return made


def together(known: Sequence[Match], made: Sequence[Match]) -> list[Match]:
    """Return a ticket's matches by number: those that are known, but for those that new ones take the place of, and the new."""
    replaced = {each.number for each in made}
    return [*(each for each in known if each.number not in replaced), *made]


def match_again(at: datetime, names: Names, known: Sequence[Match], offered: Sequence[Offered], by: str) -> list[Match]:
    """Return the match of applying the policies as they are now; none when they are applied already."""
    if any(each.at == at and each.decided_by == by for each in known):
        return []
    last = known[-1] if known else None
    chosen, reason = choose(offered, names)
    number = 1 if last is None else last.number + 1
    if chosen is None:
        version, calendar, mode = None, None, FROM_CHANGE
    else:
        version, calendar, mode = chosen.version, chosen.calendar_version, chosen.policy.change
    if last is not None and (last.version, last.calendar_version) == (version, calendar):
        return []
    return [Match(number, at, version, calendar, mode, reason, names, by)]


def names_at(start: datetime, now: Names, changes: Sequence[NameChange]) -> list[tuple[datetime, Names]]:
    """Return the points at which a ticket is matched: its arrival and each change, with the names as they were from then on."""
    points: list[tuple[datetime, Names]] = []
    values = dict(now.values)
    ordered = sorted(enumerate(changes), key=lambda pair: (pair[1].at, pair[0]), reverse=True)
    for _, change in ordered:
        at = max(change.at, start)
        if not points or points[-1][0] != at:
            points.append((at, Names(dict(values), now.requester)))
        values[change.name] = change.before
    if not points or points[-1][0] != start:
        points.append((start, Names(values, now.requester)))
    return points[::-1]


def could_both_match(first: Policy, second: Policy) -> bool:
    """Return whether one ticket may fulfil both policies' conditions; with equal ranks, the author should be told."""
    pairs = [(first.match.get(name), second.match.get(name)) for name in NAMES]
    pairs += [(first.requester.get(name), second.requester.get(name)) for name in {*first.requester, *second.requester}]
    return all(not one or not other or _overlap(one, other) for one, other in pairs)


def _next(
    last: Match | None, at: datetime, names: Names, chosen: Offered | None, reason: str, policies: Mapping[int, int]
) -> Match:
    number = 1 if last is None else last.number + 1
    if chosen is None:
        still_none = last is not None and last.version is None
        return Match(number, at, None, None, START if last is None else KEPT if still_none else FROM_CHANGE, reason, names)
    if last is None:
        return Match(number, at, chosen.version, chosen.calendar_version, START, reason, names)
    if last.version is not None and policies.get(last.version) == chosen.policy_id:
        return Match(number, at, last.version, last.calendar_version, KEPT, reason, names)
    return Match(number, at, chosen.version, chosen.calendar_version, chosen.policy.change, reason, names)


def _pinned(match: Match, outdated: Match | None, policies: Mapping[int, int]) -> Match:
    """Return a match with the version that the one in whose place it comes had pinned, if that is of the same policy."""
    if outdated is None or match.mode == KEPT or match.version is None or outdated.version is None:
        return match
    if policies.get(outdated.version) != policies.get(match.version):
        return match
    return replace(match, version=outdated.version, calendar_version=outdated.calendar_version)


def _order(each: Offered) -> tuple[int, int, str, int]:
    return -each.policy.rank, -(len(each.policy.match) + len(each.policy.requester)), each.policy.name, each.policy_id


def _one_of(wanted: Sequence[str], value: str | None) -> bool:
    if value is None:
        return False
    plain = normalise(value)
    return any(_pattern(each).fullmatch(plain) for each in wanted)


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    if any("*" in each for each in (*one, *other)):
        return True
    return bool({normalise(each) for each in one} & {normalise(each) for each in other})


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    # The parts between stars are looked for in order and never anew, so that no value makes the search long.
    first, *rest = (re.escape(part) for part in normalise(text).split("*"))
    return re.compile(first + "".join(f"(?>.*?{part})" if part else "" for part in rest[:-1]) + _end(rest), re.DOTALL)


def _end(rest: Sequence[str]) -> str:
    return "" if not rest else f".*{rest[-1]}"


def _told(names: Names, policy: Policy | None = None) -> str:
    """Return the names that count, for the reason."""
    wanted = NAMES if policy is None else [name for name in NAMES if name in policy.match]
    told = [f"{name} {names.values.get(name) or 'none'}" for name in wanted]
    told += [f"requester's {name}" for name in (policy.requester if policy is not None else ())]
    return ", ".join(told) or "every ticket"
