"""Designing workflows over the API: drafts, versions that never change, pictures, texts, and which one a ticket would get."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from baton.models import database as db
from baton.models.workflow import Step, Task, TaskItem, Workflow
from baton.pipelines.definition_texts import read_definition
from tests.designs import PURCHASE
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN, how_many
from tests.http.workflow.design_office import DesignOffice, open_office

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office with the seeded workflows and people."""
    return open_office(client)


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PURCHASE), **changes}


def create(office: DesignOffice, body: dict[str, Any] | None = None) -> str:
    answer = office.call("POST", "/workflows", body or PURCHASE)
    assert answer.status_code == 201, answer.text
    return f"/workflows/{answer.json['id']}"


def test_a_workflow_begins_as_a_draft_and_shows_what_was_written(office: DesignOffice) -> None:
    path = create(office)
    shown = office.call("GET", f"{path}/versions/1")
    assert (shown.json["state"], shown.json["revision"], shown.headers["ETag"]) == ("draft", 1, '"1"')
    assert shown.json["faults"] == [] and shown.json["steps"] == [] and shown.json["created_by"] == "user:1"
    assert [step["name"] for step in shown.json["definition"]["steps"]] == ["Triage", "Approve", "Order"]
    assert office.call("GET", path).json["deployed_version"] is None
    assert office.call("POST", "/workflows", PURCHASE).status_code == 409


def test_a_draft_changes_under_its_etag_and_an_older_one_is_refused(office: DesignOffice) -> None:
    path = create(office)
    answer = office.call("PUT", f"{path}/versions/1", changed(end_logic="rocket"), If_Match='"1"')
    assert (answer.status_code, answer.json["revision"], answer.headers["ETag"]) == (200, 2, '"2"')
    assert [fault["code"] for fault in answer.json["faults"]] == ["end-logic-unknown"]
    assert office.call("PUT", f"{path}/versions/1", PURCHASE, If_Match='"1"').status_code == 412
    assert office.call("PUT", f"{path}/versions/1", changed(name="Other")).status_code == 422
    assert office.call("PUT", f"{path}/versions/9", PURCHASE).status_code == 404
    assert office.call("PUT", f"{path}/versions/99999999999", PURCHASE).status_code == 404
    assert office.call("GET", f"{path}/versions/1").json["definition"]["end_logic"] == "rocket"


def test_a_faulty_draft_is_not_deployed_and_each_fault_is_named(office: DesignOffice) -> None:
    path = create(office, changed(end_logic="rocket", steps=[{"name": "A", "role": "Wizard", "action": "Go"}]))
    refused = office.call("POST", f"{path}/deploy", {"force": True})
    assert refused.status_code == 409
    assert {fault["code"] for fault in refused.json["faults"]} == {"end-logic-unknown", "role-unknown"}
    judged = office.call("GET", f"{path}/versions/1/validation").json
    assert judged["is_deployable"] is False and len(judged["faults"]) == 2
    assert how_many("workflow", Step.select().where(Step.name == "A")) == 0


def test_a_deployed_or_retired_version_never_changes(office: DesignOffice) -> None:
    path = create(office)
    before = office.call("POST", f"{path}/deploy").json["versions"][0]
    assert before["state"] == "deployed" and [step["approvals_needed"] for step in before["steps"]] == [0, 2, 0]
    assert len(before["transitions"]) == 6
    for state in ("deployed", "retired"):
        refused = office.call("PUT", f"{path}/versions/1", changed(description="x"))
        assert (refused.status_code, refused.json["state"]) == (409, state)
        office.call("POST", f"{path}/retire")
    after = office.call("GET", path).json["versions"][0]
    assert after["state"] == "retired"
    assert {k: v for k, v in after.items() if k not in ("state", "retired_at")} == {
        k: v for k, v in before.items() if k not in ("state", "retired_at")
    }


