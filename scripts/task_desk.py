"""`baton tasks`: what an operator needs of tasks, through the code that the front uses. History says who gave the command."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any

import click

from baton.http.workflow import acting
from baton.models.database import read_tx
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import Task, TaskItem, TicketSnapshot, action_facts, reading
from baton.pipelines.asking import Asked
from baton.pipelines.permissions import Principal
from baton.pipelines.situations import TaskFacts
from baton.pipelines.statuses import TASK_STATUSES, TICKET_STATUSES
from baton.pipelines.task_moves import open_item
from baton.pipelines.work import ACTIONS, Refusal
from baton.scripts.task_commands import get_task_status
from baton.scripts.ticket_commands import fail, prepare

#: An operator may do what coordinators may.
_OPERATOR = Principal("system", "operator")
_reason = click.option("--reason", required=True, help="Why; the history keeps it.")


@click.group()
def tasks() -> None:
    """Tasks: list, show, assign, hold, resume, cancel, reopen. TICKET is a ticket number."""


@tasks.command("list")
@click.option("--status", type=click.Choice(TICKET_STATUSES), help="Only tickets of this status.")
@click.option("--task-status", type=click.Choice(TASK_STATUSES), default="open", show_default=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
def list_(status: str | None, task_status: str, limit: int) -> None:
    """List tasks, newest first, with the step each is at and who has it."""
    prepare("workflow")
    with read_tx("workflow"):
        found = reading.tasks(None).where(Task.status == task_status).order_by(Task.id.desc()).limit(limit)
        if status:
            found = found.where(TicketSnapshot.status == status)
        rows = [(row, _newest(row["id"])) for row in found]
    for row, item in rows:
        where = f"{item['step']}: {item['assignee'] or 'nobody yet'}" if item else "-"
        click.echo(f"{row['ticket_number']}  {row['status']:<12}  {row['workflow']}  {where}")
    click.echo(f"{len(rows)} tasks")


tasks.add_command(get_task_status, "show")


@tasks.command()
@click.argument("ticket")
@click.argument("user_id")
@click.option("--reason", default="", help="Why; the history keeps it.")
def assign(ticket: str, user_id: str, reason: str) -> None:
    """Give the open item of TICKET to USER_ID, a member of its role, whoever has it now."""
    number = _known(ticket)
    name = "assign" if _open_item(number).assignee is None else "transfer"
    _act_on_item(number, name, to_user=user_id, reason=reason)


@tasks.command()
@click.argument("ticket")
@_reason
@click.option("--until", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]), help="When it goes on by itself.")
def hold(ticket: str, reason: str, until: datetime | None) -> None:
    """Put the open item of TICKET on hold."""
    if until is not None and until.tzinfo is None:
        fail("--until needs an offset, as in 2026-06-01T09:00+02:00")
    _act_on_item(_known(ticket), "hold", reason=reason, resume_at=until)


@tasks.command()
@click.argument("ticket")
def resume(ticket: str) -> None:
    """Go on with the open item of TICKET."""
    _act_on_item(_known(ticket), "resume")


@tasks.command()
@click.argument("ticket")
@_reason
def cancel(ticket: str, reason: str) -> None:
    """End the work on TICKET for good."""
    _act_on_task(_known(ticket), "cancel", reason)


@tasks.command()
@click.argument("ticket")
@_reason
def reopen(ticket: str, reason: str) -> None:
    """Open the finished task of TICKET at its last step, for whoever had that."""
    _act_on_task(_known(ticket), "reopen", reason)


def operator() -> str:
    """Return what the history calls whoever gives commands here."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"


def _act_on_item(number: str, name: str, **given: Any) -> None:
    item = _open_item(number)
    with write_tx("workflow") as tx:
        asked = Asked(action=ACTIONS["item", name], actor=_OPERATOR, label=operator(), now=tx.now, **given)
        done = acting.act_on_item(tx, asked, item.item, notices=get_settings().notifications)
    _report(number, name, done)


def _act_on_task(number: str, name: str, reason: str) -> None:
    with write_tx("workflow") as tx:
        asked = Asked(action=ACTIONS["task", name], actor=_OPERATOR, label=operator(), now=tx.now, reason=reason)
        done = acting.act_on_task(tx, asked, number, notices=get_settings().notifications)
    _report(number, name, done)


def _report(number: str, name: str, done: acting.Done | Refusal) -> None:
    if isinstance(done, Refusal):
        fail(f"{number}: {name} is refused: {done.reason}. Nothing was changed.")
        return
    click.echo(f"{number}: {name} done" + (f"; it is {done.outcome.status}" if done.outcome.status else ""))


def _known(ticket: str) -> str:
    prepare("workflow")
    number = ticket.strip()
    with read_tx("workflow"):
        if reading.snapshot(number) is None:
            fail(f"{number}: the workflow side has no ticket of this number (yet)")
    return number


def _open_item(number: str) -> Any:
    with write_tx("workflow") as tx:
        values = action_facts.read_task(tx, number)
    item = None if values is None else open_item(TaskFacts.of(values))
    return item or fail(f"{number}: nothing of it is open")


def _newest(task: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = reading.items(None).where(TaskItem.task == task).order_by(TaskItem.id.desc()).first()
    return found
