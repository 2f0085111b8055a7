"""`baton doctor` on installations that break one promise each."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.transaction import write_tx
from tests.factories import BACKENDS
from tests.scripts.installations import NUMBER, add_member, examined, file_ticket, give_task, take_in

pytestmark = pytest.mark.usefixtures("quick_doctor")


def test_a_ticket_that_was_not_taken_in_is_lost_unless_its_message_is_under_way(databases: Any) -> None:
    from baton.pipelines.messages import ReceiveTicket

    file_ticket()
    assert examined()["taken in from helpdesk"].level == "fail"

    with write_tx("helpdesk") as tx:
        tx.announce(ReceiveTicket(payload={}), ticket_number=NUMBER)
    found = examined()["taken in from helpdesk"]

    assert found.level == "warn"
    assert NUMBER in found.detail
    assert examined(older_than=3600.0)["taken in from helpdesk"].level == "ok"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ticket_that_arrived_everywhere_is_well(databases: Any) -> None:
    file_ticket(status="In Triage", workflow_status="In Triage", version=1)
    take_in()

    found = examined()

    for check in ("taken in from helpdesk", "status equal in helpdesk", "tickets have a place", "one active item"):
        assert found[check].level == "ok", found[check]
    assert "1 tickets wait" in found["triage"].detail


def test_a_status_that_differs_is_found(databases: Any) -> None:
    file_ticket(status="Assigned", workflow_status="Assigned", version=1)
    take_in(status="Resolved", version=2)

    assert examined()["status equal in helpdesk"].level == "fail"


def test_a_status_set_by_hand_is_worth_a_look(databases: Any) -> None:
    file_ticket(status="Closed", workflow_status="In Triage", version=1)
    take_in()

    assert examined()["status equal in helpdesk"].level == "warn"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ticket_without_a_place_or_with_two_is_found(databases: Any) -> None:
    take_in(parked=False)
    assert examined()["tickets have a place"].level == "fail"

    give_task()
    assert examined()["tickets have a place"].level == "ok"

    from baton.models.workflow import TriageEntry

    with write_tx("workflow") as tx:
        TriageEntry.insert(ticket_number=NUMBER, category_key="", department_key="", reason="", since=tx.now).execute()
    assert "both" in examined()["tickets have a place"].detail


@pytest.mark.parametrize("items", [0, 2])
def test_an_open_task_without_exactly_one_active_item_is_found(databases: Any, items: int) -> None:
    take_in(parked=False)
    give_task(items=items)

    assert examined()["one active item"].level == "fail"


@pytest.mark.parametrize("backend", BACKENDS)
def test_items_of_people_who_left_and_items_that_wait_unseen_are_found(databases: Any) -> None:
    take_in(parked=False)
    give_task()
    add_member(active=False)
    assert examined()["assignees are active"].level == "warn"

    from baton.models.workflow import TaskItem

    with write_tx("workflow"):
        TaskItem.update(assignee=None).execute()
    assert examined()["waiting is visible"].level == "fail"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_waits_on_the_list_is_shown_and_stale_entries_are_found(databases: Any) -> None:
    take_in(parked=False)
    give_task(assignee=None, waiting=True)
    add_member()
    found = examined()
    assert found["waiting is visible"].level == "ok"
    assert "for Admin" in found["waiting list"].detail

    from baton.models.workflow import TaskItem

    with write_tx("workflow"):
        TaskItem.update(assignee="7").execute()
    assert examined()["waiting is visible"].level == "fail"


def test_a_turn_used_twice_and_a_member_passed_over_are_found(databases: Any) -> None:
    from baton.models.workflow import AssignmentPick

    add_member(turn=20, last_turn=1)
    with write_tx("workflow") as tx:
        pick = {"ticket_number": NUMBER, "kind": "item", "role": 1, "chosen": "7", "turn": 3, "reason": "", "considered": "[]"}
        for subject in (1, 2):
            AssignmentPick.insert(**pick, subject_id=subject, decided_at=tx.now).execute()

    found = examined()

    assert "Admin turn 3" in found["turns are used once"].detail
    assert "Ada" in found["turns are fair"].detail