def test_w_2_running_tasks_finish_on_their_version_when_the_workflow_changes(office: DesignOffice) -> None:
    path = create(office)
    office.call("POST", f"{path}/deploy")
    office.file("HD-1", category="Purchase")
    steps = PURCHASE["steps"][:1] + PURCHASE["steps"][2:]
    steps[0] = {"name": "Look", "role": "Admin", "action": "Go on"}
    version = office.call("POST", f"{path}/versions", {"definition": changed(steps=steps)})
    assert (version.status_code, version.json["number"], version.json["state"]) == (201, 2, "draft")
    deployed = office.call("POST", f"{path}/deploy", {"version": 2}, If_Match='"1"').json
    assert [each["state"] for each in deployed["versions"]] == ["retired", "deployed"]
    office.file("HD-2", category="Purchase")
    shown = {n: office.call("GET", f"/tasks/{n}").json for n in ("HD-1", "HD-2")}
    assert [(each["task"]["workflow_version"], each["items"][0]["step"]) for each in shown.values()] == [
        (1, "Triage"),
        (2, "Look"),
    ]
    homes = TaskItem.select(Step.version, Task.workflow_version).join(Step, on=(Step.id == TaskItem.step))
    with db.read_tx("workflow"):
        rows = list(homes.join(Task, on=(Task.id == TaskItem.task)).tuples())
    assert len(rows) == 2 and all(step == task for step, task in rows)


def test_a_new_version_begins_as_another_one_is(office: DesignOffice) -> None:
    path = create(office)
    assert office.call("POST", f"{path}/versions", {"from_version": 1}).json["number"] == 2
    office.call("PUT", f"{path}/versions/2", changed(description="newer"))
    assert office.call("POST", f"{path}/versions").json["definition"]["description"] == "newer"
    assert office.call("POST", f"{path}/versions", {"from_version": 7}).status_code == 404
    assert office.call("POST", f"{path}/deploy", {"version": 7}).status_code == 404
    assert office.call("POST", f"{path}/deploy", {"version": 2}, If_Match='"1"').status_code == 412


def test_w_6_an_equal_match_is_deployed_by_force_only_and_the_older_workflow_then_decides(office: DesignOffice) -> None:
    path = create(office, changed(match=[{"category": "it-support"}]))
    refused = office.call("POST", f"{path}/deploy")
    assert refused.status_code == 409 and refused.json["faults"][0]["code"] == "same-match"
    assert office.call("POST", f"{path}/deploy", {"force": True}).status_code == 200
    answer = office.call("POST", "/workflows/match", {"category": "IT Support", "department": "Sales"}).json
    assert (answer["workflow"], answer["reason"]) == ("IT Support", "matches by category; the oldest of 2 workflows that do")
    assert [each["workflow"] for each in answer["considered"]] == ["IT Support", "Purchase"]
    office.file("HD-1", department="Sales")
    assert office.call("GET", "/tasks/HD-1").json["task"]["workflow"] == "IT Support"
    assert office.call("GET", "/tasks/HD-1/explanation").json["allocations"][0]["reason"] == answer["reason"]


def test_a_question_about_a_stored_ticket_changes_nothing(office: DesignOffice) -> None:
    office.file("HD-1", category="thunderbird")
    answer = office.call("POST", "/workflows/match", {"ticket_number": "HD-1"}).json
    assert (answer["workflow"], answer["reason"][:35]) == (None, "no deployed workflow matches catego")
    answer = office.call("POST", "/workflows/match", {"ticket_number": "HD-1", "category": "Others"}).json
    assert answer["workflow"] == "General Request"
    for number, who in (("HD-9", COORDINATOR), ("HD-1", TECHNICIAN)):
        assert office.call("POST", "/workflows/match", {"ticket_number": number}, who).status_code == 404
    assert office.call("GET", "/tasks/HD-1").json["task"] is None and "workflow.drain_triage" not in office.run()


def test_deploying_allocates_what_waits_in_triage(office: DesignOffice) -> None:
    office.file("HD-1", category="Purchase")
    path = create(office)
    office.call("POST", f"{path}/deploy")
    office.run()
    assert office.call("GET", "/tasks/HD-1").json["task"]["workflow"] == "Purchase"


