"""`baton doctor` on installations that are well, not begun, not running, and broken in one way each."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.scripts import doctor
from baton.scripts.checks import convergence, queues
from baton.scripts.checks.finding import Finding, some
from tests.factories import BACKENDS

NUMBER = "HD-00000001"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, unused_ports: None) -> None:
    monkeypatch.setattr(convergence, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(convergence, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def unused_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the fronts ports at which nothing answers."""
    from baton.models.settings import get_settings

    for service in ("auth", "helpdesk", "tickets", "workflow"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"BATON_{service.upper()}_PORT", str(probe.getsockname()[1]))
    get_settings.cache_clear()


def examined(**options: Any) -> dict[str, Finding]:
    found = list(doctor.examine(options.get("full", True), options.get("older_than", 0.0)))
    return {finding.check: finding for finding in found}


def beat(service: str, kind: str, seconds_ago: float = 0.0) -> None:
    with write_tx(service) as tx:
        seen_at = tx.now - timedelta(seconds=seconds_ago)
        runtime_tables(service).Heartbeat.insert(kind=kind, instance=f"{kind}:1", seen_at=seen_at).execute()


def file_ticket(*, status: str = "Open", version: int = 0, workflow_status: str | None = None) -> None:
    from baton.models.helpdesk.tables import Ticket

    texts = dict.fromkeys(
        ("subject", "description", "category", "subcategory", "department", "employee_id", "employee_name", "employee_email"), "x"
    )
    with write_tx("helpdesk") as tx:
        Ticket.insert(
            id=1, **texts, priority="Low", status=status, workflow_status=workflow_status, status_version=version,
            source_service="hdts", filed_by="service:test", submitted_at=tx.now, updated_at=tx.now,
        ).execute()  # fmt: skip


def take_in(*, status: str = "In Triage", version: int = 1, parked: bool = True) -> None:
    from baton.models.workflow import TicketSnapshot, TriageEntry

    with write_tx("workflow") as tx:
        TicketSnapshot.insert(
            ticket_number=NUMBER, ticket_data="{}", status=status, status_version=version, received_at=tx.now
        ).execute()
        if parked:
            TriageEntry.insert(ticket_number=NUMBER, category_key="", department_key="", reason="", since=tx.now).execute()


def give_task(*, items: int = 1, assignee: str | None = "7", waiting: bool = False) -> None:
    from baton.models.workflow import Task, TaskItem, WaitingEntry

    with write_tx("workflow") as tx:
        long_ago = tx.now - timedelta(hours=1)
        Task.insert(id=1, ticket_number=NUMBER, workflow_version=1, created_at=long_ago).execute()
        for number in range(items):
            item = {"id": number + 1, "task": 1, "step": number, "ticket_number": NUMBER, "role": 1, "assignee": assignee}
            TaskItem.insert(**item, created_at=long_ago).execute()
        if waiting:
            entry = {"kind": "item", "subject_id": 1, "role": 1, "ticket_number": NUMBER, "reason": "", "since": long_ago}
            WaitingEntry.insert(**entry).execute()


def add_member(*, active: bool = True, last_turn: int = 0, turn: int = 0) -> None:
    from baton.models.workflow import Member, Role

    with write_tx("workflow"):
        Role.insert(id=1, role_id="1", system="tts", name="Admin", turn=turn).execute()
        Member.insert(role=1, user_id="7", name="Ada", is_active=active, last_turn=last_turn).execute()


def test_a_stack_that_is_not_running_says_so_with_the_command(databases: Any) -> None:
    found = examined()

    assert found["fronts"].level == "fail"
    assert "scripts/server" in found["fronts"].remedy
    assert found["relay"].level == found["scheduler"].level == found["worker workflow"].level == "fail"
    assert found["database workflow"].level == "ok"
    assert "seed_all" in found["seeds auth"].remedy


def test_before_anything_was_made_it_names_the_first_command() -> None:
    found = examined()

    assert found["data directory"].level == "ok"
    assert found["database auth"].remedy.startswith("baton migrate")
    assert found["workflow promises"].level == "skip"


def test_every_finding_that_is_not_well_has_a_remedy(databases: Any) -> None:
    for finding in examined().values():
        assert finding.remedy or finding.level in ("ok", "skip"), finding


def test_a_setting_that_cannot_be_used_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.models.settings import get_settings

    monkeypatch.setenv("BATON_POOL_SIZE", "many")
    get_settings.cache_clear()

    assert "BATON_POOL_SIZE" in examined()["settings"].detail


def test_a_port_in_somebody_elses_hands_is_named_with_the_holder(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.models.settings import get_settings
    from baton.scripts.checks import environment

    monkeypatch.setattr(environment, "HEALTH_SECONDS", 0.2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("BATON_HELPDESK_PORT", str(other.getsockname()[1]))
        get_settings.cache_clear()

        found = examined()["front helpdesk"]

    assert found.level == "fail"
    assert "does not answer" in found.detail


def test_processes_that_beat_are_alive_and_silent_ones_are_missed(databases: Any) -> None:
    for service in ("auth", "helpdesk", "tickets", "workflow"):
        beat(service, "relay")
        beat(service, "scheduler", seconds_ago=0 if service != "workflow" else 600)

    found = examined()

    assert found["relay"].level == "ok"
    assert found["scheduler"].level == "fail"
    assert "workflow 10 min ago" in found["scheduler"].detail
    assert "auth" not in found["scheduler"].detail


def test_messages_that_do_not_leave_or_are_tried_in_vain_are_found(databases: Any) -> None:
    tables = runtime_tables("helpdesk")
    with write_tx("helpdesk") as tx:
        long_ago = tx.now - timedelta(hours=3)
        row = {"queue": "q", "name": "some.message", "kwargs": "{}", "envelope": "{}"}
        tables.Outbox.insert(**row, created_at=long_ago).execute()
        deferred = {**row, "message_id": "1", "attempt": 4, "reason": "no such role", "due_at": long_ago}
        tables.DeferredMessage.insert(**deferred).execute()

    found = examined()

    assert found["outbox helpdesk"].level == "fail"
    assert "some.message" in found["outbox helpdesk"].detail
    assert "no such role" in found["deferred helpdesk"].detail


def test_dead_letters_wait_for_a_decision(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.actors.broker_api import QueueState

    states = [QueueState(queue="workflow.allocation", ready=0, consumers=1, dead=2)]
    monkeypatch.setattr(queues, "read_queues", lambda _: (states, ""))

    found = examined()["dead letters"]

    assert found.level == "fail"
    assert "baton dead-letters list workflow.allocation" in found.remedy


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


def test_the_command_prints_json_and_exits_1_when_something_fails(databases: Any) -> None:
    result = CliRunner().invoke(doctor.doctor, ["--json"])

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["counts"]["fail"] == sum(finding["level"] == "fail" for finding in document["findings"])
    assert {"level", "check", "detail", "remedy"} == set(document["findings"][0])


def test_the_command_changes_nothing(databases: Any) -> None:
    CliRunner().invoke(doctor.doctor, [])

    for service in ("auth", "helpdesk", "tickets", "workflow"):
        with db.read_tx(service):
            assert not runtime_tables(service).Heartbeat.select().exists()


def test_many_examples_are_cut() -> None:
    assert some(range(3)) == "0, 1, 2"
    assert some(range(8)) == "0, 1, 2, 3, 4 and 3 more"
