"""`baton workflows`: see, judge, deploy, move, export and import workflows, and ask which one a ticket would get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baton.models.database import read_tx
from baton.models.transaction import write_tx
from baton.models.workflow import Workflow, reading
from baton.models.workflow.allocation_store import hold_deployments, read_deployed
from baton.pipelines.allocation import Allocated, match_workflow, write_rule_book
from baton.pipelines.allocation import read_deployed as read_rules
from baton.pipelines.definition_texts import read_definition, write_definition
from baton.pipelines.definitions import Definition, DefinitionError
from baton.pipelines.outline import outline
from baton.pipelines.picture import draw
from baton.pipelines.validation import Fault, Surroundings, blocking, said, validate
from baton.scripts import workflow_acts as acts
from baton.scripts.ticket_commands import fail, prepare
from baton.scripts.workflow_moves import move

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group()
def workflows() -> None:
    """Workflows: list, show, validate, deploy, move, export, import, match."""


workflows.add_command(move)


@workflows.command("list")
def list_() -> None:
    """List the workflows, oldest first: the version new tickets get, the newest one, and what they match."""
    prepare("workflow")
    with read_tx("workflow"):
        rows = [_row(workflow) for workflow in reading.workflows().order_by(Workflow.id)]
    if not rows:
        click.echo("No workflows. Make the five that Baton comes with: baton seed_workflows")
        return
    lines = [("NAME", "DEPLOYED", "NEWEST", "MATCHES"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@workflows.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="Which version; the deployed one by default, else the newest.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture to this file.")
def show(name: str, number: int | None, svg: Path | None) -> None:
    """Draw the workflow NAME as text: its steps and what leads where."""
    prepare("workflow")
    with read_tx("workflow"):
        workflow, version, definition = acts.find(name, number)
    heading = f"{workflow.name}, version {version.number} ({version.state})"
    click.echo(heading)
    for line in outline(definition):
        click.echo(line)
    if svg is not None:
        svg.write_text(draw(definition, heading=heading), encoding="utf-8")
        click.echo(f"\nthe picture is in {svg}")


@workflows.command("validate")
@click.argument("file", type=_FILE)
@click.option("--offline", is_flag=True, help="Judge the file alone: neither roles nor other workflows are looked at.")
def validate_(file: Path, offline: bool) -> None:
    """Name everything wrong with the workflow in FILE. Exit code 1 if it could not be deployed; warnings do not count."""
    definition = _read(file)
    if offline:
        faults = validate(definition, Surroundings())
    else:
        prepare("workflow")
        with read_tx("workflow"):
            faults = acts.judge(definition)
    _print_faults(faults)
    if blocking(faults):
        raise SystemExit(1)
    click.echo(f"{definition.name}: can be deployed")


@workflows.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="Which version; the newest by default.")
@click.option("--force", is_flag=True, help="Although a deployed workflow matches the same tickets equally.")
def deploy(name: str, number: int | None, force: bool) -> None:
    """Give a version of the workflow NAME to new tickets; those in triage that it matches are allocated next."""
    prepare("workflow")
    with write_tx("workflow") as tx:
        hold_deployments(tx, alone=True)
        workflow, version, definition = acts.find(name, number, newest=True)
        faults = acts.deploy(tx, workflow, version, definition, force=force)
    _told(faults, force)
    click.echo(f"{workflow.name} version {version.number}: deployed")


@workflows.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="Which version; the deployed one by default, else the newest.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def export(name: str, number: int | None, output: Path | None) -> None:
    """Write the workflow NAME as TOML."""
    prepare("workflow")
    with read_tx("workflow"):
        _, _, definition = acts.find(name, number)
    text = write_definition(definition)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="\n")


@workflows.command("import")
@click.argument("file", type=_FILE)
@click.option("--deploy", "at_once", is_flag=True, help="Deploy it, too.")
@click.option("--force", is_flag=True, help="Deploy although a deployed workflow matches the same tickets equally.")
def import_(file: Path, at_once: bool, force: bool) -> None:
    """
    Store the workflow in FILE: a new one, or a new version of the one of its name, as a draft.

    What is there already is left.
    """
    definition = _read(file)
    prepare("workflow")
    with write_tx("workflow") as tx:
        hold_deployments(tx, alone=True)
        workflow, version, is_new = acts.bring_in(tx, definition)
        faults = acts.judge(definition, workflow)
        if at_once:
            faults = acts.deploy(tx, workflow, version, definition, force=force)
    click.echo(f"{workflow.name} version {version.number}: {'created' if is_new else 'left, it is the same'}")
    if at_once:
        _told(faults, force)
        click.echo(f"{workflow.name} version {version.number}: deployed")
    else:
        _print_faults(faults)


@workflows.command()
@click.option("--category", help="The ticket's category.")
@click.option("--department", help="The ticket's department.")
def match(category: str | None, department: str | None) -> None:
    """Say which workflow a ticket would get now, and why. Exit code 1 when it would go to triage."""
    prepare("workflow")
    with read_tx("workflow"):
        decision = match_workflow(category, department, write_rule_book(read_rules(read_deployed())))
    if not isinstance(decision, Allocated):
        click.echo(f"triage: {decision.reason}")
        for near in decision.considered:
            click.echo(f"  near: {near['workflow']} version {near['version']}, but {near['why']}")
        raise SystemExit(1)
    click.echo(f"{decision.workflow.name} version {decision.workflow.version_number}: {decision.reason}")
    for other in decision.considered[1:]:
        click.echo(f"  also: {other['workflow']} version {other['version']}, by {other['matched_by']}")


def _row(workflow: Workflow) -> tuple[str, str, str, str]:
    _, newest, _ = acts.find(workflow.name, None, newest=True)
    _, _, shown = acts.find(workflow.name, None)
    deployed = acts.deployed_number(workflow)
    rules = "; ".join(said(rule) for rule in shown.rules) or "nothing: picked by hand"
    return workflow.name, str(deployed or "-"), f"{newest.number} {newest.state}", rules


def _read(file: Path) -> Definition:
    try:
        return read_definition(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return fail_with([f"{file} is not UTF-8"])
    except DefinitionError as error:
        return fail_with([f"{file}: {each}" for each in error.errors])


def fail_with(lines: list[str]) -> Any:
    """Say each line on standard error and exit 1."""
    return fail("\n".join(lines))


def _told(faults: list[Fault], force: bool) -> None:
    """Print the faults; exit 1 if one of them keeps the workflow from being deployed."""
    _print_faults(faults)
    errors = blocking(faults, force=force)
    if errors:
        over = "" if blocking(faults, force=True) else "; --force deploys it all the same"
        fail(f"not deployed: {len(errors)} {'fault' if len(errors) == 1 else 'faults'}{over}")


def _print_faults(faults: list[Fault]) -> None:
    for fault in faults:
        where = f"{fault.where}: " if fault.where else ""
        click.echo(f"{fault.severity:7}  {where}{fault.message}  -> {fault.remedy}  [{fault.code}]")
