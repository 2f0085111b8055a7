"""`baton workflows`: what it shows and does, its exit codes, and what the doctor says of workflows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models.database import connection
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import Step, Task, TaskItem, Transition, Workflow, WorkflowVersion
from baton.pipelines.definition_texts import read_definition, write_definition
from baton.scripts.checks.definitions import check_definitions
from baton.scripts.workflows import workflows
from tests.designs import purchase


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(workflows, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def _seeded(databases: Any, stub_broker: Any) -> None:
    from baton.actors.workflow import seeding

    with write_tx("workflow") as tx:
        seeding.seed_roles(tx)
        seeding.seed_workflows(tx)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "purchase.toml"
    found.write_text(write_definition(purchase()), encoding="utf-8")
    return found


def test_workflows_are_listed_with_what_is_deployed_and_what_they_match() -> None:
    lines = run("list").output.splitlines()
    assert lines[0].split() == ["NAME", "DEPLOYED", "NEWEST", "MATCHES"] and len(lines) == 6
    assert "1 deployed" in lines[5] and "category 'IT Support' and department 'IT Department'" in lines[5]


def test_a_workflow_is_drawn_as_text_and_as_a_picture(tmp_path: Path) -> None:
    shown = run("show", "it support", "--svg", tmp_path / "it.svg")
    assert shown.exit_code == 0 and "└─ Accept ─▶ 2 Resolve" in shown.output and "■ end" in shown.output
    assert ET.parse(tmp_path / "it.svg").getroot().tag.endswith("svg")
    assert run("show", "Nonsense").exit_code == 1
    assert run("show", "IT Support", "--version", "2").exit_code == 1


def test_validation_names_each_fault_on_a_line_with_its_remedy(tmp_path: Path, file: Path) -> None:
    good = run("validate", file)
    assert good.exit_code == 0 and good.output.endswith("Purchase: can be deployed\n")
    assert "warning  Order: nobody is active in the role 'Asset Manager': work will wait  -> grant the role" in good.output
    bad = tmp_path / "bad.toml"
    bad.write_text(file.read_text().replace('"Cheap", to = "Order"', '"Cheap", to = "Orda"').replace('"budget"', '"rocket"'))
    found = run("validate", bad)
    assert found.exit_code == 1
    lines = [line for line in found.output.splitlines() if line.startswith("error")]
    assert len(lines) == 2 and "[transition-to-nowhere]" in lines[0] and "-> use one of asset" in lines[1]
    bad.write_text("name = 3\ncolour = 1")
    shape = run("validate", "--offline", bad)
    assert shape.exit_code == 1 and len(shape.output.splitlines()) == 3


def test_a_file_is_imported_once_deployed_and_exported_as_it_was(file: Path, tmp_path: Path) -> None:
    made = run("import", file, "--deploy")
    assert made.exit_code == 0 and "Purchase version 1: created" in made.output and "version 1: deployed" in made.output
    assert "version 1: left, it is the same" in run("import", file).output
    assert run("export", "Purchase", "-o", tmp_path / "out.toml").exit_code == 0
    assert (tmp_path / "out.toml").read_text(encoding="utf-8") == file.read_text(encoding="utf-8")
    file.write_text(file.read_text().replace("Things that", "What"))
    assert "Purchase version 2: created" in run("import", file).output
    assert "2 draft" in run("list").output and run("match", "--category", "purchase").output.startswith("Purchase version 1")
    assert run("deploy", "Purchase").output.endswith("Purchase version 2: deployed\n")
    assert read_definition(run("export", "purchase").output).description == "What cost money."
    assert run("deploy", "Purchase", "--version", "1").exit_code == 0
    outbox = runtime_tables("workflow").Outbox
    with connection("workflow"):
        assert [row.name for row in outbox.select()].count("workflow.drain_triage") == 5 + 3


def test_what_a_deployed_workflow_matches_equally_is_deployed_by_force_only(tmp_path: Path) -> None:
    text = write_definition(purchase(match=[{"category": "Others"}]))
    (tmp_path / "rival.toml").write_text(text)
    refused = run("import", tmp_path / "rival.toml", "--deploy")
    assert refused.exit_code == 1 and "[same-match]" in refused.output and "--force deploys it all the same" in refused.output
    assert run("deploy", "Purchase").exit_code == 1
    assert run("deploy", "Purchase", "--force").exit_code == 0
    assert "also: Purchase version 1, by category" in run("match", "--category", "others").output


def test_what_matches_nothing_goes_to_triage_with_exit_code_1() -> None:
    asked = run("match", "--category", "thunderbird", "--department", "IT Department")
    assert asked.exit_code == 1 and asked.output.startswith("triage: no deployed workflow matches category 'thunderbird'")


def findings() -> dict[str, str]:
    return {finding.check: finding.level for finding in check_definitions()}


def test_w_2_the_doctor_finds_no_orphans_while_versions_come_and_go(file: Path) -> None:
    run("import", file, "--deploy")
    file.write_text(file.read_text().replace("Things that", "What"))
    run("import", file, "--deploy")
    assert set(findings().values()) == {"ok"}


def test_the_doctor_finds_orphaned_steps_strays_and_versions_changed_by_hand() -> None:
    with write_tx("workflow") as tx:
        version = WorkflowVersion.select().order_by(WorkflowVersion.id).first()
        step = Step.select().where(Step.version == version.id, Step.position == 2).get()
        task = Task.create(ticket_number="HD-1", workflow_version=version.id, created_at=tx.now)
        TaskItem.create(task=task.id, step=step.id, ticket_number="HD-1", role=step.role, created_at=tx.now)
    assert set(findings().values()) == {"ok"}
    with write_tx("workflow"):
        Transition.update(name="Sneak").where(Transition.from_step == step.id).execute()
    assert [check for check, level in findings().items() if level == "fail"] == ["workflows unchanged"]
    with write_tx("workflow"):
        Step.delete().where(Step.id == step.id).execute()
    assert set(findings().values()) == {"fail"}
    assert Workflow.select().count() == 5
