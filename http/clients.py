"""Calling our own fronts from a program: with a service token that renews itself, and patience while a front starts."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import structlog

from baton.models.settings import Settings

#: A token is renewed when it has less than this many seconds left.
RENEW_BEFORE_SECONDS = 30.0
#: How long a front that refuses connections is waited for, in seconds: start order must not matter.
PATIENCE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

log = structlog.get_logger("baton.client")


class ServiceClient:
    """
    An httpx client that signs in as a service (`name`) with the shared service secret. Safe for several threads.

    `patience` is how long, in seconds, refused connections are retried; 0 gives up at once.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        patience: float = PATIENCE_SECONDS,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        connections: int = 100,
    ) -> None:
        self._settings = settings
        self._name = name
        self._patience = patience
        self._token = ""
        self._renew_at = 0.0
        self._lock = threading.Lock()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30)
        self._http = httpx.Client(timeout=timeout, limits=limits, transport=transport)

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """
        Return a front's answer, whatever its status; `options` are httpx's (`json`, `params`, `headers`).

        A token that no longer counts is renewed once. When auth refuses the credentials, its answer is returned instead.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: the front, or auth, refused connections for `patience` seconds; nothing
                was sent.
            httpx.TransportError: the connection broke; whether the request was carried out is unknown. Repeat it only with
                an Idempotency-Key.
        """
        headers = dict(options.pop("headers", None) or {})
        for attempt in (1, 2):
            token, refusal = self._current_token()
            if refusal is not None:
                return refusal
            answer = self._send(method, url, {**headers, "Authorization": f"Bearer {token}"}, options)
            if answer.status_code != 401 or attempt == 2:
                break
            self._forget(token)
        return answer

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a POST."""
        return self.request("POST", url, **options)

    def url(self, service: str, path: str) -> str:
        """Return the address of a path on a service's front."""
        return self._settings.url(service) + path

    def access_token(self, *, renew: bool = False) -> str:
        """
        Return a token that counts now, empty when auth refuses one; `renew`: the one that was given before counts no more.

        Raises:
            httpx.TransportError: auth does not answer.
        """
        if renew:
            self._forget(self._token)
        return self._current_token()[0]

    def _current_token(self) -> tuple[str, httpx.Response | None]:
        with self._lock:
            if self._token and time.monotonic() < self._renew_at:
                return self._token, None
            answer = self._send("POST", self.url("auth", "/api/v1/service-token"), {}, {"json": self._credentials()})
            if not answer.is_success:
                return "", answer
            document = answer.json()
            self._token = document["access_token"]
            seconds = float(document.get("expires_in") or self._settings.access_token_seconds)
            self._renew_at = time.monotonic() + max(seconds - RENEW_BEFORE_SECONDS, seconds / 2)
            return self._token, None

    def _credentials(self) -> dict[str, str]:
        return {"name": self._name, "secret": self._settings.service_secret}

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._token = ""

    def _send(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        give_up_at = time.monotonic() + self._patience
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._http.request(method, url, headers=headers, **options)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if time.monotonic() + pause > give_up_at:
                    raise
                log.info("waiting_for_front", url=url, seconds=round(pause, 1))
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
