"""A process of its own that sends what is due: to be killed by tests. The environment says where."""

from __future__ import annotations

import sys

from baton.actors.notifications.mailing import send_mails
from baton.models import database
from baton.models.settings import get_settings

if __name__ == "__main__":
    database.configure(get_settings())
    sys.exit(0 if send_mails("notifications") else 3)
