"""Rooms: who may see and join a ticket's conversation, as workflow tells it, and what happened to the ticket, in its stream."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from baton.actors.handling import Delivery, NotYetError, RefusedError, handles
from baton.models.messaging import Room
from baton.models.messaging.rooms import lock_rooms, open_rooms, store_rooms
from baton.models.messaging.stream import NewEntry, add_entries
from baton.models.transaction import Transaction
from baton.pipelines.conversation import EVENT, INTERNAL, PUBLIC, SYSTEM, changes_between
from baton.pipelines.messages import FollowTicket, TellTicketEvent

#: Who writes the events of a stream.
TELLER = "system:workflow"


@handles(
    FollowTicket,
    service="messaging",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def follow_ticket(tx: Transaction, deliveries: Sequence[Delivery[FollowTicket]]) -> None:
    """Each room is as its ticket's newest version says; what changed on the way is in its stream."""
    told = sorted(_versioned(deliveries), key=lambda pair: pair[0])
    rooms = open_rooms(tx, {message.ticket_number for _, message in told})
    events: list[tuple[str, NewEntry]] = []
    for version, message in told:
        room = rooms[message.ticket_number]
        if version > room.version:
            events += [(room.ticket_number, event) for event in _changes(room, message, version)]
            _become(room, message, version, tx.now)
    add_entries(tx, rooms, events, store=False)
    store_rooms(tx, rooms.values())


@handles(
    TellTicketEvent,
    service="messaging",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def tell_ticket_event(tx: Transaction, deliveries: Sequence[Delivery[TellTicketEvent]]) -> None:
    """Each event is in its ticket's stream once."""
    told = [(delivery.message.ticket_number, event) for delivery in deliveries if (event := _event(delivery))]
    rooms = lock_rooms(tx, {number for number, _ in told})
    missing = sorted({number for number, _ in told if number not in rooms})
    if missing:
        raise NotYetError(f"nothing is known yet of {', '.join(missing)}")
    add_entries(tx, rooms, told)


def _versioned(deliveries: Sequence[Delivery[FollowTicket]]) -> Iterator[tuple[int, FollowTicket]]:
    for delivery in deliveries:
        if delivery.envelope.version is None:
            delivery.refuse("it has no version, which orders what is told of a ticket")
        else:
            yield delivery.envelope.version, delivery.message


def _changes(room: Room, message: FollowTicket, version: int) -> Iterator[NewEntry]:
    if room.version == 0:
        return
    before = {"status": room.status, "assignees": json.loads(room.assignees)}
    for kind, text, detail in changes_between(before, {"status": message.status, "assignees": message.assignees}):
        yield NewEntry(
            kind=EVENT, visibility=PUBLIC, author=TELLER, side=SYSTEM, event_kind=kind, detail=detail,
            body=text, body_html=f"<p>{html.escape(text)}</p>", client_id=f"version:{version}:{kind}",
        )  # fmt: skip


def _become(room: Room, message: FollowTicket, version: int, now: datetime) -> None:
    said = message.requester
    room.version, room.subject, room.status, room.owner = version, message.subject, message.status, message.owner
    room.requester_employee_id, room.requester_user_id = _text(said.get("employee_id")), _text(said.get("user_id"))
    room.requester_email, room.requester_name = _text(said.get("email")), _text(said.get("name"))
    room.participants = json.dumps(message.participants)
    room.assignees = json.dumps([each for each in message.assignees if each.get("user_id")], ensure_ascii=False)
    room.roles = json.dumps(message.roles)
    room.updated_at = now


def _event(delivery: Delivery[TellTicketEvent]) -> NewEntry | None:
    message = delivery.message
    try:
        happened_at = datetime.fromisoformat(message.happened_at)
        if happened_at.tzinfo is None:
            raise ValueError("it names no zone")
    except ValueError as error:
        delivery.refuse(f"happened_at is no instant: {error}")
        return None
    return NewEntry(
        kind=EVENT, visibility=INTERNAL if message.staff_only else PUBLIC, author=TELLER, side=SYSTEM,
        event_kind=message.kind, detail=message.detail or {}, body=message.text,
        body_html=f"<p>{html.escape(message.text)}</p>", client_id=message.event_id, created_at=happened_at.astimezone(UTC),
    )  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)
