"""The client of our own fronts, against stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from baton.http.clients import ServiceClient
from baton.models.settings import Settings


class Fronts:
    """Auth and a help desk behind one transport."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refuse_connections = 0
        self.seen: list[httpx.Request] = []
        self.good_token = "t1"
        self.secret = Settings().service_secret

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.refuse_connections:
            self.refuse_connections -= 1
            raise httpx.ConnectError("refused")
        if request.url.path == "/api/v1/service-token":
            if self.secret.encode() not in request.content:
                return httpx.Response(401, json={"title": "invalid credentials"})
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t{self.tokens}", "expires_in": 900})
        good = request.headers["Authorization"] == f"Bearer {self.good_token}"
        return httpx.Response(200 if good else 401, json={})


@pytest.fixture
def fronts() -> Fronts:
    return Fronts()


@pytest.fixture
def client(fronts: Fronts, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("baton.http.clients.time.sleep", lambda _: None)
    return ServiceClient(Settings(), "import", transport=httpx.MockTransport(fronts), patience=5.0)


def test_one_token_serves_many_requests(fronts: Fronts, client: ServiceClient) -> None:
    for _ in range(3):
        assert client.post(client.url("helpdesk", "/api/v1/tickets"), json={}).status_code == 200
    assert fronts.tokens == 1


def test_a_token_that_no_longer_counts_is_renewed_once(fronts: Fronts, client: ServiceClient) -> None:
    client.get(client.url("helpdesk", "/x"))
    fronts.good_token = "t2"
    assert client.get(client.url("helpdesk", "/x")).status_code == 200
    fronts.good_token = "never"
    assert client.get(client.url("helpdesk", "/x")).status_code == 401
    assert fronts.tokens == 3


def test_an_old_token_is_renewed_before_it_expires(
    fronts: Fronts, client: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    client.get(client.url("helpdesk", "/x"))
    later = time.monotonic() + 880
    clock: Callable[[], float] = lambda: later  # noqa: E731
    monkeypatch.setattr("baton.http.clients.time.monotonic", clock)
    fronts.good_token = "t2"
    assert client.get(client.url("helpdesk", "/x")).status_code == 200
    assert len(fronts.seen) == 4


def test_refused_connections_are_tried_again(fronts: Fronts, client: ServiceClient) -> None:
    fronts.refuse_connections = 4
    assert client.get(client.url("helpdesk", "/x")).status_code == 200


def test_patience_ends(fronts: Fronts) -> None:
    fronts.refuse_connections = 1_000
    with (
        pytest.raises(httpx.ConnectError),
        ServiceClient(Settings(), "import", transport=httpx.MockTransport(fronts), patience=0) as client,
    ):
        client.get(client.url("helpdesk", "/x"))


def test_wrong_credentials_are_the_answer(fronts: Fronts, client: ServiceClient) -> None:
    fronts.secret = "something else"
    answer = client.get(client.url("helpdesk", "/x"))
    assert (answer.status_code, answer.json()["title"]) == (401, "invalid credentials")
