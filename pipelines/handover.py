"""
Hand-over: what becomes of a person's open work while they are away.

1. Somebody out of office, or no longer active, has open items: they are offered for hand-over, to a substitute or to the
   rotation.
2. Everybody may name one substitute. Who is away themselves is stood in for by their own substitute: A to B to C reaches C.
3. A chain that would lead back to where it began is refused when it is set, with the chain.
4. An item goes to the first in the chain who could be given it in turn: active in its role, present, below their capacity, not
   excluded. Nobody: it stays, with the reason for each. No turn is used.
5. Handed to the rotation, it goes to the next in turn. Whoever is present could be the next again, so only the work of the absent
   is handed there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from baton.pipelines.assignment import Candidate

#: More substitutes than this in a row are a mistake.
LONGEST_CHAIN = 20


class CircularChainError(Exception):
    """A substitute whose own chain leads back to the person; `chain` names everybody on it."""

    def __init__(self, chain: tuple[str, ...]) -> None:
        super().__init__("the substitutes would go in a circle: " + " -> ".join(chain))
        self.chain = chain


def check_chain(user_id: str, substitute: str, substitutes: Mapping[str, str]) -> None:
    """Raise CircularChainError when this substitute would, through others, be stood in for by the person."""
    chain = [user_id, substitute]
    while chain[-1] != user_id and chain[-1] in substitutes and len(chain) <= LONGEST_CHAIN + 1:
        chain.append(substitutes[chain[-1]])
    if chain[-1] == user_id or len(chain) > LONGEST_CHAIN + 1:
        raise CircularChainError(tuple(chain))


def chain_of(user_id: str, substitutes: Mapping[str, str]) -> list[str]:
    """Return the person's substitute, that one's substitute, and so on; nobody twice."""
    chain: list[str] = []
    while (following := substitutes.get(chain[-1] if chain else user_id)) is not None:
        if following == user_id or following in chain or len(chain) == LONGEST_CHAIN:
            break
        chain.append(following)
    return chain


def find_heir(
    user_id: str, substitutes: Mapping[str, str], members: Mapping[str, Candidate], obstacle: Callable[[Candidate], str | None]
) -> tuple[Candidate | None, str]:
    """
    Return who of the chain gets an item of a role with these members, and why, or why nobody does.

    `obstacle` says what keeps a member from it.
    """
    chain = chain_of(user_id, substitutes)
    if not chain:
        return None, f"user {user_id} has no substitute"
    reasons = []
    for person in chain:
        member = members.get(person)
        why = "no active member of the role" if member is None else obstacle(member)
        if member is not None and why is None:
            return member, f"substitute of user {user_id}: " + " -> ".join([user_id, *chain[: chain.index(person) + 1]])
        reasons.append(f"user {person} is {why}" if why != "is the requester" else f"user {person} {why}")
    return None, "; ".join(reasons)


def find_stand_ins(
    absent: Mapping[str, Candidate], substitutes: Mapping[str, str], is_present: Callable[[str], bool]
) -> dict[str, Candidate]:
    """Return who stands in for whom: the first present person of each absent member's chain."""
    stand_ins: dict[str, Candidate] = {}
    for user_id in sorted(absent):
        for person in chain_of(user_id, substitutes):
            if is_present(person):
                stand_ins.setdefault(person, absent[user_id])
                break
    return stand_ins
