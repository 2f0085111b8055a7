"""
Being on a ticket's page: whoever follows a ticket's stream of events under a name of their own (`watch`) is counted among those
who are there, and is told who else is and who types, as those are who talk over a WebSocket.

A page says that it is left (`POST .../leave`); one that cannot say so any more is forgotten when its stream breaks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from baton.http.messaging.presence import Notice
from baton.models.live import Signal
from baton.pipelines.conversation import Viewer
from baton.pipelines.permissions import Principal

#: Seconds between two signs of life on the stream of a page: how soon a broken one is noticed.
ALIVE_SECONDS = 5.0
#: Notices that wait for one page at most; older ones are dropped.
_WAITING = 50


class Watcher:
    """Somebody's page: `key` is its name among that person's pages, `wake` has its stream look for what it is told."""

    def __init__(self, viewer: Viewer, principal: Principal, key: str, wake: Callable[[], None]) -> None:
        self.viewer = viewer
        self.principal = principal
        self._key = key
        self._wake = wake
        self._told: deque[dict[str, Any]] = deque(maxlen=_WAITING)

    def show(self, notice: Notice) -> None:
        """Keep a notice for the stream."""
        self._told.append(notice.message)
        self._wake()

    def take(self) -> list[dict[str, Any]]:
        """Return what has been told since the last look; of presence, the others only."""
        told = [self._of_others(message) for message in self._told]
        self._told.clear()
        return told

    def is_gone(self, signals: Iterable[Signal]) -> bool:
        """Whether one of the signals says that this page was left."""
        return any(signal.payload.get("gone") == [self.viewer.subject, self._key] for signal in signals)

    def _of_others(self, message: dict[str, Any]) -> dict[str, Any]:
        if "people" not in message:
            return message
        return {**message, "people": [each for each in message["people"] if each["id"] != self.viewer.subject]}


def gone(viewer: Viewer, key: str) -> dict[str, Any]:
    """Return the payload that says that a page was left."""
    return {"gone": [viewer.subject, key]}
