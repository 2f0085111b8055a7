"""
Comments found: full text over all conversations, limited to those that somebody may see.

The conditions say in SQL what `conversation.viewer_of` says of one room; whoever calls asks it again of what was found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Protocol

import peewee as pw

from baton.models.database import is_sqlite
from baton.models.full_text import Wanted, search
from baton.models.messaging.tables import Entry, Room


class Eyes(Protocol):
    """Who looks: `conversation.Eyes`."""

    @property
    def everything(self) -> bool:
        """Whether every entry is shown."""

    @property
    def leads(self) -> bool:
        """Whether every ticket's work is shown."""

    @property
    def everything_public(self) -> bool:
        """Whether every public entry is shown."""

    @property
    def works(self) -> bool:
        """Whether what they work on is shown."""

    @property
    def employee_id(self) -> str | None:
        """Which employee they are."""

    @property
    def user_id(self) -> str | None:
        """Which member of staff they are."""

    @property
    def email(self) -> str:
        """Their address, as addresses are compared."""

    @property
    def roles(self) -> Iterable[str]:
        """The `system:Role` pairs they hold."""


def comments(eyes: Eyes, wanted: Wanted, *, beyond: int | None, limit: int, ticket: str | None) -> list[tuple[Entry, Room]]:
    """Return the newest comments that hold what is wanted and may be seen, older than the one with the id `beyond`."""
    query = Entry.select(Entry, Room).join(Room, on=(Room.ticket_number == Entry.ticket_number), attr="room")
    query = query.where(Entry.kind == "comment", Entry.deleted_at.is_null(), Room.version > 0)
    if not eyes.everything:
        query = query.where(_visible(eyes))
    if ticket is not None:
        query = query.where(Entry.ticket_number == ticket)
    query, key = search(query, Entry, wanted)
    if beyond is not None:
        query = query.where(key < beyond)
    return [(entry, entry.room) for entry in query.order_by(key.desc()).limit(limit)]


def _visible(eyes: Eyes) -> Any:
    public = Entry.visibility == "public"
    requester = _requester(eyes)
    seen = requester & public
    if eyes.leads or eyes.works:
        # Whoever is the requester of a ticket sees no note of it, staff or not.
        theirs = public | ~requester
        seen |= theirs if eyes.leads else theirs & _work(str(eyes.user_id), eyes.roles)
    return seen | public if eyes.everything_public else seen


def _requester(eyes: Eyes) -> Any:
    same = (pw.fn.LOWER(pw.fn.COALESCE(Room.requester_email, "")) == eyes.email) & (pw.Value(eyes.email) != "")
    if eyes.employee_id is not None:
        number = pw.fn.COALESCE(Room.requester_employee_id, "")
        return (number == eyes.employee_id) | ((number == "") & same)
    return same | (pw.fn.COALESCE(Room.requester_user_id, "") == eyes.user_id)


def _work(user_id: str, roles: Iterable[str]) -> Any:
    held = sorted(roles)
    owner = pw.fn.COALESCE(Room.owner, "") == user_id
    if is_sqlite(Room._meta.database):
        taken_part = _any_of(Room.participants, "value = ?", user_id)
        having = _any_of(Room.assignees, "json_extract(value, '$.user_id') = ?", user_id)
        theirs = _any_of(Room.roles, "value in (select value from json_each(?))", json.dumps(held))
        return owner | taken_part | having | theirs
    taken_part = pw.fn.jsonb_exists(Room.participants.cast("jsonb"), user_id)
    who = pw.Cast(pw.Value(json.dumps([{"user_id": user_id}])), "jsonb")
    having = pw.Expression(Room.assignees.cast("jsonb"), "@>", who)
    theirs = pw.fn.jsonb_exists_any(Room.roles.cast("jsonb"), pw.Cast(pw.Value(held, unpack=False), "text[]"))
    return owner | taken_part | having | theirs


def _any_of(column: pw.Field, condition: str, value: str) -> Any:
    """Return whether a member of a JSON list fits the condition: SQLite's words for it."""
    return pw.fn.EXISTS(pw.NodeList((pw.SQL("select 1 from json_each("), column, pw.SQL(f") where {condition}", [value]))))
