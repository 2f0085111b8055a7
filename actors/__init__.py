"""Message handlers. Importing this package sets the broker that the settings name, and does no more."""

import dramatiq

from baton.actors.broker import make_broker
from baton.models.settings import get_settings

dramatiq.set_broker(make_broker(get_settings()))
