"""The help desk's part of the store: `TABLES` for the migrations, `journey` for `baton trace`; the rest by module."""

from baton.models.helpdesk.tables import TABLES
from baton.models.helpdesk.tickets import journey

__all__ = ["TABLES", "journey"]
