"""Databases and brokers go away and come back: nothing is lost, nothing is counted, a stopping process gives back what it has."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from baton.actors import batches, patience
from baton.actors.batches import run_batch
from baton.actors.broker import stopping
from baton.actors.broker_api import BrokerUnavailableError
from baton.models.database import DatabaseUnavailableError
from tests.actors.notes import T, batch_of, handler, keep, kept, rows, wire_of


@pytest.fixture
def outage(monkeypatch):
    """Make the next `outage(n)` transactions of handlers fail as when the server is away."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    real, left = batches.write_tx, [0]

    def away(service: str) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise DatabaseUnavailableError("connection refused")
        return real(service)

    monkeypatch.setattr(batches, "write_tx", away)
    return lambda times: left.__setitem__(0, times)


def test_a_database_that_is_away_is_waited_for_and_does_not_count(memory_broker, outage):
    outage(5)
    batch = batch_of(wire_of("one"), wire_of("two"))
    run_batch(handler(keep, max_retries=0), batch)
    assert (kept(), batch.released, memory_broker.letters, rows(T.DeferredMessage)) == (["one", "two"], False, [], [])


def test_a_process_that_stops_while_it_waits_gives_the_batch_back(memory_broker, outage):
    outage(10**6)
    stopping.set()
    batch = batch_of(wire_of("one"), wire_of("two"))
    run_batch(handler(keep), batch)
    assert (batch.released, memory_broker.letters, kept()) == (True, [], [])


def test_a_broker_that_is_away_delays_the_dead_letter_and_loses_nothing(memory_broker, monkeypatch):
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    real, failures = memory_broker.dead_letter, iter([1, 2, 3])

    def dead_letter(*args: Any, **kwargs: Any) -> None:
        if next(failures, None):
            raise BrokerUnavailableError("no confirmation")
        real(*args, **kwargs)

    monkeypatch.setattr(memory_broker, "dead_letter", dead_letter)
    batch = batch_of(wire_of("bad", kwargs="{}"))
    run_batch(handler(keep), batch)
    assert (len(memory_broker.letters), batch.released) == (1, False)


def test_an_unforeseen_error_of_the_runtime_releases_the_batch(memory_broker, monkeypatch):
    monkeypatch.setattr(batches, "read_delivery", lambda *_: 1 / 0)
    batch = batch_of(wire_of("one"))
    with pytest.raises(ZeroDivisionError):
        run_batch(handler(keep), batch)
    assert batch.released


class ServerError(psycopg.OperationalError):
    """What the driver raises, with the SQLSTATE of a server's answer."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("the server said no")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "outage"), [(None, True), ("57P01", True), ("40P01", True), ("57014", False), ("54000", False)]
)
def test_only_what_passes_by_itself_is_waited_for(sqlstate, outage):
    try:
        raise DatabaseUnavailableError("no") from ServerError(sqlstate)
    except DatabaseUnavailableError as error:
        assert patience.is_outage(error) is outage
