"""Asking every service the same at once; one that is away, or refuses, is part of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from baton.http.web.pages import Visit
from baton.http.web.services import ServiceAwayError, ServiceRefusedError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: its document; or None and why: `away`, or `refused`."""

    service: str
    document: Any = None
    trouble: str = ""


def ask_each(visit: Visit, services: Sequence[str], path: str) -> list[Answer]:
    """Return what each of these services answers to a GET, all asked at the same time, in their order."""
    return visit.api.together(*(_ask(visit, service, path) for service in services))


def _ask(visit: Visit, service: str, path: str) -> Callable[[], Answer]:
    def ask() -> Answer:
        try:
            return Answer(service, visit.api.get(service, path))
        except ServiceAwayError:
            return Answer(service, trouble="away")
        except ServiceRefusedError as error:
            if error.status == 401:  # the session is over: the whole page says so
                raise
            return Answer(service, trouble="refused")

    return ask
