"""The commands around help desk tickets: by number or test id, once per test id, exit 1 with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models import database
from baton.models.helpdesk import tickets
from baton.models.helpdesk.tables import Ticket
from baton.models.runtime import runtime_tables
from baton.scripts.cli import cli


@pytest.fixture
def baton(databases: Any) -> Any:
    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, words)

    return run


def outbox() -> list[dict[str, Any]]:
    with database.read_tx("helpdesk"):
        return list(runtime_tables("helpdesk").Outbox.select().dicts())


def test_a_test_ticket_is_filed_and_queued_once_per_test_id(baton: Any) -> None:
    first = json.loads(baton("create_test_ticket", "--test-id", "int-0a1b2c3d", "--json").output)
    again = json.loads(baton("create_test_ticket", "--test-id", "INT-0A1B2C3D", "--json").output)
    assert (first["ticket_number"], first["test_id"], first["status"]) == ("HD-00000001", "INT-0A1B2C3D", "Open")
    assert (first["created"], again["created"], again["ticket_number"]) == (True, False, "HD-00000001")
    (row,) = outbox()
    assert json.loads(row["kwargs"])["payload"]["ticket"]["ticket_number"] == "HD-00000001"


def test_a_test_ticket_has_the_category_department_priority_and_status_asked_for(baton: Any) -> None:
    words = ["--category", "Asset Check In", "--department", "Asset Department", "--priority", "high", "--status", "in progress"]
    made = json.loads(baton("create_test_ticket", "--test-id", "A1", *words, "--json").output)
    assert (made["category"], made["department"], made["priority"]) == ("Asset Check In", "Asset Department", "High")
    assert made["status"] == "In Progress"
    ticket = json.loads(outbox()[0]["kwargs"])["payload"]["ticket"]
    assert (ticket["asset_name"], ticket["serial_number"]) == ("Test laptop", "SN-A1")


@pytest.mark.parametrize("name", ["HD-00000001", "hd-00000001", "INT-1", "int-1"])
def test_a_ticket_is_named_by_number_or_test_id_in_whatever_case(baton: Any, name: str) -> None:
    baton("create_test_ticket", "--test-id", "Int-1")
    changed = baton("update_ticket_status", name, "resolved")
    assert (changed.exit_code, changed.output) == (0, "HD-00000001 Open -> Resolved\n")
    told = json.loads(baton("get_ticket_status", name, "--json").output)
    assert (told["ticket_number"], told["status"]) == ("HD-00000001", "Resolved")
    assert "Resolved" in baton("get_ticket_status", name).output


def test_a_status_set_by_hand_is_in_the_history(baton: Any) -> None:
    baton("create_test_ticket", "--test-id", "t")
    baton("update_ticket_status", "t", "On Hold", "--reason", "waiting for parts")
    assert baton("update_ticket_status", "t", "On Hold").output == "HD-00000001 already On Hold\n"
    with database.read_tx("helpdesk"):
        (_, change) = tickets.history(Ticket.get_by_id(1))
    assert (change["actor"], change["to_status"], change["reason"]) == ("operator", "On Hold", "waiting for parts")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["update_ticket_status", "HD-99999999", "Resolved"], "no ticket of this number or test id"),
        (["update_ticket_status", "t", "Lost"], "no ticket status"),
        (["get_ticket_status", "nothing"], "no ticket of this number or test id"),
        (["get_ticket_status", ""], "no ticket of this number or test id"),
        (["create_test_ticket", "--test-id", "u", "--status", "Lost"], "no ticket status"),
        (["create_test_ticket", "--test-id", "u", "--category", " "], "category: must not be empty"),
        (["create_test_ticket", "--test-id", " "], "source_id: must not be empty"),
    ],
)
def test_what_cannot_be_done_says_why_and_exits_with_1(baton: Any, words: list[str], said: str) -> None:
    baton("create_test_ticket", "--test-id", "t")
    result = baton(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(outbox()) == 1


def test_without_tables_the_commands_name_the_one_to_run_first() -> None:
    result = CliRunner().invoke(cli, ["get_ticket_status", "t"])
    assert (result.exit_code, "baton migrate" in result.stderr) == (1, True)
