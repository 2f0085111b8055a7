"""Idempotency keys: one effect per key, whoever repeats it, whenever."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from baton.models.runtime import runtime_tables
from tests.factories import BACKENDS, EMPLOYEE, OTHER_EMPLOYEE, bearer
from tests.http.demo import DemoNote


def write(demo: Any, key: str, principal: Any = EMPLOYEE, **body: Any) -> Any:
    headers = {**bearer(principal), "Idempotency-Key": key}
    return demo.simulate_post("/notes", json={"subject": "Printer", **body}, headers=headers)


@pytest.mark.parametrize("backend", BACKENDS)
class TestTheSameKey:
    def test_with_the_same_request_gets_the_first_answer_again(self, demo: Any) -> None:
        first, again = write(demo, "k1"), write(demo, "k1")
        assert first.status_code == again.status_code == 201
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert DemoNote.select().count() == runtime_tables("helpdesk").Outbox.select().count() == 1

    def test_with_the_same_request_written_otherwise_is_the_same(self, demo: Any) -> None:
        headers = {**bearer(EMPLOYEE), "Idempotency-Key": "k", "Content-Type": "application/json"}
        first = demo.simulate_post("/notes", body='{"subject": "a", "weight": 1}', headers=headers)
        again = demo.simulate_post("/notes", body='{ "weight":1,"subject":"\\u0061" }', headers=headers)
        assert again.content == first.content
        assert DemoNote.select().count() == 1

    def test_with_another_request_is_refused(self, demo: Any) -> None:
        write(demo, "k1")
        answer = write(demo, "k1", text="other")
        assert (answer.status_code, answer.json["type"]) == (422, "urn:baton:problem:idempotency-key-reused")
        other_path = demo.simulate_put(
            "/notes/1", json={"subject": "Printer"}, headers={**bearer(EMPLOYEE), "Idempotency-Key": "k1"}
        )
        assert other_path.status_code == 422
        assert DemoNote.select().count() == 1

    def test_of_another_caller_is_another_key(self, demo: Any) -> None:
        assert write(demo, "k1").json["id"] != write(demo, "k1", OTHER_EMPLOYEE).json["id"]

    def test_of_a_refused_request_can_be_used_again(self, demo: Any) -> None:
        assert write(demo, "k1", subject="refuse").status_code == 409
        assert write(demo, "k1", subject="crash").status_code == 500
        assert write(demo, "k1", weight="wrong").status_code == 422
        assert write(demo, "k1").status_code == 201

    def test_at_the_same_moment_has_one_effect(self, demo: Any) -> None:
        answers: list[Any] = []
        start = threading.Barrier(8)

        def one() -> None:
            start.wait()
            answers.append(write(demo, "k1"))

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("idempotent-replayed" in answer.headers for answer in answers) == 7
        assert DemoNote.select().count() == runtime_tables("helpdesk").Outbox.select().count() == 1
