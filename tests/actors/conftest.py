"""Brokers for tests of the runtime itself, which declare their own actors: nothing of the project's is on them."""

from __future__ import annotations

import dramatiq
import pytest

from baton.actors import issue_reporting
from baton.actors.broker import middleware, stopping
from baton.actors.embedded_broker import EmbeddedBroker
from baton.actors.issue_limiter import Limiter
from baton.actors.stub_broker import MemoryBroker
from tests.actors.notes import open_tables


@pytest.fixture(autouse=True)
def _nothing_told_yet(monkeypatch):
    """Let the first failure of each test be told, whatever failed in the test before."""
    monkeypatch.setattr(issue_reporting, "_limiter", Limiter())


@pytest.fixture
def memory_broker(tmp_path):
    """An empty in-memory broker, and the tables of the service of `notes`."""
    open_tables(tmp_path)
    before = dramatiq.get_broker()
    broker = MemoryBroker(middleware())
    dramatiq.set_broker(broker)
    stopping.clear()
    yield broker
    dramatiq.set_broker(before)


@pytest.fixture
def embedded_broker(tmp_path):
    """Open one broker file, as often as a test has processes; the tables of `notes` are there too."""
    open_tables(tmp_path)
    before, opened = dramatiq.get_broker(), []

    def make() -> EmbeddedBroker:
        opened.append(EmbeddedBroker(tmp_path / "broker.db", batch_size=20, synchronous="NORMAL", middleware=middleware()))
        return opened[-1]

    stopping.clear()
    yield make
    for broker in opened:
        broker.close()
    dramatiq.set_broker(before)
