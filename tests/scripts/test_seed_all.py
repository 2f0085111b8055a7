"""Seeding everything: in the right order, twice without duplicates, and from nothing after a flush."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from click.testing import CliRunner, Result

import baton.actors  # noqa: F401 - sets the broker, which the tests replace
from baton.actors.broker import middleware
from baton.actors.stub_broker import MemoryBroker
from baton.models import database, migrate
from baton.models.settings import SERVICES
from baton.scripts.cli import cli
from baton.scripts.seed_all import KEPT


@pytest.fixture(autouse=True)
def broker(databases: Any) -> Any:
    before = dramatiq.get_broker()
    broker = MemoryBroker(middleware())
    dramatiq.set_broker(broker)
    yield broker
    dramatiq.set_broker(before)


def run(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, words, input=answer)


def counts() -> dict[str, int]:
    found = {}
    for service in SERVICES:
        with database.read_tx(service):
            for model in migrate.service_models(service):
                if model.__name__ not in (*KEPT, "Outbox"):
                    found[f"{service}.{model.__name__}"] = model.select().count()
    return found


def test_everything_is_seeded_once_however_often_it_is_run() -> None:
    first = run("seed_all")
    assert first.exit_code == 0, first.output
    before = counts()
    assert (before["helpdesk.Ticket"], before["auth.Employee"], before["workflow.Workflow"]) == (70, 150, 5)
    again = run("seed_all")
    assert (again.exit_code, counts()) == (0, before)


def test_a_flush_asks_first_and_then_starts_from_nothing() -> None:
    run("seed_all")
    before = counts()
    assert run("seed_all", "--flush", answer="n\n").exit_code == 1
    assert counts() == before
    run("create_test_ticket", "--test-id", "t")
    flushed = run("seed_all", "--flush", "--yes")
    assert flushed.exit_code == 0, flushed.output
    assert counts() == before
    assert run("get_ticket_status", "t").exit_code == 1
