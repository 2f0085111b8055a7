"""
Reporting issues from a program, over HTTP, without ever holding it up or breaking it.

    issues = IssueClient(get_settings(), "import")
    issue_id = issues.log_issue("The nightly import stops", description, tags=["import"])
    issues.add_comment(issue_id, "It went on by itself.")
    issues.update_issue_status(issue_id, "resolved")

Each call takes LIMIT_SECONDS at most, sign-in included, and raises nothing: it answers None or False when the issue tracker did
not take it in time. Message handlers do not use this: `actors.issue_reporting` reports for them, through the outbox.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import structlog

from baton.http.clients import ServiceClient
from baton.models.settings import Settings

#: The longest a call may take, in seconds, whatever the tracker or the network does.
LIMIT_SECONDS = 2.0
#: Calls that may hang in the background at the same time; beyond that, calls give up at once.
MOST_HANGING = 8
log = structlog.get_logger("baton.issues")
T = TypeVar("T")


class IssueClient:
    """A client of the issue tracker that signs in as a service (`name`). Safe for several threads."""

    def __init__(
        self, settings: Settings, name: str, *, limit: float = LIMIT_SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._client = ServiceClient(settings, name, patience=0.0, timeout=limit, transport=transport, connections=MOST_HANGING)
        self._limit = limit
        self._free = threading.BoundedSemaphore(MOST_HANGING)

    def log_issue(
        self,
        title: str,
        description: str = "",
        *,
        type: str = "bug",  # noqa: A002 - the contract's name
        priority: str = "Medium",
        tags: Sequence[str] = (),
        component: str = "",
        ticket_number: str | None = None,
    ) -> str | None:
        """Report an issue; return its id, real or temporary, or None when it was not taken. Texts are cut to what is accepted."""

        def act() -> str | None:
            body: dict[str, Any] = {
                "title": title.strip()[:500], "description": description[:100_000], "type": type, "priority": priority,
                "tags": list(tags)[:20], "component": component[:255], "ticket_number": ticket_number,
            }  # fmt: skip
            answer = self._call("POST", "", body)
            return str(answer.json()["id"]) if answer.status_code in (201, 202) else None

        return self._within_limit("log_issue", act, None)

    def add_comment(self, issue_id: str | None, content: str) -> bool:
        """Comment on an issue, named by either id; return whether it was taken."""
        return self._within_limit("add_comment", lambda: self._tell("POST", issue_id, "comments", {"content": content}), False)

    def update_issue_status(self, issue_id: str | None, status: str, reason: str = "") -> bool:
        """Give an issue, named by either id, a status (open, in_progress, resolved, closed); return whether it was taken."""
        body = {"status": status, "reason": reason}
        return self._within_limit("update_issue_status", lambda: self._tell("PUT", issue_id, "status", body), False)

    def _tell(self, method: str, issue_id: str | None, part: str, body: dict[str, Any]) -> bool:
        # Without an id nothing was reported, and there is nothing to tell more about.
        return bool(issue_id) and self._call(method, f"/{quote(str(issue_id), safe='')}/{part}", body).is_success

    def _call(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._client.request(method, self._client.url("issues", f"/api/v1/issues{path}"), json=body, headers=headers)

    def _within_limit(self, what: str, act: Callable[[], T], otherwise: T) -> T:
        """Return what `act` returns, or `otherwise` when it raises or the limit passes first; then it ends in the background."""
        if not self._free.acquire(blocking=False):
            log.warning("issue_not_reported", call=what, reason="earlier calls still hang")
            return otherwise
        found: list[T] = []

        def run() -> None:
            try:
                found.append(act())
            except Exception as error:
                log.warning("issue_not_reported", call=what, reason=type(error).__name__)
            finally:
                self._free.release()

        thread = threading.Thread(target=run, name=what, daemon=True)
        thread.start()
        thread.join(self._limit)
        return found[0] if found else otherwise


__all__ = ["LIMIT_SECONDS", "IssueClient"]
