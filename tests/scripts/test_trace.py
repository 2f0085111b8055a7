"""`baton trace`: the journey in the order of time, and what has not arrived."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from click.testing import CliRunner, Result

from baton.models import database as db
from baton.models.database import DatabaseUnavailableError
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.pipelines.messages import ReceiveTicket
from baton.scripts import trace as command
from tests.scripts.installations import NUMBER, file_ticket, take_in


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.trace, list(arguments))


def test_a_ticket_is_followed_across_services_in_the_order_of_time(databases: Any) -> None:
    file_ticket()
    take_in()

    result = run(NUMBER.lower())

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "helpdesk" in lines[0]
    assert "workflow" in lines[1]
    assert lines == sorted(lines, key=lambda line: line[:27])


def test_every_service_can_tell_its_part(databases: Any) -> None:
    assert "could not be asked" not in run("HD-99999999").stderr


def test_a_message_that_waits_is_shown_even_when_nobody_has_the_ticket_yet(databases: Any) -> None:
    with write_tx("helpdesk") as tx:
        tx.announce(ReceiveTicket(payload={}), ticket_number=NUMBER)
        tx.announce(ReceiveTicket(payload={}), ticket_number=NUMBER + "9")
    with write_tx("workflow") as tx:
        envelope = json.dumps({"ticket_number": NUMBER}, separators=(",", ":"))
        row = {"queue": "q", "name": "some.message", "kwargs": "{}", "envelope": envelope, "message_id": "1"}
        due_at = tx.now + timedelta(minutes=1)
        runtime_tables("workflow").DeferredMessage.insert(**row, attempt=3, reason="no role yet", due_at=due_at).execute()

    document = json.loads(run(NUMBER, "--json").stdout)

    assert sorted(entry["event"] for entry in document["under_way"]) == ["is tried again later", "waits in the outbox"]
    assert any("no role yet" in entry["detail"] for entry in document["under_way"])


def test_a_message_that_was_given_up_on_is_shown_with_the_command_that_tells_more(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baton.actors.broker_api import DeadLetter, WireMessage

    letter = DeadLetter(
        id="42", queue="workflow.allocation", reason="no such ticket", attempts=3, died_at="2026-01-01T00:00:00+00:00",
        actor_name="workflow.allocate_ticket", ticket_number=NUMBER, traceback="",
        wire=WireMessage("workflow.allocation", b"", "1"),
    )  # fmt: skip

    class Letters(dramatiq.Broker):
        def dead_letters(self, queue: str, limit: int) -> list[DeadLetter]:
            return [letter] if queue == letter.queue else []

        def close(self) -> None:
            pass

    monkeypatch.setattr(command, "make_broker", lambda _: Letters(middleware=[]))

    assert "baton dead-letters show workflow.allocation 42" in run(NUMBER).stdout


def test_an_unknown_ticket_is_an_error(databases: Any) -> None:
    result = run("HD-99999999")

    assert result.exit_code == 1
    assert "HD-99999999" in result.stderr


def test_a_service_that_cannot_be_asked_does_not_hide_the_others(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import baton.models.workflow

    file_ticket()
    monkeypatch.setattr(baton.models.workflow, "journey", lambda _: 1 / 0)

    result = run(NUMBER)

    assert result.exit_code == 0
    assert "helpdesk" in result.stdout
    assert "workflow: division by zero" in result.stderr


def test_a_database_that_is_away_is_asked_once(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file_ticket()
    asked: list[str] = []

    def connection(service: str) -> None:
        asked.append(service)
        raise DatabaseUnavailableError("away")

    monkeypatch.setattr(db, "connection", connection)

    result = run(NUMBER)

    assert result.exit_code == 1
    assert "workflow: away" in result.stderr
    assert sorted(asked) == sorted(SERVICES)


def test_what_people_wrote_cannot_steer_the_terminal(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import baton.models.helpdesk

    file_ticket()
    real = baton.models.helpdesk.journey
    monkeypatch.setattr(
        baton.models.helpdesk, "journey", lambda number: [{**event, "detail": "a\x1b[2Jb\nc"} for event in real(number)]
    )

    assert "a [2Jb c" in run(NUMBER).stdout
