"""
Who a recipient is: name, address, roles, from auth's look-ups, remembered for a minute and asked for through the breaker.

Auth away delays mail and loses none: whoever asks is told to come again.
"""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import quote

import httpx

from baton.actors.notifications import breakers
from baton.models.settings import Settings
from baton.models.transaction import write_tx
from baton.pipelines.emails.recipients import Recipient

#: How long an answer is used again, in seconds. Longer: fewer calls; a new address, a shut account are noticed later.
REMEMBER_SECONDS = 60.0
#: Answers remembered at most; then all are forgotten.
MOST_REMEMBERED = 10_000
#: A look-up that takes longer counts as failed, in seconds.
TIMEOUT_SECONDS = 5.0
#: A token is renewed when it has less than this many seconds left.
RENEW_BEFORE_SECONDS = 30.0
BREAKER = "auth"
_PATHS = {"user": "/api/v1/users/internal/{}/", "employee": "/api/v1/hdts/employees/internal/{}/"}


class DirectoryUnavailableError(Exception):
    """Auth does not answer, or not as it should. Try again later."""


class Directory:
    """Auth's register as this service sees it. Safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS)
        self._known: dict[str, tuple[float, Recipient | None]] = {}
        self._token, self._renew_at = "", 0.0
        self._lock = threading.Lock()

    def look_up(self, recipient: str) -> Recipient | None:
        """
        Return who `user:7` or `employee:3` is; None: auth knows nobody of that id.

        Raises:
            HeldBackError: auth's breaker is open.
            DirectoryUnavailableError: auth does not answer, or not as it should.
        """
        with self._lock:
            known = self._known.get(recipient)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = self._ask(recipient)
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[recipient] = time.monotonic() + REMEMBER_SECONDS, found
        return found

    def forget(self) -> None:
        """Nothing is remembered any more."""
        with self._lock:
            self._known.clear()

    def _ask(self, recipient: str) -> Recipient | None:
        kind, _, identifier = recipient.partition(":")
        if kind not in _PATHS or not identifier:
            return None
        permit = breakers.permit(BREAKER)
        try:
            found = _recipient(recipient, self._get(_PATHS[kind].format(quote(identifier, safe=""))))
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            reason = f"auth: {type(error).__name__}: {error}"
            with write_tx("notifications") as tx:
                breakers.note(tx, permit, answered=False, error=reason)
            raise DirectoryUnavailableError(reason) from error
        with write_tx("notifications") as tx:
            breakers.note(tx, permit, answered=True)
        return found

    def _get(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path of auth's, None for 404; raises httpx.HTTPError for any other answer but 200."""
        url = self._settings.url("auth")
        for attempt in (1, 2):
            answer = self._http.get(url + path, headers={"Authorization": f"Bearer {self._current_token(url)}"})
            if answer.status_code != 401 or attempt == 2:
                break
            self._token = ""
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def _current_token(self, url: str) -> str:
        if not self._token or time.monotonic() >= self._renew_at:
            credentials = {"name": "notifications", "secret": self._settings.service_secret}
            answer = self._http.post(url + "/api/v1/service-token", json=credentials)
            answer.raise_for_status()
            document = answer.json()
            self._token = str(document["access_token"])
            self._renew_at = time.monotonic() + max(float(document["expires_in"]) - RENEW_BEFORE_SECONDS, 1.0)
        return self._token


def _recipient(recipient: str, document: dict[str, Any] | None) -> Recipient | None:
    """Return auth's answer as a recipient. Language and time zone are there when auth knows them."""
    if document is None:
        return None
    roles = document.get("roles") or ()
    return Recipient(
        user_id=recipient,
        address=str(document.get("email") or ""),
        name=str(document.get("full_name") or ""),
        is_active=bool(document["is_active"]),
        roles=frozenset(str(role) for role in roles),
        language=str(document.get("language") or ""),
        time_zone=str(document.get("time_zone") or ""),
    )
