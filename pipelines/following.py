"""
Whoever changes a ticket, its task or its items says so once per transaction, for all the tickets it changed.

Two handlers take it from there, after the commit: one brings the SLA clocks to what the rows say, one tells those who follow the
tickets. Both read the rows as they are then, so a message that comes twice or late changes nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable

from baton.pipelines.envelope import Message
from baton.pipelines.live_messages import TellFollowers, TrackClocks

#: Tickets that one message names. More makes the handlers' transactions longer, not faster.
MOST_TICKETS = 50


def about_changes(ticket_numbers: Iterable[str]) -> list[Message]:
    """Return what is announced when these tickets changed."""
    numbers = sorted(set(ticket_numbers))
    found: list[Message] = []
    for start in range(0, len(numbers), MOST_TICKETS):
        some = numbers[start : start + MOST_TICKETS]
        found += [TrackClocks(ticket_numbers=some), TellFollowers(ticket_numbers=some)]
    return found
