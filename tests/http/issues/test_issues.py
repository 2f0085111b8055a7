"""The issue tracker's front: both ids lead to an issue for ever, duplicates are one, and only the right people decide."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from baton.actors import issues as actors
from baton.actors.handling import Delivery, NotYetError, delivery_of
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.messages import CATALOGUE
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, SERVICE, TECHNICIAN, bearer

ISSUES = "/api/v1/issues"
BODY = {
    "title": "The nightly import stops",
    "description": "It says nothing.\r\n\U0001f600",
    "type": "bug",
    "priority": "High",
    "tags": ["import", "night"],
    "component": "import",
}


@pytest.fixture
def tracker(client: Callable[[str], TestClient]) -> TestClient:
    return client("issues")


def report(tracker: TestClient, wait: bool = False, principal: Any = SERVICE, **changes: Any) -> Result:
    params = {"wait": "true"} if wait else {}
    return tracker.simulate_post(ISSUES, json={**BODY, **changes}, params=params, headers=bearer(principal))


def read(tracker: TestClient, path: str = "", principal: Any = COORDINATOR, **params: Any) -> Result:
    return tracker.simulate_get(f"{ISSUES}{path}", params=params, headers=bearer(principal))


def outbox() -> list[dict[str, Any]]:
    with database.read_tx("issues"):
        return list(runtime_tables("issues").Outbox.select().order_by(runtime_tables("issues").Outbox.id).dicts())


def deliver(*names: str) -> None:
    """Hand what the outbox holds to its handlers, in the order of these names, and empty it."""
    rows = outbox()
    with write_tx("issues") as tx:
        for name in names or [row["name"] for row in rows]:
            deliveries: list[Delivery[Any]] = [
                delivery_of(CATALOGUE[name](**json.loads(row["kwargs"]))) for row in rows if row["name"] == name
            ]
            HANDLERS[name].handle(tx, deliveries)
            assert [delivery.refusal for delivery in deliveries] == [None] * len(deliveries)
        runtime_tables("issues").Outbox.delete().execute()


HANDLERS: dict[str, Any] = {
    "issues.record_issue": actors.record_issue,
    "issues.add_comment": actors.add_comment,
    "issues.update_status": actors.update_status,
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_report_is_queued_and_its_temporary_id_answers_before_and_after(tracker: TestClient) -> None:
    answer = report(tracker)
    temporary = answer.json["id"]
    assert (answer.status_code, temporary[:5]) == (202, "temp-")
    assert uuid.UUID(temporary[5:])
    assert answer.headers["location"] == f"{ISSUES}/{temporary}"
    (row,) = outbox()
    assert (row["queue"], json.loads(row["kwargs"])["temporary_id"]) == ("issues", temporary)

    waiting = read(tracker, f"/{temporary}")
    assert (waiting.status_code, waiting.json["status"], waiting.json["id"]) == (202, "queued", temporary)
    assert {key: waiting.json[key] for key in BODY} == BODY
    assert read(tracker).json["items"] == []

    deliver()
    written = read(tracker, f"/{temporary}")
    assert (written.status_code, written.json["status"], written.json["count"]) == (200, "open", 1)
    assert {key: written.json[key] for key in BODY} == BODY
    assert written.json["reporter"] == SERVICE.subject
    assert read(tracker, f"/{written.json['id']}").json == written.json


def test_a_report_that_is_waited_for_has_its_real_id_at_once(tracker: TestClient) -> None:
    answer = report(tracker, wait=True)
    assert (answer.status_code, answer.json["id"], answer.json["status"]) == (201, "1", "open")
    assert outbox() == []
    assert read(tracker, "/1").json == answer.json


def test_every_temporary_id_of_a_folded_issue_leads_to_it(tracker: TestClient) -> None:
    first, second = report(tracker).json["id"], report(tracker, title="  the NIGHTLY import  stops").json["id"]
    real = report(tracker, wait=True, priority="low").json["id"]
    deliver()
    found = [read(tracker, f"/{reference}").json for reference in (first, second, real)]
    assert found[0] == found[1] == found[2]
    assert (found[0]["count"], found[0]["priority"]) == (3, "High")
    assert len(read(tracker).json["items"]) == 1


def test_another_description_of_the_same_thing_is_kept_as_a_comment(tracker: TestClient) -> None:
    report(tracker, wait=True)
    report(tracker, wait=True, description="It did it again, at four.")
    (comment,) = read(tracker, "/1/comments").json["items"]
    assert (comment["content"], comment["author"]) == ("It did it again, at four.", SERVICE.subject)


def test_a_report_by_hand_after_the_end_is_a_new_issue(tracker: TestClient) -> None:
    first = report(tracker, wait=True).json["id"]
    status = tracker.simulate_put(f"{ISSUES}/{first}/status", json={"status": "closed"}, headers=bearer(ADMIN))
    assert status.json["status"] == "closed"
    assert report(tracker, wait=True).json["id"] != first
    reopened = tracker.simulate_patch(f"{ISSUES}/{first}/status", json={"status": "open"}, headers=bearer(ADMIN))
    assert (reopened.status_code, reopened.json["status"]) == (200, "open")
    assert report(tracker, wait=True).json["count"] == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_comments_and_statuses_by_a_temporary_id_reach_the_issue_in_their_order(tracker: TestClient) -> None:
    temporary = report(tracker).json["id"]
    one = f"{ISSUES}/{temporary}"
    comment = tracker.simulate_post(f"{one}/comments", json={"content": "first"}, headers=bearer(TECHNICIAN))
    assert (comment.status_code, comment.json["queued"]) == (202, True)
    for status in ("in_progress", "resolved"):
        answer = tracker.simulate_put(f"{one}/status", json={"status": status, "reason": "r"}, headers=bearer(COORDINATOR))
        assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert read(tracker, f"/{temporary}/comments").json["items"] == []

    with pytest.raises(NotYetError):
        deliver("issues.add_comment")
    with pytest.raises(NotYetError):
        deliver("issues.update_status")
    deliver("issues.record_issue", "issues.update_status", "issues.add_comment")

    assert read(tracker, f"/{temporary}").json["status"] == "resolved"
    second = tracker.simulate_post(f"{one}/comments", json={"content": "second"}, headers=bearer(TECHNICIAN))
    assert (second.status_code, second.json["queued"]) == (201, False)
    contents = [comment["content"] for comment in read(tracker, f"/{temporary}/comments").json["items"]]
    assert contents == ["first", "open -> in_progress: r", "in_progress -> resolved: r", "second"]


def test_issues_are_found_by_what_they_are(tracker: TestClient) -> None:
    report(tracker, wait=True)
    report(
        tracker, wait=True, title="b", type="task", priority="Low", tags=["other"], component="auth", ticket_number="HD-00000007"
    )
    expected: dict[str, list[str]] = {
        "": ["2", "1"], "status=open": ["2", "1"], "status=closed": [], "type=task": ["2"], "priority=High": ["1"],
        "component=auth": ["2"], "tag=import": ["1"], "tag=nothing": [], "ticket=HD-00000007": ["2"],
        "since=2020-01-01T00:00:00Z": ["2", "1"], "since=2999-01-01T00:00:00Z": [], "tag=night&type=bug": ["1"],
    }  # fmt: skip
    for query, ids in expected.items():
        answer = tracker.simulate_get(ISSUES, query_string=query, headers=bearer(TECHNICIAN))
        assert [item["id"] for item in answer.json["items"]] == ids, query


def test_recent_issues_are_those_of_the_last_hour_page_by_page(tracker: TestClient) -> None:
    from datetime import timedelta

    from baton.models.issues import Issue

    for number in range(4):
        report(tracker, wait=True, title=str(number))
    with write_tx("issues") as tx:
        Issue.update(last_seen=tx.now - timedelta(minutes=61)).where(Issue.id == 2).execute()
    page = read(tracker, "/recent", limit=2).json
    rest = read(tracker, "/recent", limit=2, cursor=page["next"]).json
    assert [item["id"] for item in page["items"] + rest["items"]] == ["4", "3", "1"]
    assert rest["next"] is None
    assert read(tracker, "/recent", status="closed").json["items"] == []


def test_the_same_idempotency_key_is_one_report(tracker: TestClient) -> None:
    headers = {**bearer(SERVICE), "Idempotency-Key": "k"}
    first, again = (tracker.simulate_post(ISSUES, json=BODY, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, first.json) == (202, 202, again.json)
    assert len(outbox()) == 1


def test_who_may_report_read_and_decide(tracker: TestClient) -> None:
    report(tracker, wait=True)
    status: dict[str, Any] = {"json": {"status": "closed"}}
    assert report(tracker, principal=EMPLOYEE).status_code == 403
    assert read(tracker, "/1", EMPLOYEE).status_code == 403
    assert report(tracker, principal=TECHNICIAN).status_code == 202
    assert read(tracker, "/1", TECHNICIAN).status_code == 200
    assert tracker.simulate_put(f"{ISSUES}/1/status", headers=bearer(TECHNICIAN), **status).status_code == 403
    for decider in (COORDINATOR, ADMIN, SERVICE):
        assert tracker.simulate_put(f"{ISSUES}/1/status", headers=bearer(decider), **status).status_code == 200


@pytest.mark.parametrize(
    "reference",
    ["0", "2", "9" * 30, "-1", "temp-x", "temp-00000000-0000-4000-8000-000000000000", "%F0%9F%98%80", "1e3", "٣"],
)
def test_what_names_no_issue_is_not_found(tracker: TestClient, reference: str) -> None:
    report(tracker, wait=True)
    assert read(tracker, f"/{reference}").status_code == 404
    assert read(tracker, f"/{reference}/comments").status_code == 404
    for path, body in (("comments", {"content": "x"}), ("status", {"status": "open"})):
        method = "POST" if path == "comments" else "PUT"
        answer = tracker.simulate_request(method, f"{ISSUES}/{reference}/{path}", json=body, headers=bearer(ADMIN))
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""}, {"title": "  "}, {"title": 5}, {"title": "x" * 501}, {"title": "\x00"}, {"priority": "Yesterday"},
        {"tags": "import"}, {"tags": [""]}, {"tags": ["x"] * 21}, {"tags": ["x" * 101]}, {"description": "\ud800"},
        {"type": ""}, {"component": None}, {"fingerprint": "fault:" + "0" * 32}, {"count": 1000}, {"temporary_id": "temp-1"},
        {"reporter": "user:1"}, {"ticket_number": ""},
    ],
    ids=str,
)  # fmt: skip
def test_hostile_reports_are_refused_and_leave_nothing(tracker: TestClient, change: dict[str, Any]) -> None:
    body = json.dumps({**BODY, **change})
    headers = {**bearer(SERVICE), "Content-Type": "application/json"}
    for query in ("", "wait=true"):
        answer = tracker.simulate_post(ISSUES, body=body, query_string=query, headers=headers)
        assert answer.status_code == 422
    assert (outbox(), read(tracker).json["items"]) == ([], [])


def test_a_title_is_all_a_report_needs(tracker: TestClient) -> None:
    answer = tracker.simulate_post(ISSUES, json={"title": "x"}, headers=bearer(SERVICE))
    assert (answer.status_code, answer.json["type"], answer.json["priority"], answer.json["tags"]) == (202, "bug", "Medium", [])
