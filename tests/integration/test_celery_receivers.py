"""What leaves the project, executed by a real Celery worker in a process of its own: AMS, BMS, services not replaced yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baton.actors.broker import middleware
from baton.actors.rabbitmq_broker import RabbitmqBroker
from baton.actors.relay import ServiceRelay
from baton.models import database
from baton.models.settings import SERVICES, Settings, get_settings, load_settings
from baton.models.transaction import write_tx
from baton.pipelines import announcements
from baton.pipelines.external_messages import EXTERNAL_QUEUES
from baton.pipelines.messages import CATALOGUE, DeliverEmail, Message, ReceiveTicket, SeedWorkflows
from baton.pipelines.status_sync import status_announcement
from baton.pipelines.work_messages import NotifyAssignment
from tests.ended import ended_ticket
from tests.factories import ticket_data

pytestmark = pytest.mark.distributed
ROOT = Path(__file__).resolve().parents[2]
#: Every queue of the contract on which this project sends.
OUTGOING = frozenset(
    message.queue for message in CATALOGUE.values() if "." not in message.queue or message.queue.startswith("hdts")
)
MESSAGES: tuple[tuple[str, Message], ...] = (
    ("helpdesk", ReceiveTicket(payload={"ticket": ticket_data("HD-00000001", subject="Ünïcode 😀")})),
    ("workflow", status_announcement("HD-00000001", "In Progress", through_gateway=False)),
    ("workflow", status_announcement("GW-00000001", "In Progress", through_gateway=True)),
    ("auth", announcements.about_role(system="tts", role_id=1, name="Admin", is_active=True)),  # type: ignore[list-item]
    (
        "auth",
        announcements.about_grant(  # type: ignore[list-item]
            system="tts", user_id=7, role_id=1, user_full_name="Ada", user_email="ada@example.com", is_active=True
        ),
    ),
    (
        "auth",
        announcements.about_user(user_id=7, email="a@example.com", full_name="Ada", is_active=True, hdts_roles=["Admin"]),
    ),
    (
        "auth",
        announcements.about_employee(
            employee_id=9, email="e@example.com", full_name="Eve", department="IT", job_title="", is_active=True
        ),
    ),
    ("auth", SeedWorkflows()),
    (
        "workflow",
        NotifyAssignment(
            user_id="7",
            subject="Yours",
            message="HD-1 is yours",
            notification_type="task_assignment",
            related_task_item_id=3,
            related_ticket_number="HD-1",
            metadata={"workflow_name": "IT Support", "step_name": "Triage"},
        ),
    ),
    ("notifications", DeliverEmail(user_id="7", subject="Yours", message="HD-1 is yours")),
)


class OldServices:
    """The Celery worker's record, and relays that bring it what the services' outboxes hold."""

    def __init__(self, settings: Settings, record: Path, log: Path) -> None:
        self._record, self._log = record, log
        self.broker = RabbitmqBroker(settings.broker_url, middleware=middleware())
        self._relays = {
            name: ServiceRelay(settings, name, self.broker) for name in ("auth", "helpdesk", "notifications", "workflow")
        }

    def relay(self) -> None:
        """Publish everything that waits."""
        for relay in self._relays.values():
            while relay.relay_batch():
                pass

    def executed(self, wanted: Callable[[list[dict[str, Any]]], bool], seconds: float = 90.0) -> list[dict[str, Any]]:
        """Return what was executed so far, once it is as wanted."""
        deadline = time.monotonic() + seconds
        while True:
            seen = [json.loads(line) for line in self._record.read_text().splitlines()]
            if wanted(seen):
                return seen
            assert time.monotonic() < deadline, f"executed: {seen}\n{self._log.read_text()[-3000:]}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def old(rabbitmq_server: Any, _migrated_sqlite_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldServices]:
    """One Celery worker for all tests of this module, and empty databases whose messages go to it."""
    directory = tmp_path_factory.mktemp("old")
    shutil.copytree(_migrated_sqlite_files, directory / "var")
    url = rabbitmq_server.fresh_url()
    environment = {"BATON_DATA_DIR": str(directory / "var"), "BATON_BROKER_URL": url, "BATON_SQLITE_SYNCHRONOUS": "NORMAL"}
    settings = replace(load_settings(environment), celery_queues=OUTGOING)
    database.configure(settings)
    record, log = directory / "record", directory / "log"
    record.touch()
    queues = ",".join(sorted(OUTGOING | EXTERNAL_QUEUES))
    command = (sys.executable, "-m", "celery", "-A", "tests.integration.old_services", "worker", "--pool", "solo", "-l", "info")
    with log.open("w") as output:
        worker = subprocess.Popen(
            [*command, "-Q", queues, "--without-gossip", "--without-mingle", "--without-heartbeat"],
            cwd=ROOT,
            env={**os.environ, "OLD_BROKER_URL": url, "OLD_RECORD": str(record)},
            stdout=output,
            stderr=output,
        )
    services = OldServices(settings, record, log)
    yield services
    worker.kill()
    worker.wait()
    services.broker.close()
    for service in SERVICES:
        database.close(service)
    rabbitmq_server.forget(url)


@pytest.fixture(autouse=True)
def _with_rabbitmq(old: OldServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the settings say that there is a RabbitMQ, which decides whether calls are made."""
    monkeypatch.setenv("BATON_BROKER_URL", "stub://")
    get_settings.cache_clear()