def test_a_version_is_drawn_and_its_text_makes_the_same_workflow_again(office: DesignOffice) -> None:
    path = create(office, changed(name='<b>Purchase</b> & "more"'))
    drawn = office.call("GET", f"{path}/versions/1/picture")
    assert drawn.headers["Content-Type"] == "image/svg+xml" and "default-src 'none'" in drawn.headers["Content-Security-Policy"]
    assert ET.fromstring(drawn.content)[0].text == '<b>Purchase</b> & "more", version 1 (draft)'
    text = office.call("GET", f"{path}/versions/1/toml")
    assert text.headers["Content-Type"] == "application/toml"
    assert read_definition(text.text).name == '<b>Purchase</b> & "more"'
    again = office.call("POST", "/workflows/import", {"toml": text.text})
    assert again.status_code == 201
    one, two = (office.call("GET", f"{path}/versions/{number}").json for number in (1, 2))
    assert one["definition"] == two["definition"]
    other = office.call("POST", "/workflows/import", {"toml": text.text.replace("<b>Purchase</b>", "New")})
    assert other.json["versions"][0]["state"] == "draft" and how_many("workflow", Workflow.select()) == 7
    broken = office.call("POST", "/workflows/import", {"toml": 'name = "X"\nsteps = [{}]'})
    assert broken.status_code == 422
    assert [error["message"] for error in broken.json["errors"]] == ["steps.1.name is missing", "steps.1.role is missing"]


def test_what_is_not_stored_is_judged_and_drawn(office: DesignOffice) -> None:
    judged = office.call("POST", "/workflows/validate", changed(end_logic="x"), TECHNICIAN).json
    assert judged["is_deployable"] is False and judged["faults"][0]["remedy"].startswith("use one of asset")
    drawn = office.call("POST", "/workflows/preview", PURCHASE, TECHNICIAN)
    assert ET.fromstring(drawn.content).tag.endswith("svg")
    assert how_many("workflow", Workflow.select().where(Workflow.name == "Purchase")) == 0


def test_the_same_request_again_makes_one_version(office: DesignOffice) -> None:
    path = create(office)
    answers = [office.call("POST", f"{path}/versions", {}, Idempotency_Key="once") for _ in range(2)]
    assert [each.json["number"] for each in answers] == [2, 2]
    assert len(office.call("GET", path).json["versions"]) == 2


def test_designing_is_for_admins_and_reading_for_staff(office: DesignOffice) -> None:
    path = create(office)
    writes = [
        ("POST", "/workflows", PURCHASE),
        ("POST", "/workflows/import", {"toml": ""}),
        ("POST", f"{path}/versions", {}),
        ("PUT", f"{path}/versions/1", PURCHASE),
        ("POST", f"{path}/deploy", {}),
        ("POST", f"{path}/retire", None),
        ("POST", f"{path}/move", {"to_version": 1}),
    ]
    for method, address, body in writes:
        assert office.call(method, address, body, COORDINATOR).status_code == 403, address
    reads = ("", "/versions/1", "/versions/1/validation", "/versions/1/picture", "/versions/1/toml")
    for address in reads:
        assert office.call("GET", path + address, None, TECHNICIAN).status_code == 200, address
        assert office.call("GET", path + address, None, EMPLOYEE).status_code == 403, address
    assert office.call("POST", "/workflows/match", {}, EMPLOYEE).status_code == 403


def test_a_picture_marks_the_step_where_a_ticket_is(office: DesignOffice) -> None:
    path = f"{create(office)}/versions/1/picture"
    plain, marked = office.call("GET", path), office.call("GET", f"{path}?current=Approve", who=TECHNICIAN)
    assert (marked.status_code, marked.headers["Content-Type"].partition(";")[0]) == (200, "image/svg+xml")
    assert "The ticket is at Approve now." in marked.text and "sandbox" in marked.headers["Content-Security-Policy"]
    assert office.call("GET", f"{path}?current=%3Cscript%3E").text == plain.text
    assert office.call("GET", f"{path}?current=").status_code == 422
    assert office.call("GET", f"{path}?current=Approve", who=EMPLOYEE).status_code == 403


def test_the_list_names_the_number_of_the_version_that_is_deployed(office: DesignOffice) -> None:
    path = create(office)
    office.call("POST", f"{path}/versions", {})
    by_name = {each["name"]: each["deployed_number"] for each in office.call("GET", "/workflows").json["items"]}
    assert (by_name["IT Support"], by_name["Purchase"]) == (1, None)
    assert office.call("POST", f"{path}/deploy", {"version": 2, "force": True}).json["deployed_number"] == 2
    by_name = {each["name"]: each["deployed_number"] for each in office.call("GET", "/workflows").json["items"]}
    assert by_name["Purchase"] == 2
