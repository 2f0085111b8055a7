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
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.scripts import doctor
from baton.scripts.checks import queues
from baton.scripts.checks.finding import some
from tests.scripts.installations import beat, examined

pytestmark = pytest.mark.usefixtures("quick_doctor")


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
    for service in SERVICES:
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


def test_open_issues_of_the_last_hour_are_named(databases: Any) -> None:
    from baton.models.issues import Issue

    assert examined()["issues"].level == "ok"
    values = dict.fromkeys(("description", "type", "priority", "component", "reporter", "fingerprint"), "x")
    with write_tx("issues") as tx:
        for title, status, minutes in (("new", "open", 5), ("settled", "closed", 5), ("old", "open", 70)):
            times = dict.fromkeys(("status_at", "first_seen", "last_seen", "created_at"), tx.now - timedelta(minutes=minutes))
            Issue.insert(title=title, status=status, count=3, **values, **times).execute()

    found = examined()["issues"]

    assert found.level == "warn"
    assert found.detail == "1 open issues were seen in the last hour: 1 new (3 times)"
    assert "/api/v1/issues/recent" in found.remedy


def test_the_command_prints_json_and_exits_1_when_something_fails(databases: Any) -> None:
    result = CliRunner().invoke(doctor.doctor, ["--json"])

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["counts"]["fail"] == sum(finding["level"] == "fail" for finding in document["findings"])
    assert {"level", "check", "detail", "remedy"} == set(document["findings"][0])


def test_the_command_changes_nothing(databases: Any) -> None:
    CliRunner().invoke(doctor.doctor, [])

    for service in SERVICES:
        with db.read_tx(service):
            assert not runtime_tables(service).Heartbeat.select().exists()


def test_many_examples_are_cut() -> None:
    assert some(range(3)) == "0, 1, 2"
    assert some(range(8)) == "0, 1, 2, 3, 4 and 3 more"
