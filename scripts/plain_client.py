"""
Calling our fronts many thousand times from one program: the plainest client there is, one kept connection per thread.

`ServiceClient` (httpx) is what services use; on a machine that also runs the servers it costs more than some answers do.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from baton.http.clients import ServiceClient


class NoAnswerError(Exception):
    """The front refused the connection or broke it; whether a request that was sent is carried out is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a front answered; header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    reason_phrase: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status_code < 300

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError."""
        return json.loads(self.body)


class PlainClient:
    """Signs in as `signer` does. Safe for many threads; `timeout` is in seconds."""

    def __init__(self, signer: ServiceClient, timeout: float = 60.0) -> None:
        self._signer = signer
        self._timeout = timeout
        self._local = threading.local()

    def request(self, method: str, url: str, *, json_body: Any = None, key: str = "") -> Answer:
        """Return the answer, whatever its status. Raises NoAnswerError; repeat only what has an idempotency key, or reads."""
        answer = self._once(method, url, json_body, key, self._token())
        if answer.status_code == 401:
            answer = self._once(method, url, json_body, key, self._token(renew=True))
        return answer

    def _token(self, *, renew: bool = False) -> str:
        try:
            return self._signer.access_token(renew=renew)
        except httpx.HTTPError as error:
            raise NoAnswerError(f"auth: {error or type(error).__name__}") from None

    def _once(self, method: str, url: str, json_body: Any, key: str, token: str) -> Answer:
        parts = urlsplit(url)
        connections = self._local.__dict__.setdefault("connections", {})
        connection = connections.get(parts.netloc)
        if connection is None:
            connection = connections[parts.netloc] = http.client.HTTPConnection(parts.netloc, timeout=self._timeout)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        body = None if json_body is None else json.dumps(json_body)
        try:
            connection.request(method, f"{parts.path}{'?' if parts.query else ''}{parts.query}", body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswerError(str(error) or type(error).__name__) from None
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, content, response.reason)
