"""
Intake: a submitted ticket becomes one snapshot, however often it arrives.

1. Find the ticket in the message: bare, or under a key `ticket` (contracts, section 2).
2. Find its number: `ticket_number`, else `ticket_id`. Without one it could never be told from its own repetition: refused.
3. Keep the whole ticket as it came. Only what cannot be stored or read back equal is refused: NUL characters, halves of
   surrogate pairs, numbers JSON has no form for, and fields that are no text where a text is matched or shown.
4. Read what the process decides on: category, department, priority (`Medium` where none is said), requester, origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.pipelines.searching import words_of

DEFAULT_PRIORITY = "Medium"
#: Longest ticket number in characters. Both databases index it; no system numbers its tickets longer.
MAX_NUMBER_LENGTH = 200
#: Longest category, department, priority or address that is matched and shown, in characters. An entry of PostgreSQL's index has
#: room for 2,704 bytes, triage indexes category and department together, and a character may take four.
MAX_NAME_LENGTH = 300
#: Characters of the subject that lists show; the whole subject is in the ticket's data.
SUBJECT_LENGTH = 200


class UnusableTicketError(Exception):
    """A message that is no ticket; `str(error)` is the reason. It can never be taken in: dead-letter it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingTicket:
    """
    A ticket as it is taken in. `data` is its JSON text. The requester is known by what the sender told, or not at all.

    `words` are those by which it is found.
    """

    number: str
    data: str
    subject: str = ""
    category: str | None = None
    department: str | None = None
    priority: str = DEFAULT_PRIORITY
    requester_user_id: str | None = None
    requester_email: str | None = None
    through_gateway: bool = False
    words: str = ""


def read_ticket(payload: Mapping[str, Any]) -> IncomingTicket:
    """
    Return the ticket that a message carries.

    Raises:
        UnusableTicketError: the ticket has no number, or holds what cannot be stored or read back equal.
    """
    ticket = find_ticket(payload)
    number = find_number(ticket)
    data = keep_whole(ticket)
    requester = _object(ticket, "employee")
    return IncomingTicket(
        number=number,
        data=data,
        subject=_shown(ticket.get("subject")),
        category=_name(ticket, "category"),
        department=_name(ticket, "department"),
        priority=_name(ticket, "priority") or DEFAULT_PRIORITY,
        requester_user_id=_identifier(requester, "user_id"),
        requester_email=comparable(_name(requester, "email")),
        through_gateway=ticket.get("gateway") is True,
        words=words_of(number, *_texts(ticket, "subject", "description"), *_texts(requester, "name", "email")),
    )


def find_ticket(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ticket in the payload: the object under `ticket`, else the payload itself."""
    if "ticket" not in payload:
        return payload
    ticket = payload["ticket"]
    if not isinstance(ticket, Mapping):
        raise UnusableTicketError("`ticket` is not an object")
    return ticket


def find_number(ticket: Mapping[str, Any]) -> str:
    """Return the ticket's number as text."""
    for key in ("ticket_number", "ticket_id"):
        number = _identifier(ticket, key)
        if number is not None:
            return number
    raise UnusableTicketError("neither `ticket_number` nor `ticket_id` holds a number")


def keep_whole(ticket: Mapping[str, Any]) -> str:
    """Return the ticket as the JSON text that is stored; reading it gives the same ticket again."""
    try:
        text = json.dumps(ticket, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnusableTicketError("the ticket holds half of a surrogate pair, which is no character") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UnusableTicketError(f"the ticket has no JSON form: {error}") from error
    if "\\u0000" in text and _holds_nul(ticket):
        raise UnusableTicketError("the ticket holds a NUL character")
    return text


def comparable(address: str | None) -> str | None:
    """Return an e-mail address in the form in which addresses are stored for comparison, None for an empty one."""
    return (address or "").strip().casefold() or None


def _holds_nul(value: Any) -> bool:
    # Without recursion: how deep a ticket is nested is its sender's choice.
    open_values = [value]
    while open_values:
        item = open_values.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, Mapping):
            open_values.extend(item.keys())
            open_values.extend(item.values())
        elif isinstance(item, list | tuple):
            open_values.extend(item)
    return False


def _object(ticket: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = ticket.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnusableTicketError(f"`{key}` is not an object")
    return value


def _name(ticket: Mapping[str, Any], key: str) -> str | None:
    value = ticket.get(key)
    if value is None or isinstance(value, str):
        if value is not None and len(value) > MAX_NAME_LENGTH:
            raise UnusableTicketError(f"`{key}` is longer than {MAX_NAME_LENGTH} characters")
        return value
    raise UnusableTicketError(f"`{key}` is not a text")


def _identifier(ticket: Mapping[str, Any], key: str) -> str | None:
    value = ticket.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnusableTicketError(f"`{key}` is neither a text nor a whole number")
    text = str(value)
    if len(text) > MAX_NUMBER_LENGTH:
        raise UnusableTicketError(f"`{key}` is longer than {MAX_NUMBER_LENGTH} characters")
    return text if text.strip() else None


def _shown(subject: Any) -> str:
    return subject[:SUBJECT_LENGTH] if isinstance(subject, str) else ""


def _texts(source: Mapping[str, Any] | None, *keys: str) -> list[str]:
    return [value for key in keys if isinstance(value := (source or {}).get(key), str)]
