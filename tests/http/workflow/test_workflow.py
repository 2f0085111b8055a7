"""What staff, coordinators and admins see and do on the workflow side's front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models.database import read_tx
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import Member, Role, Workflow
from baton.pipelines.messages import ReceiveTicket, SyncRole, SyncUserSystemRole
from baton.pipelines.permissions import Principal
from tests.factories import (
    ADMIN,
    BACKENDS,
    COORDINATOR,
    EMPLOYEE,
    SERVICE,
    TECHNICIAN,
    bearer,
    sync_grant,
    sync_role,
    ticket_data,
)

STRANGER = Principal("user", "77", "Sam", "sam@example.com", frozenset({"tts:Budget Manager"}))


@pytest.fixture
def front(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> Any:
    """The front over seeded workflows, two Admins (1, 4), an allocated ticket HD-1 and a parked one HD-2."""
    from baton.actors.workflow import intake, seeding, sync

    with write_tx("workflow") as tx:
        seeding.seed_roles(tx)
        seeding.seed_workflows(tx)
        sync.sync_role.handle(tx, [delivery_of(SyncRole(payload=sync_role(1, "Admin")), version=1)])
        for user in (1, 4):
            sync.sync_user_system_role.handle(tx, [delivery_of(SyncUserSystemRole(payload=sync_grant(user, 1)))])
    tickets = (ticket_data("HD-1"), {**ticket_data("HD-2"), "category": "thunderbird"})
    with write_tx("workflow") as tx:
        intake.receive_ticket.handle(tx, [delivery_of(ReceiveTicket(payload={"ticket": each})) for each in tickets])
    outbox = runtime_tables("workflow").Outbox
    with write_tx("workflow"):
        outbox.delete().execute()
    return client("workflow")


def get(front: Any, path: str, who: Principal = COORDINATOR, **params: Any) -> Any:
    return front.simulate_get(f"/api/v1{path}", headers=bearer(who), params=params)


def send(front: Any, method: str, path: str, who: Principal, body: Any = None) -> Any:
    return front.simulate_request(method, f"/api/v1{path}", headers=bearer(who), json=body if body is not None else {})


def workflow_id(name: str) -> int:
    with read_tx("workflow"):
        found: int = Workflow.get(Workflow.name == name).id
    return found


def sent() -> list[str]:
    outbox = runtime_tables("workflow").Outbox
    with write_tx("workflow"):
        return [row.name for row in outbox.select().order_by(outbox.id)]


def test_a_task_is_shown_with_its_items_its_ticket_and_its_reasons(front: Any) -> None:
    task = get(front, "/tasks/HD-1").json
    assert (task["status"], task["task"]["workflow"], task["items"][0]["assignee"]) == ("Assigned", "IT Support", "1")
    assert task["snapshot"]["ticket_data"]["ticket_number"] == "HD-1"
    history = get(front, "/tasks/HD-1/history").json["items"]
    assert [(row["event"], row["to_user"], row["step"]) for row in history] == [("assigned", "1", "Triage")]
    explained = get(front, "/tasks/HD-1/explanation").json
    assert explained["allocations"][0]["considered"][0]["workflow"] == "IT Support"
    assert explained["assignments"][0]["considered"][0] == {"user_id": "1", "last_turn": 0, "verdict": "chosen"}


def test_a_parked_ticket_has_no_task_yet_and_an_unknown_one_is_not_found(front: Any) -> None:
    assert get(front, "/tasks/HD-2").json["task"] is None
    assert get(front, "/tasks/HD-2", SERVICE).json["status"] == "In Triage"
    assert get(front, "/tasks/HD-3").status_code == 404


def test_staff_see_their_own_items_and_those_of_their_roles_only(front: Any) -> None:
    for path in ("/tasks", "/items", "/waiting"):
        assert get(front, path, STRANGER).json["items"] == []
    for path in ("/tasks/HD-1", "/tasks/HD-1/history", "/tasks/HD-1/explanation", "/tasks/HD-2"):
        assert get(front, path, STRANGER).status_code == 404
    owner_of_an_item = Principal("user", "1", roles=frozenset({"tts:Budget Manager"}))
    assert [item["ticket_number"] for item in get(front, "/items", owner_of_an_item).json["items"]] == ["HD-1"]
    assert get(front, "/tasks/HD-1", owner_of_an_item).status_code == 200
    assert get(front, "/tasks", EMPLOYEE).status_code == 403


def test_items_and_tasks_are_filtered_and_paged(front: Any) -> None:
    assert len(get(front, "/items", assignee="1", state="new", role="1").json["items"]) == 1
    assert get(front, "/items", assignee="4").json["items"] == []
    assert len(get(front, "/tasks", status="Assigned", task_status="open").json["items"]) == 1
    assert get(front, "/tasks", status="Nonsense").status_code == 422
    assert get(front, "/items", limit="1").json["next"] is None


def test_triage_is_for_coordinators_and_a_pick_is_taken_down_and_carried_out_next(front: Any) -> None:
    assert get(front, "/triage", TECHNICIAN).status_code == 403
    assert [entry["ticket_number"] for entry in get(front, "/triage").json["items"]] == ["HD-2"]
    budget = workflow_id("Budget Proposal")
    answer = send(front, "POST", "/triage/HD-2/allocate", COORDINATOR, {"workflow_id": budget})
    assert (answer.status_code, answer.json["chosen_by"], sent()) == (202, "user:2", ["workflow.allocate_ticket"])
    assert send(front, "POST", "/triage/HD-1/allocate", COORDINATOR, {"workflow_id": budget}).status_code == 404
    assert send(front, "POST", "/triage/HD-2/allocate", COORDINATOR, {"workflow_id": 999}).status_code == 404
    assert send(front, "POST", "/triage/HD-2/allocate", TECHNICIAN, {"workflow_id": budget}).status_code == 403


def test_retiring_and_deploying_a_workflow_is_for_admins(front: Any) -> None:
    budget = workflow_id("Budget Proposal")
    assert send(front, "POST", f"/workflows/{budget}/retire", COORDINATOR).status_code == 403
    retired = send(front, "POST", f"/workflows/{budget}/retire", ADMIN).json
    assert (retired["deployed_version"], retired["versions"][0]["state"]) == (None, "retired")
    assert send(front, "POST", "/triage/HD-2/allocate", COORDINATOR, {"workflow_id": budget}).status_code == 409
    deployed = send(front, "POST", f"/workflows/{budget}/deploy", ADMIN).json
    assert deployed["versions"][0]["state"] == "deployed" and sent() == ["workflow.drain_triage"]
    assert [step["role"] for step in deployed["versions"][0]["steps"]] == ["Admin", "Budget Manager", "Admin"]
    assert get(front, "/workflows/999").status_code == 404
    assert len(get(front, "/workflows").json["items"]) == 5


def test_somebody_sets_their_own_absence_and_a_coordinator_anybodys(front: Any) -> None:
    absence = {"away_from": "2026-01-01T00:00:00Z", "away_to": None}
    assert send(front, "PUT", "/members/1/availability", TECHNICIAN, absence).status_code == 403
    assert send(front, "PUT", "/members/99/availability", COORDINATOR, absence).status_code == 404
    shown = send(front, "PUT", "/members/1/availability", COORDINATOR, absence)
    assert shown.status_code == 200 and shown.json["items"][0]["is_away"] is True
    backwards = {"away_from": "2026-01-02T00:00:00Z", "away_to": "2026-01-01T00:00:00Z"}
    assert send(front, "PUT", "/members/1/availability", ADMIN, backwards).status_code == 422
    back = send(front, "PUT", "/members/1/availability", ADMIN, {"away_from": None, "away_to": None})
    assert back.json["items"][0]["is_away"] is False


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"])
def test_an_instant_that_names_none_is_refused(front: Any, instant: str) -> None:
    answer = send(front, "PUT", "/members/1/availability", ADMIN, {"away_from": instant, "away_to": None})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == "away_from"


def test_room_for_more_has_the_waiting_list_served(front: Any) -> None:
    assert send(front, "PUT", "/roles/1/members/1/capacity", TECHNICIAN, {"capacity": 0}).status_code == 403
    for user in (1, 4):
        assert send(front, "PUT", f"/roles/1/members/{user}/capacity", COORDINATOR, {"capacity": 0}).status_code == 200
    from baton.actors.workflow import intake

    with write_tx("workflow") as tx:
        intake.receive_ticket.handle(tx, [delivery_of(ReceiveTicket(payload=ticket_data("HD-4")))])
    waiting = get(front, "/waiting", kind="item").json["items"]
    assert [(entry["ticket_number"], entry["reason"]) for entry in waiting] == [("HD-4", "nobody eligible: 2 at capacity")]
    assert send(front, "PUT", "/roles/1/members/4/capacity", COORDINATOR, {"capacity": None}).json["capacity"] is None
    assert sent()[-1] == "workflow.assign_waiting"
    assert send(front, "PUT", "/roles/1/members/9/capacity", COORDINATOR, {"capacity": 1}).status_code == 404
    assert send(front, "PUT", "/roles/x/members/1/capacity", COORDINATOR, {"capacity": 1}).status_code == 404
    assert send(front, "PUT", "/roles/1/members/1/capacity", COORDINATOR, {"capacity": -1}).status_code == 422


def test_roles_and_members_are_listed(front: Any) -> None:
    assert {role["name"] for role in get(front, "/roles", TECHNICIAN).json["items"]} >= {"Admin", "IT Manager"}
    members = get(front, "/members", role="1").json["items"]
    assert [(member["user_id"], member["turns"], member["open_items"]) for member in members] == [("1", 1, 1), ("4", 0, 0)]
    assert len(get(front, "/members", user_id="4").json["items"]) == 1
    with read_tx("workflow"):
        assert Role.select().count() == 5 and Member.select().count() == 2


def test_health_counts_what_waits(front: Any) -> None:
    checks = front.simulate_get("/health").json["checks"]
    assert (checks["queues"]["in_triage"], checks["queues"]["waiting"]) == (1, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_members_are_found_by_what_is_typed_of_their_name_or_address(front: Any) -> None:
    from baton.actors.workflow import sync

    grant = {"user_system_role": {**sync_grant(9, 1)["user_system_role"], "user_full_name": "Jörg Zimmer-Mann"}}
    grant["user_system_role"]["user_email"] = "j.zimmer@example.com"
    with write_tx("workflow") as tx:
        sync.sync_user_system_role.handle(tx, [delivery_of(SyncUserSystemRole(payload=grant))])
    for text in ("jorg", "zimm", "mann j", "j.zimmer@example.com"):
        assert [each["user_id"] for each in get(front, "/members", q=text, role="1").json["items"]] == ["9"], text
    assert get(front, "/members", q="immer").json["items"] == []
    assert get(front, "/members", q="jorg", role="2").json["items"] == []
    assert get(front, "/members", q="jorg", is_active="false").json["items"] == []
    assert get(front, "/members", EMPLOYEE, q="jorg").status_code == 403