def by_id(seen: list[dict[str, Any]], message_id: str) -> list[dict[str, Any]]:
    return [task for task in seen if task["id"] == message_id]


def test_ams_executes_the_end_of_an_asset_ticket_once_and_a_replay_bears_the_same_task_id(old: OldServices) -> None:
    from baton.models.workflow import hook_store
    from baton.pipelines.ending import Repeat, repeat

    hook = ended_ticket(category="Check-in", asset_name="ThinkPad", serial_number="SN-1")
    old.relay()
    [task] = by_id(old.executed(lambda seen: bool(by_id(seen, hook.message_id))), hook.message_id)
    assert task["task"] == "ams.tasks.process_workflow_completion"
    assert task["kwargs"] == json.loads(hook.kwargs)
    assert (task["kwargs"]["action"], task["kwargs"]["completed_at"][-6:]) == ("Check-in", "+00:00")
    with write_tx("workflow") as tx:
        hook_store.try_again(tx, hook, repeat(Repeat(hook.name, hook.queue, json.loads(hook.kwargs))), "user:1")
    old.relay()
    first, second = by_id(old.executed(lambda seen: len(by_id(seen, hook.message_id)) == 2), hook.message_id)
    assert first == second


def test_bms_executes_the_end_of_a_budget_ticket(old: OldServices) -> None:
    items = {"Chairs (4)": "1000.00", "Überzüge": "250.00"}
    hook = ended_ticket("budget", category="Budget Proposal", requested_budget="1250.00", cost_items=items)
    old.relay()
    [task] = by_id(old.executed(lambda seen: bool(by_id(seen, hook.message_id))), hook.message_id)
    assert task["task"] == "bms.tasks.process_budget_approval"
    assert {**task["kwargs"], "completed_at": ""} == {
        "ticket_id": hook.ticket_number,
        "requested_budget": "1250.00",
        "cost_items": items,
        "approved_by": 7,
        "completed_at": "",
    }


def test_every_outgoing_queue_can_be_an_old_service(old: OldServices) -> None:
    sent = {}
    for service, message in MESSAGES:
        with write_tx(service) as tx:
            sent[tx.announce(message, ticket_number="HD-00000001", version=3)] = message
    old.relay()
    seen = old.executed(lambda seen: sent.keys() <= {task["id"] for task in seen})
    executed = {task["id"]: (task["task"], task["kwargs"]) for task in seen if task["id"] in sent}
    assert executed == {message_id: (message.name, message.to_kwargs()) for message_id, message in sent.items()}
    assert {message.queue for message in sent.values()} == OUTGOING - {"issues"}
