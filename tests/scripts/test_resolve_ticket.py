"""`baton resolve_ticket`: walks to the status asked for, changes nothing in a dry run, and says why it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from baton.models.workflow import TABLES, TaskItem, TaskItemHistory
from baton.pipelines.permissions import Principal
from baton.scripts import resolve_ticket as command
from tests.factories import bearer
from tests.http.work.conftest import Office, office

__all__ = ["office"]


class FrontClient:
    """Stands in for the service client: the requests go to the office's front, and its messages are carried."""

    def __init__(self, office: Office, asked: list[str], service: str) -> None:
        self.office = office
        self.asked = asked
        self.headers = bearer(Principal("service", service))

    def __enter__(self) -> FrontClient:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, url: str) -> httpx.Response:
        return self._answer("GET", url, None, {})

    def post(self, url: str, json: Any, headers: dict[str, str]) -> httpx.Response:
        self.asked.append(url.rpartition("/")[2])
        return self._answer("POST", url, json, headers)

    def _answer(self, method: str, url: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        path = httpx.URL(url).path
        answer = self.office.front.simulate_request(method, path, headers={**self.headers, **headers}, json=body)
        self.office.run()
        return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": "application/json"})


@pytest.fixture
def asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The actions that the command asks for, on the office."""
    actions: list[str] = []
    monkeypatch.setattr(command, "ServiceClient", lambda _settings, name, patience: FrontClient(office, actions, name))
    yield actions


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(command.resolve_ticket, ["--wait-timeout", "0", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def rows() -> dict[str, int]:
    return {table.__name__: table.select().count() for table in TABLES}


def test_a_ticket_is_walked_through_every_step_to_resolved(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    done = run(number)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"{number} Resolved"), done.output
    assert asked == ["start", "complete"] * 3
    assert office.status(number) == "Resolved"
    actors = {row.actor for row in TaskItemHistory.select().where(TaskItemHistory.event == "completed")}
    assert actors == {"service:operator"}


def test_a_ticket_is_walked_to_in_progress_and_no_further(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    done = run(number, "--target-status", "in progress")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"{number} In Progress"), done.output
    assert asked == ["start"] and TaskItem.get().state == "in progress"


def test_a_resolved_ticket_is_there_already(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    assert run(number).exit_code == 0
    asked.clear()
    again = run(number)
    assert (again.exit_code, again.output, asked) == (0, f"{number} Resolved\n", [])
    back = run(number, "--target-status", "In Progress")
    assert back.exit_code == 1 and "is Resolved already" in back.output


def test_a_dry_run_says_what_comes_next_and_changes_nothing(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    before = rows(), TaskItem.get().version
    said = run(number, "--dry-run")
    assert said.exit_code == 0 and said.output == f"{number} Assigned; next: start step Triage\n"
    assert (rows(), TaskItem.get().version) == before and asked == []


def test_an_unknown_ticket_is_said_to_be_unknown(office: Office, asked: list[str]) -> None:
    for options in ((), ("--dry-run",)):
        said = run("HD-404", *options)
        assert said.exit_code == 1 and "has no ticket of this number" in said.output


def test_a_ticket_in_triage_is_not_walked_and_the_reason_is_said(office: Office, asked: list[str]) -> None:
    (number,) = office.file(category="nothing", department="nowhere")
    said = run(number)
    assert said.exit_code == 1 and "it waits in triage" in said.output and asked == []
    dry = run(number, "--dry-run")
    assert dry.exit_code == 0 and "it waits in triage" in dry.output


def test_a_status_that_nothing_is_walked_to_is_a_wrong_call(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    assert run(number, "--target-status", "Closed").exit_code == 2 and asked == []


def test_a_step_that_wants_approval_ends_the_walk_with_the_reason(office: Office, asked: list[str]) -> None:
    (number,) = office.file()
    office.need_approvals(1)
    said = run(number)
    assert said.exit_code == 1 and "1 of 1 approvals are missing" in said.output, said.output
