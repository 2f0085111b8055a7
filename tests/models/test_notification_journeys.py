"""What `baton trace` says of a ticket's notifications."""

from __future__ import annotations

from typing import Any

from baton.models import database, notifications
from tests.told import handle, told


def test_a_journey_says_who_was_told_what_why_and_whether_it_is_mailed(databases: Any, stub_broker: Any) -> None:
    with database.connection("notifications"):
        handle(told("task_assignment"), told("task_completed"), told("task_assignment", ticket="HD-2"))
        first, second = notifications.journey("HD-1")
    assert first["detail"].startswith("user:7 of task_assignment as assignee, mail pending until ")
    assert (second["service"], second["event"], second["detail"]) == (
        "notifications",
        "told",
        "user:7 of task_completed as owner",
    )
