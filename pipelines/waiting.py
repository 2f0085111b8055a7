"""
Waiting: what nobody could be given stands in a list, and the oldest is served first.

1. A list can move when somebody of the role is eligible.
2. A ticket excludes its requester, and a step that approves whoever had or approved the step before. So a few eligible people can
   serve everything that waits, and one can serve everything but what excludes them: knowing a few of them is enough.
3. Work that arrives while older work could be served joins the end of the list instead of overtaking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from baton.pipelines.assignment import Candidate, Need, Pick, obstacle

#: So many eligible people can be given anything that waits; fewer are looked at one by one. More makes statements longer.
MOST_PEOPLE = 4
QUEUED_BEHIND = "older work of this role is served first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """Who of a role could be given work now; `all_known` False: these and more."""

    people: tuple[Candidate, ...] = ()

    @property
    def all_known(self) -> bool:
        """Whether these are all of them."""
        return len(self.people) < MOST_PEOPLE


def find_openings(members: Iterable[Candidate], kind: str, now: datetime) -> Openings:
    """Return who could be given some work of this kind now, at most MOST_PEOPLE of them."""
    anything = Need(kind=kind, subject_id=0, ticket_number="", role=0, task=0)
    people: list[Candidate] = []
    for member in members:
        if obstacle(member, member.open_items, anything, now) is None:
            people.append(member)
            if len(people) == MOST_PEOPLE:
                break
    return Openings(people=tuple(people))


def find_lists(
    needs: Iterable[Need], members: Mapping[int, Sequence[Candidate]], now: datetime
) -> dict[tuple[int, str], Openings]:
    """Return the waiting lists, (role, kind), that these needs would join and that can move now, with who can serve them."""
    lists = {(need.role, need.kind) for need in needs if need.former is None}
    openings = {(role, kind): find_openings(members.get(role, ()), kind, now) for role, kind in lists}
    return {key: opening for key, opening in openings.items() if opening.people}


def stand_behind(need: Need) -> Pick:
    """Return that the need joins the end of its list."""
    considered: list[dict[str, Any]] = []
    return Pick(need=need, chosen=None, turn=None, reason=QUEUED_BEHIND, considered=considered)
