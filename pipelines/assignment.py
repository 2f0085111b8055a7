"""
Assignment: the members of a role take turns, and whoever has waited longest since their last turn is next.

1. Work that comes back goes to whoever had it, if they are eligible; that uses no turn.
2. Otherwise the rotation is walked from the least recent turn to the most recent. The turn is a sequence within the role, not a
   time; somebody who never had one stands first, and is sent to the end by their first turn like anybody else. So a new member
   gets one turn and then every n-th, and a member who comes back stands where they left. Ties: the lower user id.
3. The first eligible member gets the work: active, not away now, below their capacity, not the requester of the ticket; for a
   step that approves, not whoever had or approved the step before it.
4. They are stamped with the role's next turn and stand at the end.
5. Nobody is eligible: the work waits, and says why. The oldest is served first when somebody becomes eligible; work that arrives
   while older work could be served joins the end of the waiting list.

An owner (coordinator) is picked in the same way. Owning a ticket is no item of work: capacity does not limit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: How many members an explanation lists. Everybody who was passed over comes first; a role is seldom larger.
MAX_CONSIDERED = 20
ITEM = "item"
OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    A member of a role as the rotation sees them. Away from `away_from` until `away_to`; either may be open.

    E-mail addresses are in the form that `intake.comparable` gives them.
    """

    id: int
    user_id: str
    name: str = ""
    email: str | None = None
    is_active: bool = True
    away_from: datetime | None = None
    away_to: datetime | None = None
    capacity: int | None = None
    open_items: int = 0
    last_turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    Work that needs a person: a step's item, or the ownership of a task (`subject_id` is the item's or task's id).

    `former` had it before, `excluded` (user ids) may not have it. `state` is the item's.
    """

    kind: str
    subject_id: int
    ticket_number: str
    role: int
    task: int
    requester_user_id: str | None = None
    requester_email: str | None = None
    former: str | None = None
    excluded: frozenset[str] = frozenset()
    state: str = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Who gets the work: `chosen` None means that it waits. `turn` None means that no turn was used."""

    need: Need
    chosen: Candidate | None
    turn: int | None
    reason: str
    considered: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a member's row becomes: the last turn, how many turns were taken now, how many items were opened now."""

    last_turn: int
    turns_taken: int
    items_opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The outcome for one role: a pick per need, in their order, the stamps by member id, the role's last turn."""

    picks: list[Pick]
    stamps: dict[int, Stamp]
    last_turn: int


@dataclass(slots=True)
class _Place:
    """A member's place in the rotation while a round is played."""

    member: Candidate
    last_turn: int
    open_items: int
    turns_taken: int = 0
    items_opened: int = 0


def take_turns(members: Iterable[Candidate], needs: Sequence[Need], last_turn: int, now: datetime) -> Round:
    """
    Give each need, in order, to the next eligible member of one role.

    `last_turn` is the role's sequence so far. The order of `members` does not matter.
    """
    rotation = stand_in_line(members)
    picks = []
    for need in needs:
        place = find_former(rotation, need, now) if need.former else None
        if place is not None:
            picks.append(_give_back(place, need))
            continue
        place, considered, passed_over = walk(rotation, need, now)
        if place is None:
            picks.append(wait(need, considered, rotation, passed_over))
            continue
        last_turn += 1
        send_to_end(rotation, place, last_turn)
        picks.append(_give(place, need, last_turn, considered, passed_over))
    return Round(picks=picks, stamps=_stamps(rotation), last_turn=last_turn)


def stand_in_line(members: Iterable[Candidate]) -> list[_Place]:
    """Return the members in the order of their turns: least recent first, ties by the lower user id."""
    line = sorted(members, key=lambda member: (member.last_turn, len(member.user_id), member.user_id))
    return [_Place(member=member, last_turn=member.last_turn, open_items=member.open_items) for member in line]


def find_former(rotation: Sequence[_Place], need: Need, now: datetime) -> _Place | None:
    """Return the place of whoever had the work before, if they are eligible for it now."""
    for place in rotation:
        if place.member.user_id == need.former:
            return place if obstacle(place.member, place.open_items, need, now) is None else None
    return None


