"""`baton tasks`: what an operator does to a ticket's task, and how a refusal is told."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner, Result

from baton.models.workflow import TaskItemHistory
from baton.scripts.task_desk import tasks
from tests.http.work.conftest import office

__all__ = ["office"]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(tasks, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_an_operator_lists_shows_assigns_holds_and_resumes(office: Any) -> None:
    (number,) = office.file()
    assert number in run("list").output and "Triage" in run("show", number).output
    assert run("assign", number, "13").exit_code == 0 and office.item(number).assignee == "13"
    refused = run("assign", number, "31")
    assert refused.exit_code == 1 and "is no active member of tts:Admin" in refused.output
    assert run("hold", number, "--reason", "x").exit_code == 0 and office.status(number) == "On Hold"
    assert run("resume", number).exit_code == 0 and office.status(number) == "Assigned"
    actors = {row.actor.partition(":")[0] for row in TaskItemHistory.select().where(TaskItemHistory.actor != "system")}
    assert actors == {"operator"}


def test_an_operator_reopens_what_ended_and_cancels_for_good(office: Any) -> None:
    number, item = office.at_step_two()
    assert run("reopen", number, "--reason", "x").exit_code == 1
    office.act(31, item.id, "complete")
    last = office.item(number)
    office.act(last.assignee, last.id, "complete")
    assert office.status(number) == "Resolved"
    assert run("reopen", number, "--reason", "still broken").exit_code == 0
    office.run()
    assert (office.status(number), office.item(number).assignee) == ("Assigned", last.assignee)
    assert run("cancel", number, "--reason", "x").exit_code == 0 and office.status(number) == "Cancelled"
    for command in ("cancel", "reopen"):
        assert run(command, number, "--reason", "x").exit_code == 1


def test_an_unknown_ticket_is_said_to_be_unknown(office: Any) -> None:
    for arguments in (("resume", "HD-404"), ("cancel", "HD-404", "--reason", "x"), ("assign", "HD-404", "11")):
        answer = run(*arguments)
        assert answer.exit_code == 1 and "has no ticket of this number" in answer.output
