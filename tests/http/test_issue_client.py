"""Reporting from a program: taken in time, or not at all; never an error, never a delay beyond the limit."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from baton.http import issue_client
from baton.http.issue_client import IssueClient
from baton.models.settings import Settings

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def client() -> Iterator[Callable[..., IssueClient]]:
    """Make clients whose tracker answers as told, behind an auth that gives tokens."""

    def make(answer: Answer, limit: float = 2.0) -> IssueClient:
        def handle(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/api/v1/service-token":
                return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
            return answer(request)

        return IssueClient(Settings(), "import", limit=limit, transport=httpx.MockTransport(handle))

    yield make


@pytest.mark.parametrize(("status", "issue_id"), [(202, "temp-1"), (201, "17")])
def test_both_answers_of_the_tracker_are_accepted(client: Any, status: int, issue_id: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json={"id": issue_id})

    issues = client(answer)
    assert issues.log_issue("It stops", "why", tags=["x"], component="import") == issue_id
    assert issues.add_comment(issue_id, "more")
    assert issues.update_issue_status(issue_id, "resolved")
    assert [(request.method, request.url.path) for request in seen] == [
        ("POST", "/api/v1/issues"),
        ("POST", f"/api/v1/issues/{issue_id}/comments"),
        ("PUT", f"/api/v1/issues/{issue_id}/status"),
    ]
    assert json.loads(seen[0].content)["title"] == "It stops"


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), ValueError("broken"), 401, 422, 500, "no json", "no id"])
def test_nothing_is_ever_raised(client: Any, fault: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, int):
            return httpx.Response(fault, json={})
        return httpx.Response(201, content=b"x") if fault == "no json" else httpx.Response(201, json={})

    issues = client(answer)
    assert issues.log_issue("It stops") is None
    if not isinstance(fault, str):
        assert not issues.add_comment("1", "x")
        assert not issues.update_issue_status("1", "closed")


def test_unusual_arguments_are_no_fault_either(client: Any) -> None:
    issues = client(lambda request: httpx.Response(404, json={}))
    assert issues.log_issue(None) is None
    assert issues.log_issue("x", tags=5) is None
    assert issues.log_issue("\ud800") is None
    assert not issues.add_comment("../../x", "y")


def test_without_an_id_there_is_nothing_to_tell(client: Any) -> None:
    issues = client(lambda request: httpx.Response(201, json={"id": "1"}))
    assert not issues.add_comment(None, "x")
    assert not issues.update_issue_status(None, "closed")


def test_a_tracker_that_hangs_holds_nobody_up(client: Any) -> None:
    release = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        release.wait(120)
        return httpx.Response(202, json={"id": "temp-1"})

    issues = client(answer, limit=0.05)
    started = time.monotonic()
    try:
        assert [issues.log_issue("It stops") for _ in range(issue_client.MOST_HANGING + 20)] == [None] * (8 + 20)
        assert time.monotonic() - started < 60
    finally:
        release.set()
