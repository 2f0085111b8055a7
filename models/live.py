"""
Live news: signals that something has news, for whoever waits for it, in this process and in others.

    with write_tx("messaging") as tx:
        number = store(tx, comment)
        tx.signal(f"ticket:{ticket_number}", up_to=number)      # leaves once this has committed

    with subscribe(f"ticket:{ticket_number}") as subscription:  # first subscribe, then read the tables
        news = subscription.news(15.0)

A signal is a hint: "this topic has news, up to number N". The truth is in the tables. Whoever gets one reads what is new there;
whoever lost some (its queue was full, a broker was away) is told that it is `behind` and reads as well; a slow poll
(`live_poll`) finds what nobody told. Hence signals are best effort, and nothing waits for them.

In one process signals go straight from writer to subscriber. To other processes they travel through an exchange that the
process's start-up connects (`Hub.connect`); without one, other processes hear by their slow poll alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

#: Signals that wait for one subscriber at most; more are dropped, and the subscriber is behind.
WAITING_SIGNALS = 256


@dataclass(frozen=True, slots=True)
class Signal:
    """A hint that `topic` (`ticket:HD-1`, `user:7`) has news; `payload` is small, plain JSON."""

    topic: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    """What a subscriber was told since it last asked, in order; `behind` if more than that may have happened: read the tables."""

    signals: tuple[Signal, ...] = ()
    behind: bool = False

    def __bool__(self) -> bool:
        return self.behind or bool(self.signals)


class Exchange(Protocol):
    """What carries signals to other processes. Its methods return at once and raise nothing."""

    def publish(self, signals: Iterable[Signal]) -> None:
        """Take signals to where other processes get them, best effort."""

    def bind(self, topic: str) -> None:
        """Receive a topic's signals from now on; once that is so, the hub is told that the topic is behind."""

    def unbind(self, topic: str) -> None:
        """Receive them no longer."""


class Subscription:
    """A bounded queue of one subscriber's signals. Close it, or use it as a context manager."""

    def __init__(self, hub: Hub, topics: tuple[str, ...], most: int) -> None:
        self.topics = topics
        self._hub = hub
        self._most = most
        self._waiting: deque[Signal] = deque()
        self._behind = False
        self._lock = threading.Lock()
        self._event = threading.Event()

    def news(self, seconds: float | None = None) -> News:
        """Return what has come, waiting up to `seconds` for something (None: for ever); nothing came: false."""
        self._event.wait(seconds)
        with self._lock:
            self._event.clear()
            news = News(tuple(self._waiting), self._behind)
            self._waiting.clear()
            self._behind = False
        return news

    def offer(self, signal: Signal) -> None:
        """Put a signal into the queue; a full one makes the subscriber behind."""
        with self._lock:
            if len(self._waiting) < self._most:
                self._waiting.append(signal)
            else:
                self._behind = True
        self._event.set()

    def fall_behind(self) -> None:
        """Tell the subscriber that it may have missed something."""
        with self._lock:
            self._behind = True
        self._event.set()

    def wake(self) -> None:
        """Have a waiting `news` return, with nothing if nothing has come."""
        self._event.set()

    def close(self) -> None:
        """Get no more signals."""
        self._hub.forget(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Hub:
    """Who waits for which topic in this process."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, tuple[Subscription, ...]] = {}
        self._exchange: Exchange | None = None
        self._lock = threading.RLock()

    def connect(self, exchange: Exchange | None) -> None:
        """Have signals travel to and from other processes by this exchange; None: no longer."""
        with self._lock:
            self._exchange = exchange
            if exchange is not None:
                for topic in self._subscriptions:
                    exchange.bind(topic)

    def subscribe(self, *topics: str, most: int = WAITING_SIGNALS) -> Subscription:
        """Return a subscription to these topics, which holds `most` signals at most. Read the tables after this, not before."""
        subscription = Subscription(self, topics, most)
        with self._lock:
            for topic in topics:
                known = self._subscriptions.get(topic, ())
                self._subscriptions[topic] = (*known, subscription)
                if not known and self._exchange is not None:
                    self._exchange.bind(topic)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Give a subscription nothing more; a topic that nobody waits for is unbound."""
        with self._lock:
            for topic in subscription.topics:
                known = self._subscriptions.get(topic, ())
                left = tuple(other for other in known if other is not subscription)
                if left:
                    self._subscriptions[topic] = left
                elif known:
                    del self._subscriptions[topic]
                    if self._exchange is not None:
                        self._exchange.unbind(topic)

    def signal(self, signals: Iterable[Signal]) -> None:
        """Give signals to this process's subscribers and, through the exchange, to those of others."""
        signals = tuple(signals)
        for signal in signals:
            self.deliver(signal)
        if signals and self._exchange is not None:
            self._exchange.publish(signals)

    def deliver(self, signal: Signal) -> None:
        """Give a signal to this process's subscribers only."""
        for subscription in self._subscriptions.get(signal.topic, ()):
            subscription.offer(signal)

    def behind(self, topic: str | None = None) -> None:
        """Tell the subscribers of a topic (None: all) that they may have missed something."""
        with self._lock:
            groups = list(self._subscriptions.values()) if topic is None else [self._subscriptions.get(topic, ())]
        for subscription in {subscription for group in groups for subscription in group}:
            subscription.fall_behind()

    def topics(self, prefix: str = "") -> list[str]:
        """Return the topics with this prefix that somebody in this process waits for."""
        with self._lock:
            return [topic for topic in self._subscriptions if topic.startswith(prefix)]


#: This process's hub.
hub = Hub()


def subscribe(*topics: str, most: int = WAITING_SIGNALS) -> Subscription:
    """Subscribe at this process's hub; see `Hub.subscribe`."""
    return hub.subscribe(*topics, most=most)
