"""`baton workflows move`: what would happen, what happens, what stays, and how wrong requests are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models.database import read_tx
from baton.models.workflow import Task, TaskItemHistory, Workflow, WorkflowVersion
from baton.scripts.workflows import workflows
from tests.designs import PURCHASE
from tests.http.workflow.design_office import DesignOffice, open_office
from tests.http.workflow.test_moves import second_version


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(workflows, ["move", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """A workflow with a deployed version 1, tasks HD-1 to HD-3 at its first step, Triage, and a deployed version 2."""
    found = open_office(client)
    path = f"/workflows/{found.call('POST', '/workflows', PURCHASE).json['id']}"
    found.call("POST", f"{path}/deploy")
    for number in ("HD-1", "HD-2", "HD-3"):
        found.file(number, category="Purchase")
    found.call("POST", f"{path}/versions", {"definition": second_version()})
    assert found.call("POST", f"{path}/deploy").status_code == 200
    found.run()
    return found


def versions() -> dict[str, int]:
    """Return the number of the version that each task is on."""
    with read_tx("workflow"):
        query = Task.select(Task.ticket_number, WorkflowVersion.number)
        rows = query.join(WorkflowVersion, on=(WorkflowVersion.id == Task.workflow_version)).tuples()
        return dict(rows)


def test_a_dry_run_says_what_would_move_and_changes_nothing(office: DesignOffice) -> None:
    told = run("Purchase", "--to", 2, "--all", "--map", "Triage=Check", "--dry-run")
    assert told.exit_code == 0 and "HD-1  moved  Triage -> Check: it stays with" in told.output
    assert told.output.endswith("3 would move to version 2, 0 would stay\n")
    assert versions() == {"HD-1": 1, "HD-2": 1, "HD-3": 1}


def test_a_named_ticket_moves_and_the_others_stay(office: DesignOffice) -> None:
    assert run("purchase", "--to", 2, "--ticket", "HD-2", "--map", "Triage=Check", "--reason", "new rules").exit_code == 0
    assert versions() == {"HD-1": 1, "HD-2": 2, "HD-3": 1}
    with read_tx("workflow"):
        row = TaskItemHistory.select().where(TaskItemHistory.event == "moved").first()
        assert row.actor.startswith("operator") and "new rules" in row.reason


def test_all_are_moved_page_by_page_and_again_is_nothing(office: DesignOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.scripts.workflow_moves.PAGE", 2)
    with read_tx("workflow"):
        workflow = Workflow.get(Workflow.name == "Purchase").id
    moved = run(workflow, "--to", 2, "--all", "--map", "Triage=Check")
    assert moved.exit_code == 0 and moved.output.endswith("3 moved to version 2, 0 stay\n")
    assert set(versions().values()) == {2}
    assert run(workflow, "--to", 2, "--all").output == "0 moved to version 2, 0 stay\n"


def test_a_step_without_a_counterpart_keeps_its_task_and_fails_the_command(office: DesignOffice) -> None:
    kept = run("Purchase", "--to", 2, "--all")
    assert kept.exit_code == 1 and "HD-1  stays  Triage: step 'Triage' has no counterpart" in kept.output
    assert set(versions().values()) == {1}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("Purchase", "--to", 2), 2, "name tickets by --ticket, or say --all"),
        (("Purchase", "--to", 2, "--all", "--ticket", "HD-1"), 2, "name tickets by --ticket, or say --all"),
        (("Purchase", "--to", 2, "--all", "--map", "Triage"), 2, "write OLD=NEW"),
        (("Purchase", "--to", 0, "--all"), 2, "is not in the range"),
        (("Purchase", "--to", 9, "--all"), 1, "has no version 9. Nothing was moved."),
        (("Purchase", "--to", 2, "--all", "--map", "Triage=Nonsense"), 1, "has no such step"),
        (("Nonsense", "--to", 2, "--all"), 1, "there is no workflow 'Nonsense'"),
        (("Purchase", "--to", 2, "--ticket", "HD-404"), 1, "it has no task on this workflow"),
    ],
)
def test_a_wrong_request_changes_nothing(office: DesignOffice, arguments: tuple[object, ...], code: int, said: str) -> None:
    told = run(*arguments)
    assert told.exit_code == code and said in told.output, told.output
    assert set(versions().values()) == {1}
