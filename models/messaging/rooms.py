"""The store of rooms: a ticket as the conversation service knows it. All functions run inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import peewee as pw

from baton.models.messaging.tables import Room
from baton.models.rows import insert_rows, update_rows
from baton.models.statements import Statement
from baton.models.transaction import Transaction

_KNOWN = Statement(lambda among: Room.select(Room.ticket_number).where(among(Room.ticket_number)))
#: In one order, so that two transactions never wait for each other.
_ROOMS = Statement(lambda among: Room.select().where(among(Room.ticket_number)).order_by(Room.ticket_number))


def find_room(ticket_number: str) -> Room | None:
    """Return the ticket's room, None while workflow has not told of the ticket."""
    return Room.get_or_none((Room.ticket_number == ticket_number) & (Room.version > 0))


def lock_rooms(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, Room]:
    """Return the rooms of these tickets, by number, locked until the transaction ends: nobody else adds to their streams."""
    return {row["ticket_number"]: Room(**row) for row in _ROOMS.dicts(sorted(set(ticket_numbers)), lock=True)}


def open_rooms(tx: Transaction, ticket_numbers: Iterable[str]) -> dict[str, Room]:
    """Return the rooms of these tickets, locked; those that were not there are made, with version 0, and are nobody's to see."""
    wanted = sorted(set(ticket_numbers))
    # Looked for before anything is locked: an insert may wait for another transaction's, which then waits for no lock of ours.
    missing = sorted(set(wanted) - {number for (number,) in _KNOWN.tuples(wanted)})
    fields: list[pw.Field] = [Room.ticket_number, Room.version, Room.status, Room.updated_at]
    insert_rows(tx, fields, [(number, 0, "", tx.now) for number in missing], ignore=True)
    return lock_rooms(tx, wanted)


def store_rooms(tx: Transaction, rooms: Iterable[Room]) -> None:
    """Store rooms that are locked as they now are."""
    told = [field for field in Room._meta.sorted_fields if field is not Room.ticket_number]
    rows = [(room.ticket_number, *(getattr(room, field.name) for field in told)) for room in rooms]
    update_rows(tx, Room.ticket_number, told, rows)


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
