"""
Waking whoever waits for new rows within this process.

A commit that leaves messages in an outbox calls `wake(topic)`; the relay of the same process waits on the topic's event. Across
processes PostgreSQL's NOTIFY does the same, and SQLite's data version is polled. A lost wake-up only costs the poll interval.
"""

from __future__ import annotations

import threading

_events: dict[str, list[threading.Event]] = {}


def subscribe(*topics: str) -> threading.Event:
    """Return an event that is set whenever one of the topics is woken; the waiter clears it before it looks."""
    event = threading.Event()
    for topic in topics:
        _events.setdefault(topic, []).append(event)
    return event


def unsubscribe(event: threading.Event) -> None:
    """Forget an event made by `subscribe`."""
    for events in _events.values():
        if event in events:
            events.remove(event)


def wake(topic: str) -> None:
    """Set the events of a topic."""
    for event in _events.get(topic, ()):
        event.set()
