"""What every message is and carries: the root of the catalogue, and the envelope beside a message's fields."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

#: The envelope version this code writes. A message that claims a higher one comes from the future and is dead-lettered.
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """
    What a message carries beside its fields.

    `version` orders messages about the same thing (a ticket's status, a role): a receiver ignores one that is not newer than
    what it has. None where the sender keeps no order (foreign senders).
    """

    message_id: str
    trace_id: str
    ticket_number: str | None = None
    version: int | None = None
    sent_at: str | None = None
    schema: int = SCHEMA
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Message:
    """Root of the catalogue."""

    name: ClassVar[str]
    queue: ClassVar[str]
    senders: ClassVar[tuple[str, ...]]
    receiver: ClassVar[str]

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments as they travel: plain JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
