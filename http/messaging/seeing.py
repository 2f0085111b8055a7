"""Whose room it is: the one place where the front asks who sees a ticket's conversation."""

from __future__ import annotations

from typing import NamedTuple

from baton.http.api import Call, NotFound
from baton.http.problems import Invalid
from baton.http.types import BIGGEST_INTEGER
from baton.models.messaging import Entry, Room, rooms, stream
from baton.models.transaction import Transaction
from baton.pipelines.conversation import CommentRefusedError, RoomFacts, Viewer, viewer_of
from baton.pipelines.permissions import Principal


class Seen(NamedTuple):
    """A room, what decides about it, and how the caller stands in it."""

    room: Room
    facts: RoomFacts
    viewer: Viewer


def find_seen(principal: Principal, ticket_number: str) -> Seen:
    """Return the room; raises NotFound when there is none, or none for this caller: both answer alike."""
    return seen_in(principal, ticket_number, rooms.find_room(ticket_number))


def lock_seen(tx: Transaction, principal: Principal, ticket_number: str) -> Seen:
    """Return the room as `find_seen` does, locked until the transaction ends."""
    return seen_in(principal, ticket_number, rooms.lock_rooms(tx, [ticket_number]).get(ticket_number))


def seen_entry(call: Call, seen: Seen) -> Entry:
    """Return the entry that the path names; raises NotFound when there is none that the caller sees."""
    text = call.params["number"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    found = stream.find_entry(seen.room.ticket_number, number, seen.viewer) if 0 < number <= BIGGEST_INTEGER else None
    if found is None:
        raise NotFound("there is no such comment")
    return found


def refused(error: CommentRefusedError) -> Invalid:
    """Return the answer for a comment that the rules refuse."""
    return Invalid.of(error.field, error.reason, "refused")


def seen_in(principal: Principal, ticket_number: str, room: Room | None) -> Seen:
    """Return a room that was read as the caller sees it; raises NotFound as `find_seen` does."""
    if room is not None and room.version:
        facts = RoomFacts(**rooms.facts_of(room))
        viewer = viewer_of(principal, facts)
        if viewer is not None:
            return Seen(room, facts, viewer)
    raise NotFound(f"there is no ticket {ticket_number[:100]}")
