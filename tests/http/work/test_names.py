"""People are shown by their names beside their ids, wherever a member is known by the id."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from baton.models.workflow import Member, journey
from baton.scripts.task_commands import get_task_status
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def test_tasks_items_history_and_explanations_show_names(office: Any) -> None:
    number, item = office.at_step_two()
    office.act(31, item.id, "transfer", to_user="32")
    task = office.post(21, f"/tasks/{number}", None, method="GET").json
    assert task["task"]["owner_name"] == f"User {task['task']['owner_user_id']}"
    assert [(each["assignee"], each["assignee_name"]) for each in task["items"]] == [("11", "User 11"), ("32", "User 32")]
    last = office.post(21, f"/tasks/{number}/history", None, method="GET").json["items"][-1]
    assert (last["actor_name"], last["from_user_name"], last["to_user_name"]) == ("User 31", "User 31", "User 32")
    picks = office.post(21, f"/tasks/{number}/explanation", None, method="GET").json["assignments"]
    assert all(pick["chosen_name"] == f"User {pick['chosen']}" for pick in picks)
    assert office.act(32, item.id, "start").json["item"]["assignee_name"] == "User 32"


def test_commands_show_names_and_do_without_where_nobody_is_known(office: Any) -> None:
    number, _ = office.at_step_two()
    shown = CliRunner().invoke(get_task_status, [number]).output
    assert "31 (User 31)" in shown and "by user:11 (User 11)" in shown and "by system " in shown
    said = [entry["detail"] for entry in journey(number)]
    assert any("user 31 (User 31)," in each for each in said) and any("by user:11 (User 11) " in each for each in said)
    Member.update(name="").execute()
    shown = CliRunner().invoke(get_task_status, [number]).output
    assert "(User" not in shown and "(IT Manager) new: 31\n" in shown
