"""What leaves when clocks have fired: news for people and for those who follow the ticket, and commands for the ticket."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow import firing_store as store
from baton.pipelines.firing import Event, Firing
from baton.pipelines.firing_notices import People, act, live_event, role_names, tell, write

#: Namespace of the ids of messages about events: the same event never makes a second message of another id.
_MESSAGES = uuid.UUID("0d2c2f8e-3d0e-5f0b-8d55-1f6d4c9b7a02")


def key_of(firing: Firing, event: Event) -> store.EventKey:
    """Return what an event is unique by."""
    return firing.due.id, firing.due.round, event.kind, event.level


def announce_fired(
    tx: Transaction, firings: Sequence[Firing], situations: Mapping[str, Any], made: Mapping[store.EventKey, int]
) -> None:
    """Announce what people are told, what the ticket's followers see, and what is done to the ticket; in the clocks' order."""
    told = [(firing, event, made[key_of(firing, event)]) for firing in firings if (event := firing.told) is not None]
    people = _people(tx, [firing for firing, _, _ in told], situations)
    for firing, event, event_id in told:
        live = live_event(firing, event, event_id)
        tx.announce(live, ticket_number=live.ticket_number, message_id=_message_id("live", event_id))
    if get_settings().notifications:
        for notice in write(
            tell((firing, event, event_id, who) for (firing, event, event_id), who in zip(told, people, strict=True))
        ):
            event_name = (notice.metadata or {})["event"]
            number, message_id = notice.related_ticket_number, _message_id(event_name, notice.user_id)
            tx.announce(notice, ticket_number=number, message_id=message_id)
    for firing in firings:
        for event in firing.events:
            command = act(firing, event, made[key_of(firing, event)])
            if command is not None:
                message_id = _message_id("act", command.event_id)
                tx.announce(command, ticket_number=command.ticket_number, message_id=message_id)


def _people(tx: Transaction, firings: Sequence[Firing], situations: Mapping[str, Any]) -> list[People]:
    found = [situations.get(firing.due.ticket_number) or {} for firing in firings]
    names = {name for firing in firings for name in role_names(firing)}
    by_id, by_name = store.read_holders(tx, {each["manager_role"] for each in found if each.get("manager_role")}, names)
    return [
        People(
            assignee=each.get("assignee"),
            owner=each.get("owner"),
            managers=tuple(by_id.get(each.get("manager_role") or 0, ())),
            roles=by_name,
            item=each.get("item"),
            step=each.get("step") or "",
            workflow=each.get("workflow") or "",
        )
        for each in found
    ]


def _message_id(*parts: object) -> str:
    """Return the id of a message about an event: the same message never leaves under two ids."""
    return str(uuid.uuid5(_MESSAGES, "/".join(map(str, parts))))
