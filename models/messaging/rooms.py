"""The store of rooms: a ticket as the conversation service knows it. All functions run inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from baton.models.database import is_sqlite
from baton.models.messaging.tables import Room
from baton.models.transaction import Transaction


def find_room(ticket_number: str) -> Room | None:
    """Return the ticket's room, None while workflow has not told of the ticket."""
    return Room.get_or_none((Room.ticket_number == ticket_number) & (Room.version > 0))


def lock_rooms(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, Room]:
    """Return the rooms of these tickets, by number, locked until the transaction ends: nobody else adds to their streams."""
    # In one order, so that two transactions never wait for each other.
    query = Room.select().where(Room.ticket_number.in_(sorted(set(ticket_numbers)))).order_by(Room.ticket_number)
    return {room.ticket_number: room for room in (query if is_sqlite(tx.database) else query.for_update())}


def open_rooms(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, Room]:
    """Return the rooms of these tickets, locked; those that were not there are made, with version 0, and are nobody's to see."""
    rows = [(number, 0, "", tx.now) for number in sorted(set(ticket_numbers))]
    fields = [Room.ticket_number, Room.version, Room.status, Room.updated_at]
    Room.insert_many(rows, fields).on_conflict_ignore().execute()
    return lock_rooms(tx, ticket_numbers)


def store_rooms(rooms: Iterable[Room]) -> None:
    """Store rooms that are locked as they now are."""
    rows = [room.__data__ for room in rooms]
    if rows:
        told = [field for field in Room._meta.sorted_fields if field is not Room.ticket_number]
        Room.insert_many(rows).on_conflict(conflict_target=[Room.ticket_number], preserve=told).execute()


def facts_of(room: Room) -> dict[str, Any]:
    """Return what decides who sees the room: the arguments of `conversation.RoomFacts`."""
    return {
        "ticket_number": room.ticket_number,
        "requester_employee_id": room.requester_employee_id,
        "requester_user_id": room.requester_user_id,
        "requester_email": room.requester_email,
        "requester_name": room.requester_name,
        "owner": room.owner,
        "participants": frozenset(json.loads(room.participants)),
        "assignees": {str(each["user_id"]): str(each.get("name") or "") for each in json.loads(room.assignees)},
        "roles": frozenset(json.loads(room.roles)),
    }
