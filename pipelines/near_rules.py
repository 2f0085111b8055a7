"""Which rules come near a ticket that none of them matches: they name one of its names, or one that is written much like it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

#: How many rules an explanation lists.
MOST = 5
#: From this similarity on (0 to 1), names are taken for one another by people.
ALIKE = 0.85
_KINDS = ("category", "department")

#: The normalised names of a rule, None for what it leaves open, and the id of its workflow.
Place = tuple[tuple[str | None, str | None], int]


def nearest(ticket: tuple[str, str], places: Iterable[Place]) -> list[tuple[Place, str]]:
    """Return the nearest of these rules, best first, each with why it does not match the ticket's (category, department)."""
    scored = []
    for place in places:
        rule = place[0]
        score = sum(_likeness(wanted, given) for wanted, given in zip(rule, ticket, strict=True))
        if score:
            scored.append((-score, place[1], place))
    return [(place, _why_not(place[0], ticket)) for _, _, place in sorted(scored, key=lambda each: each[:2])[:MOST]]


def _likeness(wanted: str | None, given: str) -> float:
    """Return how near one name is to what a rule names: 0 when it names nothing, or something else."""
    if wanted is None or not given:
        return 0.0
    if wanted == given:
        return 1.0
    matcher = SequenceMatcher(None, wanted, given, autojunk=False)
    # The first two are cheap upper bounds of the third.
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio / 2 if ratio >= ALIKE else 0.0


def _why_not(rule: tuple[str | None, str | None], ticket: tuple[str, str]) -> str:
    said = []
    for kind, wanted, given in zip(_KINDS, rule, ticket, strict=True):
        if wanted is not None and wanted != given:
            said.append(f"it wants {kind} {wanted!r}, the ticket has " + (repr(given) if given else "none"))
    return "; ".join(said)
