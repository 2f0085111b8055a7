"""Every actor of the project, for the tests that need all of them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def every_actor() -> list[Any]:
    """Import the services' actor modules and return their actors, each once."""
    import dramatiq

    import baton.actors

    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(baton.actors.__path__, "baton.actors."):
        members = vars(importlib.import_module(module.name)).values()
        found.update({member.actor_name: member for member in members if isinstance(member, dramatiq.Actor)})
    return list(found.values())
