"""The declarative front: what it does with good requests, with refused ones, and around both."""

from __future__ import annotations

import json
from typing import Any

import falcon.testing
import pytest
import structlog

from baton.models import database as db
from baton.models.database import DatabaseUnavailableError
from baton.models.runtime import runtime_tables
from baton.models.transaction import current_trace
from tests.factories import ADMIN, EMPLOYEE, SERVICE, bearer, how_many
from tests.http.demo import DemoNote

PROBLEM = "application/problem+json"


def write(demo: Any, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return demo.simulate_post("/notes", json={"subject": "Printer", **body}, headers={**bearer(EMPLOYEE), **(headers or {})})


def test_a_write_stores_rows_and_messages_together(demo: Any) -> None:
    answer = write(demo, text="on fire")
    assert answer.status_code == 201
    assert answer.json["text"] == "on fire"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/notes/{answer.json['id']}"
    assert how_many("helpdesk", runtime_tables("helpdesk").Outbox.select()) == 1
    assert demo.simulate_get(f"/notes/{answer.json['id']}", headers=bearer(EMPLOYEE)).json == answer.json


def test_a_refusal_leaves_nothing(demo: Any) -> None:
    answer = write(demo, subject="refuse")
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
    assert answer.json["type"] == "urn:baton:problem:conflict"
    assert how_many("helpdesk", DemoNote.select()) == 0


def test_text_comes_back_byte_for_byte(demo: Any) -> None:
    text = "Grüße 😀\r\n\t﻿ e\u0301 \u202e end \u0085\ufffd  "
    number = write(demo, subject=text, text=text).json["id"]
    assert demo.simulate_get(f"/notes/{number}", headers=bearer(EMPLOYEE)).json["text"] == text


def test_every_wrong_field_is_named_at_once(demo: Any) -> None:
    body = {"subject": 7, "weight": "3", "author": "  ", "due_at": "2026-06-01T10:00:00", "owner": "me"}
    answer = demo.simulate_post("/notes", json=body, headers=bearer(EMPLOYEE))
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.json["type"] == "urn:baton:problem:invalid-fields"
    assert {item["field"] for item in answer.json["errors"]} == {"subject", "weight", "author", "due_at", "owner"}
    assert all(set(item) == {"field", "message", "type"} for item in answer.json["errors"])


def test_an_unforeseen_error_tells_nothing(demo: Any) -> None:
    answer = write(demo, subject="crash")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.json["trace_id"] == answer.headers["x-request-id"]


def test_an_unreachable_database_is_a_503_with_retry_after(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> Any:
        raise DatabaseUnavailableError("connection refused to 10.0.0.7")

    monkeypatch.setattr("baton.http.dispatch.write_tx", down)
    answer = write(demo)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.7" not in answer.text


def test_both_forms_of_a_path_are_served(demo: Any) -> None:
    for path in ("/who", "/who/"):
        assert demo.simulate_get(path, headers=bearer(SERVICE)).json["subject"] == "service:workflow"


def test_head_answers_as_get_without_a_body(demo: Any) -> None:
    answer = demo.simulate_head("/notes", headers=bearer(EMPLOYEE))
    assert (answer.status_code, answer.content) == (200, b"")


def test_options_and_405_name_the_methods(demo: Any) -> None:
    assert demo.simulate_options("/notes").status_code == 200
    refused = demo.simulate_delete("/notes", headers=bearer(EMPLOYEE))
    assert (refused.status_code, refused.headers["content-type"]) == (405, PROBLEM)
    assert {"GET", "POST", "HEAD", "OPTIONS"} <= {name.strip() for name in refused.headers["allow"].split(",")}


def test_an_unknown_path_is_a_problem(demo: Any) -> None:
    answer = demo.simulate_get("/nowhere/at/all")
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json["type"] == "urn:baton:problem:not-found"


def test_a_version_that_is_not_current_fails_the_precondition(demo: Any) -> None:
    number = write(demo).json["id"]

    def change(match: str | None) -> Any:
        headers = {**bearer(EMPLOYEE), **({"If-Match": match} if match else {})}
        return demo.simulate_put(f"/notes/{number}", json={"subject": "Scanner"}, headers=headers)

    assert change('"1"').headers["etag"] == '"2"'
    stale = change('"1"')
    assert (stale.status_code, stale.json["type"]) == (412, "urn:baton:problem:precondition-failed")
    assert change('"7", "2"').status_code == 200
    assert change("*").status_code == 200
    assert change(None).status_code == 200
    assert change("W/\x01 nonsense").status_code == 412


def test_the_callers_trace_goes_into_answer_and_messages(demo: Any) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = write(demo, {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["x-request-id"] == trace
    with db.read_tx("helpdesk"):
        envelope = json.loads(runtime_tables("helpdesk").Outbox.get().envelope)
    assert envelope["trace_id"] == trace
    assert demo.simulate_get("/who", headers={**bearer(ADMIN), "X-Request-ID": "my-id.1"}).json["trace"] == "my-id.1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ä", "1;2", "\x00"])
def test_a_trace_that_could_harm_the_logs_is_replaced(demo: Any, given: str) -> None:
    trace = demo.simulate_get("/who", headers={**bearer(ADMIN), "X-Request-ID": given}).json["trace"]
    assert len(trace) == 32


def test_nothing_stays_bound_after_a_request(demo: Any) -> None:
    before = structlog.contextvars.get_contextvars()
    write(demo)
    demo.simulate_get("/nowhere")
    write(demo, subject="crash")
    assert structlog.contextvars.get_contextvars() == before
    assert current_trace.get() is None


def test_each_request_is_one_event_in_the_log(demo: Any) -> None:
    with structlog.testing.capture_logs() as lines:
        write(demo)
    found = [line for line in lines if line["event"] == "request"]
    assert len(found) == 1
    assert (found[0]["method"], found[0]["status"], found[0]["principal"]) == ("POST", 201, EMPLOYEE.subject)


def test_every_answer_has_the_security_headers(demo: Any) -> None:
    for answer in (write(demo), demo.simulate_get("/nowhere"), demo.simulate_get("/docs"), demo.simulate_get("/health")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_too_many_requests_are_told_when_to_come_back(demo: Any) -> None:
    answers = [demo.simulate_post("/sign-in", json={"subject": "x"}) for _ in range(5)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_session_cookie_cannot_be_read_by_scripts(demo: Any) -> None:
    cookie = demo.simulate_post("/sign-in", json={"subject": "x"}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_health_names_each_dependency(demo: Any) -> None:
    health = demo.simulate_get("/health").json
    assert health["status"] in ("ok", "degraded")
    assert {"database", "broker", "outbox", "deferred", "relay"} <= set(health["checks"])
    write(demo)
    assert demo.simulate_get("/health").json["checks"]["outbox"]["rows"] == 1


def test_health_fails_strictly_without_its_database(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> Any:
        raise DatabaseUnavailableError("gone")

    monkeypatch.setattr("baton.http.health.read_tx", down)
    assert demo.simulate_get("/health").status_code == 200
    answer = demo.simulate_get("/health", query_string="strict=1")
    assert (answer.status_code, answer.json["status"]) == (503, "failing")


def test_metrics_are_readable_by_prometheus(demo: Any) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    write(demo)
    families = {family.name: family for family in text_string_to_metric_families(demo.simulate_get("/metrics").text)}
    assert families["baton_outbox_rows"].samples[0].value == 1
    assert families["baton_database_up"].samples[0].value == 1
    assert "baton_http_request_seconds" in families


def test_the_description_lists_every_operation_and_the_page_needs_nobody_else(demo: Any) -> None:
    document = demo.simulate_get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert {"/notes", "/notes/{id}", "/who/", "/health"} <= set(document["paths"])
    assert {"201", "401", "403", "413", "415", "422"} <= set(document["paths"]["/notes"]["post"]["responses"])
    page = demo.simulate_get("/docs").text
    assert "<script" not in page
    assert "http://" not in page and "https://" not in page


def test_the_front_adds_little_to_a_write(demo: Any) -> None:
    import time

    environ = falcon.testing.create_environ(
        "/notes",
        method="POST",
        body=json.dumps({"subject": "x" * 60}),
        headers={**bearer(EMPLOYEE), "Content-Type": "application/json"},
    )
    demo.app(dict(environ), lambda *_: None)
    started = time.process_time()
    for _ in range(50):
        environ["wsgi.input"].seek(0)
        demo.app(dict(environ), lambda *_: None)
    # Generous: it guards against an accident (a signature or a schema computed per request), not against drift.
    assert (time.process_time() - started) / 50 < 0.01
