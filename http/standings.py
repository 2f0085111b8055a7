"""
How those who hold connections open stand now: switched off since, or without a role that their token still names?

A token tells what was true when it was signed, up to a quarter of an hour ago. One thread of the process asks auth every few
seconds about everybody who is connected, in one question per few hundred people. While auth does not answer, what the tokens say
counts until they expire.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from typing import Any

import httpx
import structlog

from baton.http.clients import ServiceClient
from baton.http.problems import Unauthorized
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

#: Seconds between two questions: how old an answer may be.
ASK_SECONDS = 10.0
#: People per question.
AT_ONCE = 500

_connected: Counter[str] = Counter()
#: Subject -> its roles as auth told last, None for an account that may not be used.
_known: dict[str, frozenset[str] | None] = {}
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


def forget(principal: Principal) -> None:
    """Ask about the principal no longer, once everybody who watched has said so."""
    with _lock:
        if principal.subject in _connected:
            _connected[principal.subject] -= 1
            if _connected[principal.subject] <= 0:
                del _connected[principal.subject]
                _known.pop(principal.subject, None)


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


def ask(client: ServiceClient) -> None:
    """Ask auth about everybody connected; what cannot be asked stays as it was."""
    with _lock:
        subjects = sorted(_connected)
    for start in range(0, len(subjects), AT_ONCE):
        some = subjects[start : start + AT_ONCE]
        answer = client.post(client.url("auth", "/api/v1/standings"), json={"subjects": some})
        answer.raise_for_status()
        _learn(answer.json()["standings"])


def _learn(standings: list[dict[str, Any]]) -> None:
    with _lock:
        for standing in standings:
            if standing["subject"] in _connected:
                _known[standing["subject"]] = frozenset(standing["roles"]) if standing["is_active"] else None


def _run(settings: Settings) -> None:
    global _thread
    pause = threading.Event()
    with ServiceClient(settings, "live", patience=0.0, timeout=5.0) as client:
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
