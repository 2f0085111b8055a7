"""Seeding the workflow side, and showing a ticket from the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.actors.handling import delivery_of
from baton.models.transaction import write_tx
from baton.pipelines.messages import ReceiveTicket
from tests.factories import ticket_data


def run(name: str, *arguments: str) -> Result:
    from baton.scripts import seed_workflow, task_commands

    command = getattr(task_commands if name == "get_task_status" else seed_workflow, name)
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture(autouse=True)
def _desk(databases: Any, stub_broker: Any) -> None:
    """Tables, and a broker for the actors that the seeders' module declares."""


def test_workflows_before_roles_name_the_command_to_run_first() -> None:
    refused = run("seed_workflows")
    assert refused.exit_code == 1 and "run `baton seed_role` first" in refused.output


def test_seeding_can_be_repeated_and_says_what_it_made_and_left() -> None:
    assert "roles: created 5, changed 0, left 0" in run("seed_role").output
    first = run("seed_workflows").output
    assert "workflows: created 5, changed 0, left 0" in first and "policy IT Support, High: created" in first
    assert "calendars: created 1, changed 0, left 0" in first and "policies: created 20, changed 0, left 0" in first
    assert "roles: created 0, changed 0, left 5" in run("seed_role").output
    again = run("seed_workflows").output
    assert "workflows: created 0, changed 0, left 5" in again and "policies: created 0, changed 0, left 20" in again


def test_a_tickets_task_items_and_history_are_shown() -> None:
    from baton.actors.workflow import intake

    run("seed_role"), run("seed_workflows")
    with write_tx("workflow") as tx:
        intake.receive_ticket.handle(tx, [delivery_of(ReceiveTicket(payload=ticket_data("HD-00000001")))])
    shown = run("get_task_status", "HD-00000001")
    assert shown.exit_code == 0
    assert shown.output.startswith("HD-00000001 Pending (status version 1)\n") and "IT Support version 1" in shown.output
    facts = json.loads(run("get_task_status", "HD-00000001", "--json").output)
    assert (facts["status"], facts["items"][0]["step"], facts["history"][0]["event"]) == ("Pending", "Triage", "waits")


def test_an_unknown_ticket_is_said_to_be_unknown() -> None:
    unknown = run("get_task_status", "HD-00000404")
    assert unknown.exit_code == 1 and "has no ticket of this number" in unknown.output
