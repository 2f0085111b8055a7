"""A stand-in for the help desk's front door, with the parts of its interface that an import uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx

from baton.http.clients import ServiceClient
from baton.models.settings import get_settings

Trouble = Callable[[int, dict[str, Any]], httpx.Response | None]


class Desk:
    """
    Keeps tickets by source and source id. `trouble` may answer in its place: it is given the number of the request, from 1,
    and the body. With `lose_answers`, a ticket is kept and the caller never hears of it, once for each.
    """

    def __init__(self, trouble: Trouble | None = None, *, lose_answers: bool = False) -> None:
        self.tickets: dict[tuple[str, str], dict[str, Any]] = {}
        self.keys: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.requests = 0
        self.trouble = trouble
        self.lose_answers = lose_answers
        self._lock = threading.Lock()

    def client(self, *_: Any) -> ServiceClient:
        """Return a client that talks to this desk."""
        return ServiceClient(get_settings(), "import", patience=0, transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as auth and helpdesk would."""
        if request.url.path == "/api/v1/service-token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        with self._lock:
            if request.method == "GET":
                return self._read(request.url.path.rsplit("/", 1)[-1])
            return self._file(request.headers["Idempotency-Key"], json.loads(request.content))

    def _read(self, number: str) -> httpx.Response:
        for ticket in self.tickets.values():
            if ticket["number"] == number:
                return httpx.Response(200, json=ticket)
        return httpx.Response(404, json={"title": "not found"})

    def _file(self, key: str, body: dict[str, Any]) -> httpx.Response:
        self.requests += 1
        refusal = self.trouble(self.requests, body) if self.trouble else None
        if refusal is not None:
            return refusal
        if key in self.keys:
            asked, answer = self.keys[key]
            assert asked == body, "the same key with another request"
            return httpx.Response(201, json=answer, headers={"Idempotent-Replayed": "true"})
        name = (body["source"], body["source_id"])
        if name in self.tickets:
            return httpx.Response(200, json=self.tickets[name])
        ticket = {**body, "number": f"HD-{len(self.tickets) + 1:08d}"}
        self.tickets[name] = ticket
        self.keys[key] = (body, ticket)
        if self.lose_answers:
            raise httpx.ReadError("the connection broke")
        return httpx.Response(201, json=ticket)
