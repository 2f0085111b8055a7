"""Sample tickets: believable, in all five categories, repeatable, and without needing a worker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models import auth, database
from baton.models.helpdesk.tables import Employee, Ticket
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.filing import KNOWN_CATEGORIES, Person, accept
from baton.pipelines.ticket_values import EXTRA_FIELDS
from baton.scripts.cli import cli
from baton.scripts.sample_tickets import SAMPLES, draft_of


@pytest.fixture
def employees_in_auth(databases: Any) -> None:
    with write_tx("auth") as tx:
        for number in range(5):
            email = f"e{number}@example.com"
            auth.Employee.create(email=email, email_key=email, full_name=f"E {number}", created_at=tx.now, updated_at=tx.now)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def stored() -> list[Ticket]:
    with database.read_tx("helpdesk"):
        return list(Ticket.select().order_by(Ticket.id))


def test_every_sample_is_a_valid_ticket_of_a_known_category() -> None:
    drafts = [accept(draft_of(number, "x", [Person(id="1")])) for number in range(1, len(SAMPLES) + 1)]
    assert {draft.category for draft in drafts} == set(KNOWN_CATEGORIES)
    for draft in drafts:
        assert set(draft.extras) <= set(EXTRA_FIELDS)
        if draft.category.startswith("Asset"):
            assert draft.extras["asset_name"] and "{" not in draft.extras["serial_number"]
        if draft.category == "Budget Proposal":
            total = sum(float(cost) for cost in draft.extras["cost_items"].values())
            assert total == float(draft.extras["requested_budget"])


def test_before_there_are_employees_the_command_to_run_first_is_named(databases: Any) -> None:
    for command in ("seed_tickets", "seed_tickets_open"):
        result = run(command)
        assert (result.exit_code, "baton seed_employees" in result.stderr) == (1, True)
    assert stored() == []


def test_tickets_are_filed_for_auths_employees_while_none_have_been_synced(employees_in_auth: None) -> None:
    result = run("seed_tickets", "--count", "20")
    assert (result.exit_code, result.output) == (0, "sample tickets (tickets): 20 created, 0 left as they were\n")
    found = stored()
    assert {ticket.category for ticket in found} == set(KNOWN_CATEGORIES)
    assert {ticket.employee_id for ticket in found} == {"1", "2", "3", "4", "5"}
    with database.read_tx("helpdesk"):
        queued = [json.loads(row.kwargs) for row in runtime_tables("helpdesk").Outbox.select()]
    assert [row["payload"]["ticket"]["ticket_number"] for row in queued] == [ticket.number for ticket in found]


def test_seeding_again_adds_only_what_is_missing(employees_in_auth: None) -> None:
    run("seed_tickets", "--count", "5")
    assert "0 created, 5 left" in run("seed_tickets", "--count", "5").output
    with write_tx("helpdesk") as tx:
        Employee.create(id="9", email="synced@example.com", synced_at=tx.now)
    assert "2 created, 5 left" in run("seed_tickets", "--count", "7").output
    assert "3 created" in run("seed_tickets_open", "--count", "3").output
    assert (len(stored()), stored()[-1].employee_id) == (10, "9")


def test_the_defaults_are_the_contracts(employees_in_auth: None) -> None:
    assert "50 created" in run("seed_tickets").output
    assert "20 created" in run("seed_tickets_open").output
