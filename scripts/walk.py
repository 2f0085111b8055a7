"""Walking a ticket to a status over the workflow API, with a word about each action. Acts as a service that may (`work.act`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from baton.http.clients import ServiceClient
from baton.pipelines.walking import Act, Arrived, Blocked, Wait, next_act


class WalkError(Exception):
    """The ticket did not get there; the message says why."""


@dataclass(frozen=True)
class Pace:
    """How long each stretch may wait, and how often it looks, in seconds."""

    wait_timeout: float = 30.0
    poll_interval: float = 2.0


class TaskFront:
    """The workflow front, as one who walks tasks uses it."""

    def __init__(self, client: ServiceClient, url: str) -> None:
        self._client = client
        self._url = url

    def read(self, number: str) -> dict[str, Any] | None:
        """Return a ticket's task, None when the workflow side has none of this number. Raises WalkError."""
        answer = self._asked(lambda: self._client.get(f"{self._url}/api/v1/tasks/{number}"))
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise WalkError(f"reading the task of {number}: {said(answer)}")
        document: dict[str, Any] = answer.json()
        return document

    def act(self, act: Act, comment: str) -> httpx.Response:
        """Ask for an action on an item; return the answer, whatever its status. Raises WalkError when there is none."""
        url = f"{self._url}/api/v1/items/{act.item}/{act.action}"
        # Starting says nothing; the other actions of a walk take a comment.
        body = {} if act.action == "start" else {"comment": comment}
        headers = {"Idempotency-Key": f"walk:{act.item}:{act.action}"}
        return self._asked(lambda: self._client.post(url, json=body, headers=headers))

    def _asked(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            return request()
        except httpx.HTTPError as error:
            raise WalkError(f"workflow at {self._url} does not answer ({error or type(error).__name__})") from None


def walk(front: TaskFront, number: str, target: str, pace: Pace, comment: str, tell: Callable[[str], None]) -> str:
    """
    Walk a ticket's task until the workflow side says the target; return the status it has then.

    Raises:
        WalkError: nothing moved for longer than the pace allows, or an action was refused.
    """
    moved_at = time.monotonic()
    while True:
        document = front.read(number)
        following = next_act(document, target)
        if isinstance(following, Arrived):
            return following.status
        if isinstance(following, Blocked):
            raise WalkError(following.reason)
        if isinstance(following, Act):
            refusal = _carry_out(front, following, comment, tell)
            if refusal is None:
                moved_at = time.monotonic()
                continue
            following = Wait(refusal)
        if time.monotonic() - moved_at > pace.wait_timeout:
            raise WalkError(f"{following.reason}, for {pace.wait_timeout:.0f} s")
        time.sleep(min(pace.poll_interval, max(0.05, pace.wait_timeout)))


def _carry_out(front: TaskFront, act: Act, comment: str, tell: Callable[[str], None]) -> str | None:
    """Ask for the action; return None when it was done, else the reason to look again. Raises WalkError on a refusal."""
    began = time.monotonic()
    answer = front.act(act, comment)
    if answer.is_success:
        tell(f"{act.action} step {act.step}, which user {act.assignee} has ({time.monotonic() - began:.2f} s)")
        return None
    if answer.status_code in (409, 429, 503):
        # Somebody was quicker, or it is not the time: what the task looks like now decides.
        return f"{act.action} step {act.step} was refused: {said(answer)}"
    raise WalkError(f"{act.action} step {act.step}: {said(answer)}")


def said(answer: Any) -> str:
    """Return what an answer that is no success says, in a line."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else ""
    return f"{answer.status_code} {detail or answer.reason_phrase}"
