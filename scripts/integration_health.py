"""What the integration check asks of the services' health, and what it concludes when something did not come through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from baton.models.settings import SERVICES, Settings
from baton.scripts.walk import Pace, WalkError

#: Seconds that a health answer may take.
ANSWER_SECONDS = 10.0
#: A relay that runs leaves nothing in an outbox for longer than this.
OUTBOX_SECONDS = 2.0


def examine(settings: Settings, pace: Pace, optional: Iterable[str], tell: Callable[[str], None]) -> str:
    """
    Return a line when every service is fit to work: it answers, is not failing, and its messages have somebody who takes them.

    What is not fit is given as long as the pace allows: it may be starting. Services in `optional` need not answer.

    Raises:
        WalkError: something is not fit; the message says which and why.
    """
    deadline = time.monotonic() + pace.wait_timeout
    while True:
        troubles, notes = {}, []
        for service in SERVICES:
            document, trouble = ask(settings, service)
            if document is None and service in optional:
                notes.append(f"{service} not checked, nothing answers at {settings.url(service)}")
                continue
            trouble = trouble or unfit(document or {})
            if trouble:
                troubles[service] = trouble
            else:
                notes.append(f"{service} {(document or {}).get('status')}{_reservations(document or {})}")
        for note in notes:
            tell(note)
        if not troubles:
            return "; ".join(notes)
        if time.monotonic() > deadline:
            raise WalkError("; ".join(f"{service} at {settings.url(service)}: {why}" for service, why in troubles.items()))
        tell("; ".join(f"{service}: {why}" for service, why in troubles.items()))
        time.sleep(pace.poll_interval)


def ask(settings: Settings, service: str) -> tuple[dict[str, Any] | None, str]:
    """Return a service's health document, or None and why there is none."""
    try:
        answer = httpx.get(f"{settings.url(service)}/health", timeout=ANSWER_SECONDS)
        document = answer.json()
    except httpx.HTTPError as error:
        return None, f"does not answer ({error or type(error).__name__}); is `baton serve {service}` running?"
    except ValueError:
        return None, "does not answer with a health document; is the address right?"
    if not isinstance(document, dict) or document.get("service") != service:
        return None, f"another service answers: {document.get('service') if isinstance(document, dict) else document!r}"
    return document, ""


def unfit(document: Mapping[str, Any]) -> str:
    """Return why a service cannot take part, empty when it can."""
    checks = document.get("checks", {})
    if document.get("status") == "failing":
        return "is failing: " + "; ".join(_in_words(name, each) for name, each in checks.items() if each["status"] == "failing")
    idle = [name for name, queue in checks.get("broker", {}).get("queues", {}).items() if not queue["consumers"]]
    if idle:
        return f"nobody takes the messages of {', '.join(idle)}; is `baton worker {document['service']}` running?"
    return ""


def diagnose(settings: Settings) -> list[str]:
    """Return what is wrong with the stack now, a line each, for whoever looks at a failed step."""
    lines = []
    for service in SERVICES:
        document, trouble = ask(settings, service)
        trouble = trouble or unfit(document or {})
        if trouble:
            lines.append(f"{service}: {trouble}")
        elif document and document["status"] != "ok":
            lines.append(f"{service} is degraded{_reservations(document)}")
        outbox = (document or {}).get("checks", {}).get("outbox", {})
        if outbox.get("oldest_seconds", 0) > OUTBOX_SECONDS:
            waiting = f"{outbox['rows']} messages wait to leave the outbox, the oldest for {outbox['oldest_seconds']} s"
            lines.append(f"{service}: {waiting}; is `baton relay` running?")
    return [*lines, "more: `baton doctor`, and `baton trace TICKET` for one ticket's journey"]


def _reservations(document: Mapping[str, Any]) -> str:
    found = [_in_words(name, each) for name, each in document.get("checks", {}).items() if each.get("status") != "ok"]
    return f" ({'; '.join(found)})" if found else ""


def _in_words(name: str, check: Mapping[str, Any]) -> str:
    facts = {key: value for key, value in check.items() if key not in ("status", "queues", "kind")}
    return f"{name}: {facts.pop('reason', '')} {', '.join(f'{k} {v}' for k, v in facts.items())}".strip()
