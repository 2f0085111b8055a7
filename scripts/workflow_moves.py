"""`baton workflows move`: running tasks go on in another version of their workflow."""

from __future__ import annotations

import click
from pydantic import ValidationError

from baton.http.problems import Problem
from baton.http.workflow.definition_views import Move, MovedTask, MoveView
from baton.http.workflow.moves import move as move_tasks
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from baton.models.workflow import Workflow
from baton.pipelines.move import REFUSED
from baton.scripts import workflow_acts as acts
from baton.scripts.task_desk import operator
from baton.scripts.ticket_commands import fail, prepare

#: Tasks that one transaction moves.
PAGE = 100


@click.command()
@click.argument("workflow", metavar="NAME_OR_ID")
@click.option("--to", "number", type=click.IntRange(1, 2**31 - 1), required=True, help="The version they go on in.")
@click.option("--ticket", "tickets", multiple=True, help="A ticket number; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Every open task of the workflow that is on another version.")
@click.option("--map", "mapping", multiple=True, metavar="OLD=NEW", help="The step NEW takes the place of the step OLD.")
@click.option("--reason", default="", help="Why; the history keeps it.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each task, and change nothing.")
def move(
    workflow: str, number: int, tickets: tuple[str, ...], everything: bool, mapping: tuple[str, ...], reason: str, dry_run: bool
) -> None:
    """
    Move running tasks of a workflow to another of its versions.

    A step leads to the one that --map names, else to the one of the same name. A task whose step has neither stays, as does one
    that is on hold or has approvals. Exit code 1 when any stays.
    """
    if bool(tickets) == everything:
        raise click.UsageError("name tickets by --ticket, or say --all")
    if not everything and len(tickets) > 2 * PAGE:
        raise click.UsageError(f"at most {2 * PAGE} tickets at once")
    goals = dict(_pair(each) for each in mapping)
    prepare("workflow")
    found = _find(workflow)
    numbers = [ticket.strip() for ticket in tickets] or None
    after, moved, refused = None, 0, 0
    while True:
        view = _page(found, number, goals, numbers, reason, dry_run, after)
        for each in view.items:
            click.echo(_line(each))
        moved, refused, after = moved + view.moved, refused + view.refused, view.next
        if after is None:
            break
    click.echo(
        f"{moved} {'would move' if dry_run else 'moved'} to version {number}, {refused} {'would stay' if dry_run else 'stay'}"
    )
    if refused:
        raise SystemExit(1)


def _page(
    workflow: Workflow,
    number: int,
    goals: dict[str, str],
    tickets: list[str] | None,
    reason: str,
    dry_run: bool,
    after: int | None,
) -> MoveView:
    """Move as many as one transaction moves; exits 1 when the version or a step of the mapping is not there."""
    try:
        asked = Move(
            to_version=number,
            mapping=goals,
            ticket_numbers=tickets,
            reason=reason,
            dry_run=dry_run,
            limit=PAGE,
            after=after,
        )
        with write_tx("workflow") as tx:
            return move_tasks(tx, workflow, asked, operator())
    except ValidationError as error:
        raise click.UsageError("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None
    except Problem as problem:
        errors = problem.extra.get("errors") or ()
        why = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
        fail(f"{why or problem.detail}. Nothing was moved.")
        raise


def _pair(text: str) -> tuple[str, str]:
    old, separator, new = (part.strip() for part in text.partition("="))
    if not (old and separator and new):
        raise click.UsageError(f"--map {text!r}: write OLD=NEW, both names of steps")
    return old, new


def _find(name_or_id: str) -> Workflow:
    """Return the workflow of this name, else of this id; exits 1 when there is none."""
    with read_tx("workflow"):
        text = name_or_id.strip()
        named = any(each.name.casefold() == text.casefold() for each in Workflow.select(Workflow.name))
        if not named and text.isascii() and text.isdigit() and len(text) < 10:
            by_id: Workflow | None = Workflow.get_or_none(Workflow.id == int(text))
            if by_id is not None:
                return by_id
        return acts.find(name_or_id, None)[0]


def _line(task: MovedTask) -> str:
    where = f"{task.from_step} -> {task.to_step}" if task.to_step else (task.from_step or "-")
    return f"{task.ticket_number}  {task.outcome if task.outcome != REFUSED else 'stays'}  {where}: {task.reason}"
