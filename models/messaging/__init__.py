"""The conversation service's part of the store: `TABLES` for the migrations; the rest by module."""

from baton.models.messaging.journeys import journey
from baton.models.messaging.tables import TABLES, Attachment, Entry, EntryRevision, Room

__all__ = ["TABLES", "Attachment", "Entry", "EntryRevision", "Room", "journey"]