def walk(
    rotation: Sequence[_Place], need: Need, now: datetime
) -> tuple[_Place | None, list[dict[str, Any]], dict[str, int]]:
    """Return the first eligible place in line, whom the walk considered, and how many it passed over for what."""
    chosen: _Place | None = None
    considered: list[dict[str, Any]] = []
    passed_over: dict[str, int] = {}
    for place in rotation:
        if chosen is None:
            verdict = obstacle(place.member, place.open_items, need, now)
            if verdict is None:
                chosen, verdict = place, "chosen"
            else:
                passed_over[verdict] = passed_over.get(verdict, 0) + 1
        else:
            verdict = "later in line"
        if len(considered) < MAX_CONSIDERED:
            considered.append({"user_id": place.member.user_id, "last_turn": place.last_turn, "verdict": verdict})
        elif chosen is not None:
            break
    return chosen, considered, passed_over


def obstacle(member: Candidate, open_items: int, need: Need, now: datetime) -> str | None:
    """Return why the member cannot have the work now, or None when they are eligible."""
    if not member.is_active:
        return "inactive"
    if is_away(member, now):
        return "away"
    if need.kind == ITEM and member.capacity is not None and open_items >= member.capacity:
        return "at capacity"
    if is_requester(member, need.requester_user_id, need.requester_email):
        return "is the requester"
    if member.user_id in need.excluded:
        return "had the step before, which this one approves"
    return None


def is_away(member: Candidate, now: datetime) -> bool:
    """Return whether the member is out of office at this instant. An absence that ended counts no more."""
    if member.away_from is None and member.away_to is None:
        return False
    begun = member.away_from is None or member.away_from <= now
    return begun and (member.away_to is None or now < member.away_to)


def is_requester(member: Candidate, requester_user_id: str | None, requester_email: str | None) -> bool:
    """Return whether the member filed the ticket, by user id or by e-mail address, where the ticket tells them."""
    if requester_user_id and member.user_id == requester_user_id:
        return True
    return bool(requester_email) and member.email == requester_email


def send_to_end(rotation: list[_Place], place: _Place, turn: int) -> None:
    """Stamp the place with the turn and move it behind everybody else."""
    rotation.remove(place)
    rotation.append(place)
    place.last_turn = turn
    place.turns_taken += 1


def wait(
    need: Need, considered: list[dict[str, Any]], rotation: Sequence[_Place], passed_over: dict[str, int]
) -> Pick:
    """Return that the work waits, and for what."""
    if not rotation:
        reason = "the role has no active member"
    else:
        reason = "nobody eligible: " + _counted(passed_over)
    return Pick(need=need, chosen=None, turn=None, reason=reason, considered=considered)


def _give_back(place: _Place, need: Need) -> Pick:
    _open(place, need)
    considered = [{"user_id": place.member.user_id, "last_turn": place.last_turn, "verdict": "had it before"}]
    reason = "had it before; no turn used"
    return Pick(need=need, chosen=place.member, turn=None, reason=reason, considered=considered)


def _give(
    place: _Place, need: Need, turn: int, considered: list[dict[str, Any]], passed_over: dict[str, int]
) -> Pick:
    _open(place, need)
    reason = "least recent turn"
    if passed_over:
        reason += " of those eligible; passed over: " + _counted(passed_over)
    return Pick(need=need, chosen=place.member, turn=turn, reason=reason, considered=considered)


def _open(place: _Place, need: Need) -> None:
    if need.kind == ITEM:
        place.open_items += 1
        place.items_opened += 1


def _counted(passed_over: dict[str, int]) -> str:
    return ", ".join(f"{count} {why}" for why, count in sorted(passed_over.items()))


def _stamps(rotation: Iterable[_Place]) -> dict[int, Stamp]:
    return {
        place.member.id: Stamp(
            last_turn=place.last_turn, turns_taken=place.turns_taken, items_opened=place.items_opened
        )
        for place in rotation
        if place.turns_taken or place.items_opened
    }
