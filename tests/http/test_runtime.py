"""How a service's part of the runtime stands, over HTTP: on every front, for admins and services only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import TestClient

from baton.http import health
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, SERVICE, TECHNICIAN, bearer

PATH = "/api/v1/runtime"
ENVELOPE = '{"message_id":"m1","ticket_number":"HD-00000001"}'


@pytest.fixture(autouse=True)
def _queues_asked_anew() -> None:
    health._queue_states.clear()


def outbox(tables: Any, queue: str, at: Any) -> None:
    tables.Outbox.insert(queue=queue, name="x.y", kwargs="{}", envelope=ENVELOPE, created_at=at).execute()


def defer(tables: Any, number: int, due_at: Any) -> None:
    row = {"queue": "Q", "name": "x.y", "kwargs": '{"secret":"s"}', "envelope": ENVELOPE, "attempt": 2, "reason": "ValueError"}
    tables.DeferredMessage.insert(message_id=f"m{number}", due_at=due_at, **row).execute()


@pytest.mark.parametrize("service", SERVICES)
def test_every_front_tells_it_to_admins_and_services_and_to_nobody_else(
    databases: Any, stub_broker: Any, client: Callable[[str], TestClient], service: str
) -> None:
    front = client(service)
    for who in (ADMIN, SERVICE):
        found = front.simulate_get(PATH, headers=bearer(who))
        assert (found.status_code, found.json["service"]) == (200, service)
        assert (found.json["outbox"]["rows"], found.json["leader"], found.json["jobs"]) == (0, None, [])
    for who in (COORDINATOR, TECHNICIAN, EMPLOYEE):
        assert front.simulate_get(PATH, headers=bearer(who)).status_code == 403
    assert front.simulate_get(PATH).status_code == 401
    assert front.simulate_get(f"{PATH}/deferred", headers=bearer(SERVICE)).status_code == 403


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_waits_to_leave_is_counted_by_queue_with_its_age(
    databases: Any, stub_broker: Any, client: Callable[[str], TestClient]
) -> None:
    with write_tx("helpdesk") as tx:
        tables = runtime_tables("helpdesk")
        for seconds, queue in ((90, "A"), (60, "B"), (30, "A")):
            outbox(tables, queue, tx.now - timedelta(seconds=seconds))
        tables.Inbox.insert(receiver="r", message_id="m", handled_at=tx.now).execute()
        tables.Heartbeat.insert(kind="relay", instance="h:1", seen_at=tx.now - timedelta(seconds=70)).execute()
    found = client("helpdesk").simulate_get(PATH, headers=bearer(ADMIN)).json
    assert (found["outbox"]["rows"], 90 <= found["outbox"]["oldest_seconds"] < 120) == (3, True)
    assert [(each["queue"], each["rows"]) for each in found["outbox"]["queues"]] == [("A", 2), ("B", 1)]
    assert found["inbox"]["rows"] == 1
    assert found["inbox"]["last_at"] is not None
    [process] = found["processes"]
    assert (process["kind"], process["silent_seconds"] >= 70) == ("relay", True)
    assert {"ready", "consumers", "dead"} <= found["queues"][0].keys()


@pytest.mark.parametrize("backend", BACKENDS)
def test_jobs_say_how_they_ran_and_who_leads(databases: Any, stub_broker: Any, client: Callable[[str], TestClient]) -> None:
    tables = runtime_tables("helpdesk")
    with write_tx("helpdesk") as tx:
        tables.Lease.insert(name="scheduler", holder="h:1", token=3, expires_at=tx.now + timedelta(seconds=60)).execute()
        for name, ago, error in (("well", 5, ""), ("late", 100, ""), ("broken", 5, "ValueError: x")):
            at = tx.now - timedelta(seconds=ago)
            row = {"holder": "h:1", "started_at": at, "ended_at": at, "error": error, "every_seconds": 10, "about": "Does it."}
            tables.JobRun.insert(name=name, **row).execute()
    found = client("helpdesk").simulate_get(PATH, headers=bearer(ADMIN)).json
    assert {job["job"]: job["state"] for job in found["jobs"]} == {"well": "ok", "late": "late", "broken": "failed"}
    assert (found["leader"]["leads"], found["leader"]["token"]) == (True, 3)
    assert (found["jobs"][0]["every_seconds"], found["jobs"][0]["about"]) == (10, "Does it.")
    with write_tx("helpdesk") as tx:
        tables.Lease.update(expires_at=tx.now - timedelta(seconds=1)).execute()
    found = client("helpdesk").simulate_get(PATH, headers=bearer(ADMIN)).json
    assert {job["state"] for job in found["jobs"]} == {"no leader"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_messages_that_are_tried_again_are_listed_the_first_due_first_without_their_fields(
    databases: Any, stub_broker: Any, client: Callable[[str], TestClient]
) -> None:
    with write_tx("helpdesk") as tx:
        for number, seconds in ((1, 30), (2, -40), (3, 30)):
            defer(runtime_tables("helpdesk"), number, tx.now + timedelta(seconds=seconds))
    front = client("helpdesk")
    first = front.simulate_get(f"{PATH}/deferred", headers=bearer(ADMIN), params={"limit": 2})
    assert [each["message_id"] for each in first.json["items"]] == ["m2", "m1"]
    assert "secret" not in first.text
    assert (first.json["items"][0]["ticket_number"], first.json["items"][0]["reason"]) == ("HD-00000001", "ValueError")
    rest = front.simulate_get(f"{PATH}/deferred", headers=bearer(ADMIN), params={"cursor": first.json["next"]}).json
    assert [each["message_id"] for each in rest["items"]] == ["m3"]
    overdue = front.simulate_get(PATH, headers=bearer(ADMIN)).json["deferred"]
    assert (overdue["rows"], overdue["overdue_seconds"] >= 40) == (3, True)
