"""`baton get_task_status`: the workflow side's task, items and history for a ticket."""

from __future__ import annotations

import json
from typing import Any

import click

from baton.models.database import read_tx
from baton.models.workflow import Task, TaskItemHistory, TriageEntry, reading
from baton.scripts.ticket_commands import fail, prepare


@click.command()
@click.argument("ticket")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def get_task_status(ticket: str, as_json: bool) -> None:
    """Show the workflow side of TICKET (a ticket number): its task, items and history."""
    prepare("workflow")
    facts = _facts(ticket.strip())
    if as_json:
        click.echo(json.dumps(facts, indent=2, default=lambda value: value.isoformat()))
    else:
        _print(facts)


def _facts(number: str) -> dict[str, Any]:
    with read_tx("workflow"):
        snapshot = reading.snapshot(number)
        if snapshot is None:
            fail(f"{number}: the workflow side has no ticket of this number (yet)")
        assert snapshot is not None
        task = reading.tasks(None).where(Task.ticket_number == number).first()
        parked = TriageEntry.get_or_none(TriageEntry.ticket_number == number)
        return {
            "ticket_number": number,
            "status": snapshot.status,
            "status_version": snapshot.status_version,
            "received_at": snapshot.received_at,
            "in_triage": None if parked is None else parked.reason,
            "task": task,
            "items": reading.items_of_task(task["id"]) if task else [],
            "history": list(reading.history(number).order_by(TaskItemHistory.id)),
        }


def _print(facts: dict[str, Any]) -> None:
    click.echo(f"{facts['ticket_number']} {facts['status']} (status version {facts['status_version']})")
    if facts["in_triage"]:
        click.echo(f"in triage: {facts['in_triage']}")
    task = facts["task"]
    if task:
        owner = _person(task["owner_user_id"], task["owner_name"]) or "none yet"
        workflow = f"{task['workflow']} version {task['workflow_version']}"
        click.echo(f"task {task['id']} {task['task_status']}: {workflow}, owner {owner}")
    for item in facts["items"]:
        who = _person(item["assignee"], item["assignee_name"]) or f"waiting since {item['waiting_since']}"
        click.echo(f"  item {item['id']} {item['step']} ({item['role']}) {item['state']}: {who}")
    for row in facts["history"]:
        change = f"{row['from_state']} -> {row['to_state']}"
        who = _person(row["actor"], row["actor_name"])
        click.echo(f"  {row['at']:%Y-%m-%d %H:%M:%S} {row['step']} {row['event']} {change} by {who} {row['reason']}")


def _person(user_id: str | None, name: str | None) -> str:
    """Return a person's id with their name, "" for nobody."""
    if user_id is None:
        return ""
    return f"{user_id} ({name})" if name else user_id
