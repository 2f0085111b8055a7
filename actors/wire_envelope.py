"""The envelope as it is read from foreign hands: completed where a sender keeps none, refused where it makes no sense."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from baton.actors.broker_api import UnreadableMessageError
from baton.pipelines.messages import SCHEMA

#: Clocks of several machines differ by minutes at worst. A message sent later than this from now comes from a broken clock.
MAX_AHEAD = timedelta(hours=1)
#: Longest a message may ask to wait. Nobody schedules work further ahead by message: a date like 9999 is a fault of the sender's,
#: and the ticket in it would wait for ever.
MAX_WAIT = timedelta(days=366)
#: What a 64-bit column holds.
_MAX_VERSION = 2**63 - 1


def read_envelope(facts: dict[str, Any]) -> dict[str, Any]:
    """
    Return a complete, well-typed envelope from what a message says about itself, plus `not_before` where it is not due yet.

    Raises:
        UnreadableMessageError: a value has the wrong type, the message expired, or it comes from the future.
    """
    now = datetime.now(UTC)
    sent = _sent(facts, now)
    schema = _whole(facts, "schema", SCHEMA)
    if schema > SCHEMA:
        raise UnreadableMessageError(f"from the future: envelope schema {schema}, this code knows {SCHEMA}: upgrade first")
    expires = _instant("expires", facts.get("expires"))
    if expires is not None and expires <= now:
        raise UnreadableMessageError(f"it expired at {expires.isoformat()}")
    due = _instant("eta", facts.get("eta")) or _instant("not_before", facts.get("not_before"))
    if due is not None and due > now + MAX_WAIT:
        raise UnreadableMessageError(f"it is not due before {due.isoformat()}: check what its sender means")
    envelope: dict[str, Any] = {
        "message_id": _word(facts, "message_id"),
        "trace_id": _word(facts, "trace_id", default=uuid.uuid4().hex),
        "ticket_number": _word(facts, "ticket_number", default=None),
        "version": _whole(facts, "version", None),
        "sent_at": sent.isoformat() if sent else None,
        "schema": schema,
        "attempt": max(1, _whole(facts, "attempt", 1)),
    }
    if due is not None and due > now:
        envelope["not_before"] = due.isoformat()
    if expires is not None:
        # It may wait in the database first, and must not outlive its time there.
        envelope["expires"] = expires.isoformat()
    return envelope


def _sent(facts: dict[str, Any], now: datetime) -> datetime | None:
    sent = _instant("sent_at", facts.get("sent_at")) or _instant("message_timestamp", facts.get("sent_ms"))
    if sent is not None and sent > now + MAX_AHEAD:
        raise UnreadableMessageError(f"from the future: it says it was sent at {sent.isoformat()}: check the sender's clock")
    return sent


def moment(text: str) -> datetime:
    """Return the instant an ISO 8601 text names; without a zone it is UTC."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _instant(what: str, value: Any) -> datetime | None:
    """Read an ISO 8601 text or a number of milliseconds since 1970."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return moment(value).astimezone(UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise UnreadableMessageError(f"{what} is not a time: {str(value)[:60]!r}")


def _word(facts: dict[str, Any], key: str, **default: Any) -> Any:
    value = facts.get(key)
    if value is None and "default" in default:
        return default["default"]
    if not isinstance(value, str) or not value or len(value) > 200:
        raise UnreadableMessageError(f"{key} must be a text of 1 to 200 characters, not {str(value)[:60]!r}")
    return value


def _whole(facts: dict[str, Any], key: str, default: Any) -> Any:
    value = facts.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_VERSION:
        raise UnreadableMessageError(f"{key} must be a whole number, not {str(value)[:60]!r}")
    return value


def unreadable_text(text: str, value: Any) -> str | None:
    """Return why some text inside the message cannot be stored or passed on, or None. Looks closer only where it must."""
    if "\\u0000" not in text and "\\ud" not in text and "\\uD" not in text and "\x00" not in text:
        return None
    for part in _texts(value):
        if "\x00" in part:
            return "a text holds a NUL character, which databases refuse"
        try:
            part.encode()
        except UnicodeEncodeError:
            return "a text holds half a surrogate pair, which is no character"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Walk every text of a JSON value, without recursion: its depth is the sender's choice."""
    open_values = [value]
    while open_values:
        item = open_values.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            open_values.extend(item)
            open_values.extend(item.values())
        elif isinstance(item, list):
            open_values.extend(item)
