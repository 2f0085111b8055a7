"""What a service's health says, in words: what was found, how bad it is, what to do about it, where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.http.web.texts import Catalogue

#: Where to look when a check is not well.
PLACES = {
    "outbox": "/system/queues",
    "deferred": "/system/deferred",
    "relay": "/system/queues",
    "hooks": "/system/hooks?state=gave+up",
    "mail": "/system/mail",
    "breakers": "/system/mail",
    "clocks": "/system/schedule",
}
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of a service: its name, status (ok, degraded, failing), words, remedy ("" where it is well), and a page."""

    check: str
    status: str
    words: str
    remedy: str
    place: str


def findings(texts: Catalogue, document: Mapping[str, Any]) -> list[Finding]:
    """Return what a health document says, the worst first."""
    order = ("failing", "degraded", "ok")
    found = [_finding(texts, name, facts) for name, facts in (document.get("checks") or {}).items()]
    return sorted(found, key=lambda each: order.index(each.status) if each.status in order else 0)


def span(texts: Catalogue, seconds: float) -> str:
    """Return a length of time in the reader's language: `3 minutes`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return texts.text(f"system.span_{unit}", count=round(seconds / size))
    return texts.text("system.span_second", count=round(seconds))


def _finding(texts: Catalogue, name: str, facts: Mapping[str, Any]) -> Finding:
    status = str(facts.get("status", "ok"))
    key, values = _said(texts, name, status, facts)
    spoken = f"system.found.{key}"
    words = texts.text(spoken, **values) if texts.has(spoken) else _plain(facts)
    remedy = f"system.remedy.{key if texts.has(f'system.remedy.{key}') else name}"
    title = f"system.check.{name}"
    return Finding(
        check=texts.text(title) if texts.has(title) else name,
        status=status,
        words=words,
        remedy=texts.text(remedy) if status != "ok" and texts.has(remedy) else "",
        place="" if status == "ok" else "/system/dead-letters" if key == "broker_dead" else PLACES.get(name, ""),
    )


def _said(texts: Catalogue, name: str, status: str, facts: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return which sentence tells the facts of a check, and the values of its places."""
    number = {key: int(value) for key, value in facts.items() if isinstance(value, (int, float))}
    for_how_long = {
        key.removesuffix("_seconds"): span(texts, float(value))
        for key, value in facts.items()
        if key.endswith("_seconds") and value is not None
    }
    values: dict[str, Any] = {**facts, **number, **for_how_long}
    if name in ("outbox", "deferred"):
        overdue = name == "deferred" and status != "ok"
        form = "_overdue" if overdue else "" if number.get("rows") else "_none"
        return f"{name}{form}", {**values, "count": number.get("rows", 0)}
    if name == "broker":
        form = "_away" if "reason" in facts else "_dead" if number.get("dead_letters") else ""
        return f"broker{form}", {**values, "count": number.get("dead_letters", 0)}
    if name == "relay":
        ago = facts.get("seen_seconds_ago")
        return ("relay_unseen", {}) if ago is None else ("relay", {"ago": span(texts, float(ago))})
    if name == "auth":
        known = number.get("known_keys")
        return ("keys", {"count": known}) if known else ("keys_none", {})
    if name == "breakers":
        states = facts.get("breakers") or {}
        stopped = [each for each, breaker in states.items() if breaker.get("state") != "closed"]
        return ("breakers_open", {"names": ", ".join(stopped)}) if stopped else ("breakers", {})
    return (f"{name}_away" if "reason" in facts else name), values


def _plain(facts: Mapping[str, Any]) -> str:
    """Return the facts of a check that this page has no sentence for."""
    return ", ".join(f"{key}: {value}" for key, value in facts.items() if key != "status")
