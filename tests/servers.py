"""
RabbitMQ, PostgreSQL and Chromium for one test session: found or started when the first test asks, cleaned at the end.

A test that cannot have them is skipped with the reason, once found out; with `CI=true` it fails instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Server = TypeVar("Server")

_failures: dict[str, str] = {}


def obtain(kind: str, acquire: Callable[[], Server]) -> Server:
    """Return the server, or skip (fail in CI) the test that asked; a server that could not be had is not tried again."""
    from baton.scripts.private_servers.common import ServersUnavailableError

    if kind not in _failures:
        try:
            return acquire()
        except ServersUnavailableError as error:
            _failures[kind] = str(error)
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI promises {kind}: {_failures[kind]}", pytrace=False)
    pytest.skip(_failures[kind])


def postgres() -> Any:
    """Return a PostgreSQL server: reachable, private or installed."""
    from baton.scripts.private_servers import postgres as servers

    return obtain("PostgreSQL", servers.acquire)


def rabbitmq() -> Any:
    """Return a RabbitMQ server: reachable, private or installed."""
    from baton.scripts.private_servers import rabbitmq as servers

    return obtain("RabbitMQ", servers.acquire)


def chromium() -> str:
    """Return the path of a Chromium: named, found or installed."""
    from baton.scripts.private_servers import chromium as browsers

    return obtain("Chromium", browsers.acquire)
