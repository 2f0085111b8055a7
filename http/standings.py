"""
How those who hold connections open stand now: switched off since, or without a role that their token still names?

A token tells what was true when it was signed, up to a quarter of an hour ago. One thread of the process asks auth every few
seconds about everybody who is connected, in one question per few hundred people. While auth does not answer, what the tokens say
counts until they expire.

Whoever was closed out would come back with the same token. So what differs from a token is remembered until that has expired, and
whoever comes back is let in as auth says then.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from typing import Any

import httpx
import structlog

from baton.http.clients import ServiceClient
from baton.http.problems import Unauthorized
from baton.http.tokens import LEEWAY_SECONDS
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

#: Seconds between two questions: how old an answer may be.
ASK_SECONDS = 10.0
#: Longest wait for an answer, in seconds.
ANSWER_SECONDS = 5.0
#: People per question.
AT_ONCE = 500
#: Seconds between two questions about somebody who keeps coming back.
AGAIN_SECONDS = 1.0

_connected: Counter[str] = Counter()
#: Subject -> its roles as auth told last, None for an account that may not be used.
_known: dict[str, frozenset[str] | None] = {}


@dataclasses.dataclass(slots=True)
class _Left:
    """Somebody who has left and stands otherwise than the token said: until when that token counts, when auth was asked last."""

    until: float
    asked_at: float = float("-inf")


_left: dict[str, _Left] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None
log = structlog.get_logger("baton.live")


def watch(settings: Settings, principal: Principal) -> None:
    """Keep asking about a principal until `forget`. Services have no standing: their tokens say it all."""
    global _thread
    if principal.kind not in ("user", "employee"):
        return
    with _lock:
        _connected[principal.subject] += 1
        if _thread is None:
            _thread = threading.Thread(target=_run, args=(settings,), name="standings", daemon=True)
            _thread.start()


def forget(settings: Settings, principal: Principal) -> None:
    """Ask about the principal, as it was when the watch began, no longer, once everybody who watched has said so."""
    subject = principal.subject
    with _lock:
        if subject not in _connected:
            return
        if _known.get(subject, principal.roles) != principal.roles:
            _left[subject] = _Left(time.monotonic() + settings.access_token_seconds + LEEWAY_SECONDS)
        _connected[subject] -= 1
        if _connected[subject] <= 0:
            del _connected[subject]
            if subject not in _left:
                _known.pop(subject, None)
        _drop_expired()


def present(principal: Principal) -> Principal:
    """
    Return the principal with the roles held now, as far as that is known.

    Raises:
        Unauthorized: the account may not be used any more.
    """
    roles = _known.get(principal.subject, principal.roles)
    if roles is None:
        raise Unauthorized("the session has ended", "the account is not active", "session-ended")
    return principal if roles == principal.roles else dataclasses.replace(principal, roles=roles)


def returning(settings: Settings, principal: Principal) -> Principal:
    """
    Return, and raise, what `present` does, for somebody who connects.

    Where a token and what is known differ, either may be the newer, and auth is asked; while it is away, what is known counts.
    """
    subject, now = principal.subject, time.monotonic()
    with _lock:
        _drop_expired()
        left = _left.get(subject)
        asks = left is not None and _known.get(subject) != principal.roles and now - left.asked_at >= AGAIN_SECONDS
        if left is not None and asks:
            left.asked_at = now
    if asks:
        try:
            with ServiceClient(settings, "live", patience=0.0, timeout=ANSWER_SECONDS) as client:
                _ask_about(client, [subject])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("standing_unknown", subject=subject, reason=repr(error)[:200], consequence="what was known counts")
    return present(principal)


def ask(client: ServiceClient) -> None:
    """Ask auth about everybody connected; what cannot be asked stays as it was."""
    with _lock:
        subjects = sorted(_connected)
    for start in range(0, len(subjects), AT_ONCE):
        _ask_about(client, subjects[start : start + AT_ONCE])


def _ask_about(client: ServiceClient, subjects: list[str]) -> None:
    answer = client.post(client.url("auth", "/api/v1/standings"), json={"subjects": subjects})
    answer.raise_for_status()
    _learn(answer.json()["standings"])


def _learn(standings: list[dict[str, Any]]) -> None:
    with _lock:
        for standing in standings:
            subject = standing["subject"]
            if subject in _connected or subject in _left:
                _known[subject] = frozenset(standing["roles"]) if standing["is_active"] else None


def _drop_expired() -> None:
    """Forget those who left so long ago that their tokens count no more; the lock is held."""
    now = time.monotonic()
    for subject in [subject for subject, left in _left.items() if left.until <= now]:
        del _left[subject]
        if subject not in _connected:
            _known.pop(subject, None)


def _run(settings: Settings) -> None:
    global _thread
    pause = threading.Event()
    with ServiceClient(settings, "live", patience=0.0, timeout=ANSWER_SECONDS) as client:
        while True:
            pause.wait(ASK_SECONDS)
            with _lock:
                if not _connected:
                    _thread = None
                    return
            try:
                ask(client)
            except (httpx.HTTPError, ValueError, KeyError) as error:
                log.warning("standings_unknown", reason=repr(error)[:200], consequence="tokens count until they expire")
