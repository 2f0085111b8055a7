"""The notifications service's part of the store: `TABLES` for the migrations, `journey` for `baton trace`; the rest by module."""

import peewee as pw

from baton.models.notifications import tables
from baton.models.notifications.email_tables import EMAIL_TABLES, EmailDelivery
from baton.models.notifications.journeys import journey
from baton.models.notifications.tables import Mailbox, Notification, Preference, Retraction, TicketMute, UserSettings

TABLES: list[type[pw.Model]] = [*tables.TABLES, *EMAIL_TABLES]

__all__ = [
    "TABLES",
    "EmailDelivery",
    "Mailbox",
    "Notification",
    "Preference",
    "Retraction",
    "TicketMute",
    "UserSettings",
    "journey",
]
