"""Signals within one process: who gets which, what a full queue means, and that only a commit tells anybody."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.live import Hub, Signal, hub, subscribe
from baton.models.live_poll import Poll
from baton.models.transaction import write_tx


def test_a_signal_reaches_the_subscribers_of_its_topic_only() -> None:
    own = Hub()
    one, other = own.subscribe("ticket:1"), own.subscribe("ticket:2", "user:7")
    own.signal([Signal("ticket:1", {"up_to": 3}), Signal("user:7")])
    assert [signal.payload for signal in one.news(0).signals] == [{"up_to": 3}]
    assert [signal.topic for signal in other.news(0).signals] == ["user:7"]
    assert not one.news(0)


def test_a_full_queue_makes_its_subscriber_behind_and_no_other() -> None:
    own = Hub()
    slow, quick = own.subscribe("ticket:1", most=2), own.subscribe("ticket:1")
    own.signal([Signal("ticket:1", {"up_to": number}) for number in range(5)])
    news = slow.news(0)
    assert (len(news.signals), news.behind) == (2, True)
    assert (len(quick.news(0).signals), slow.news(0).behind) == (5, False)


def test_a_closed_subscription_is_forgotten() -> None:
    own = Hub()
    with own.subscribe("ticket:1") as subscription:
        assert own.topics("ticket:") == ["ticket:1"]
    own.signal([Signal("ticket:1")])
    assert (own.topics(), bool(subscription.news(0))) == ([], False)


class Line:
    """An exchange that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def publish(self, signals: Any) -> None:
        self.told.extend(signal.topic for signal in signals)

    def bind(self, topic: str) -> None:
        self.told.append(("bind", topic))

    def unbind(self, topic: str) -> None:
        self.told.append(("unbind", topic))


def test_a_topic_is_bound_once_while_anybody_waits_for_it() -> None:
    own, line = Hub(), Line()
    early = own.subscribe("user:1")
    own.connect(line)
    one, two = own.subscribe("ticket:1"), own.subscribe("ticket:1")
    one.close()
    one.close()
    own.signal([Signal("ticket:9")])
    two.close()
    early.close()
    assert line.told == [("bind", "user:1"), ("bind", "ticket:1"), "ticket:9", ("unbind", "ticket:1"), ("unbind", "user:1")]


def test_a_signal_leaves_after_the_commit_and_never_without_one(databases: Any) -> None:
    with subscribe("ticket:1") as subscription:
        with write_tx("messaging") as tx:
            tx.signal("ticket:1", up_to=4)
            assert not subscription.news(0)
        assert [signal.payload for signal in subscription.news(0).signals] == [{"up_to": 4}]
        with pytest.raises(RuntimeError), write_tx("messaging") as tx:
            tx.signal("ticket:1", up_to=5)
            raise RuntimeError("no")
        assert not subscription.news(0)
    assert hub.topics("ticket:1") == []


def test_the_slow_poll_tells_what_nobody_told() -> None:
    own, numbers, asked = Hub(), {"1": 4, "2": 9}, []

    def newest(keys: Any) -> dict[str, int]:
        asked.append(sorted(keys))
        return {key: numbers[key] for key in keys}

    poll = Poll("ticket:", newest, of=own)
    subscription = own.subscribe("ticket:1")
    own.subscribe("user:7")
    assert poll.look()
    assert [signal.payload for signal in subscription.news(0).signals] == [{"up_to": 4}]
    poll.look()
    assert not subscription.news(0)
    numbers["1"] = 5
    poll.look()
    assert [signal.payload for signal in subscription.news(0).signals] == [{"up_to": 5}]
    assert asked == [["1"]] * 3
