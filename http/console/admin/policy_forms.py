"""A policy as a form: texts, lines and ticks. What is left empty is left out of the document, where it has a usual value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from baton.pipelines.sla_policies import METRICS, NAMES

TARGETS = ("first_response", "next_response", "resolution")
_CHOICES = ("reopening", "change", "resolved_without_reply")


def fields_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that the form shows of a document."""
    match, targets, steps = document.get("match", {}), document.get("targets", {}), document.get("steps", {})
    pauses = document.get("pauses", {})
    fields = {name: str(document.get(name, "")) for name in ("name", "description", "calendar")}
    fields["rank"] = str(int(document.get("rank", 0)))
    fields |= {name: "\n".join(match.get(name, ())) for name in NAMES}
    requester = match.get("requester", {})
    fields["requester"] = "\n".join(f"{name} = {value}" for name, values in requester.items() for value in values)
    fields |= {name: targets.get(name, "") for name in TARGETS}
    fields["steps"] = "\n".join(f"{name} = {value}" for name, value in steps.get("targets", {}).items())
    fields["share"] = _tick(steps.get("share", True))
    fields["on_hold"] = _tick(pauses.get("on_hold", True))
    fields["waiting"] = _tick(pauses.get("waiting_for_requester", False))
    fields["tell_on_attach"] = _tick(document.get("tell_on_attach", False))
    fields |= {name: document.get(name, "") for name in _CHOICES}
    fields |= _effects_fields("breach", document.get("breach", {"tell": ["assignee", "manager"]}))
    for kind in ("warnings", "escalations"):
        for place, entry in enumerate(document.get(kind, ())):
            fields |= _rung_fields(f"{kind}.{place}", entry)
        fields[kind] = str(len(document.get(kind, ())))
    return fields


def document_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of a form. What cannot be read is passed on as it is: the service says what is wrong with it."""
    match: dict[str, Any] = {name: found for name in NAMES if (found := _lines(fields.get(name, "")))}
    requester: dict[str, list[str]] = {}
    for attribute, _, value in (line.partition("=") for line in _lines(fields.get("requester", ""))):
        requester.setdefault(attribute.strip(), []).append(value.strip())
    rank = fields.get("rank", "").strip()
    document = {
        "name": fields.get("name", "").strip(),
        "description": fields.get("description", "").strip(),
        "rank": int(rank) if re.fullmatch(r"-?\d{1,9}", rank) else rank,
        "calendar": fields.get("calendar", "").strip(),
        "match": {**match, **({"requester": requester} if requester else {})},
        "targets": {name: text for name in TARGETS if (text := fields.get(name, "").strip())},
        "steps": {"share": fields.get("share") == "yes", "targets": _pairs(fields.get("steps", ""))},
        "pauses": {"on_hold": fields.get("on_hold") == "yes", "waiting_for_requester": fields.get("waiting") == "yes"},
        "tell_on_attach": fields.get("tell_on_attach") == "yes",
        "warnings": _rungs(fields, "warnings"),
        "breach": _effects(fields, "breach"),
        "escalations": _rungs(fields, "escalations"),
        **{name: fields[name] for name in _CHOICES if fields.get(name)},
    }
    return {name: value for name, value in document.items() if value not in ("", {}, [])}


def rows_of(fields: Mapping[str, str], kind: str) -> int:
    """Return how many rows of warnings or escalations the form shows: those there are, and an empty one."""
    return _count(fields, kind) + 1


def _rungs(fields: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
    """Return the rows that say when; a row without that is gone."""
    found = []
    for place in range(_count(fields, kind) + 1):
        at = f"{kind}.{place}"
        when = fields.get(f"{at}.when", "").strip()
        if not when:
            continue
        metrics = [name for name in METRICS if fields.get(f"{at}.{name}") == "yes"]
        entry = {**_level(kind, when), **_effects(fields, at)}
        found.append(entry if len(metrics) in (0, len(METRICS)) else {**entry, "metrics": metrics})
    return found


def _level(kind: str, when: str) -> dict[str, Any]:
    if kind == "escalations":
        return {"after": when}
    percent = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%", when)
    return {"before": when} if percent is None else {"percent": float(percent[1])}


def _effects(fields: Mapping[str, str], at: str) -> dict[str, Any]:
    told = [each.strip() for each in re.split(r"[,\n]", fields.get(f"{at}.tell", "")) if each.strip()]
    effects: dict[str, Any] = {"tell": told}
    effects |= {name: True for name in ("raise_priority", "escalate") if fields.get(f"{at}.{name}") == "yes"}
    transfer = fields.get(f"{at}.transfer_to", "").strip()
    return effects | ({"transfer_to": transfer} if transfer else {})


def _rung_fields(at: str, entry: Mapping[str, Any]) -> dict[str, str]:
    when = f"{entry['percent']:g}%" if "percent" in entry else entry.get("before", entry.get("after", "0m"))
    ticks = {f"{at}.{name}": _tick(name in entry.get("metrics", METRICS)) for name in METRICS}
    told = ["manager"] if at.startswith("escalations") else ["assignee", "owner"]
    return {f"{at}.when": when, **ticks, **_effects_fields(at, {"tell": told, **entry})}


def _effects_fields(at: str, effects: Mapping[str, Any]) -> dict[str, str]:
    ticks = {f"{at}.{name}": _tick(effects.get(name, False)) for name in ("raise_priority", "escalate")}
    told = effects.get("tell", ["assignee", "manager"])
    return {f"{at}.tell": ", ".join(told), f"{at}.transfer_to": effects.get("transfer_to", ""), **ticks}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.rpartition("=") for line in _lines(text))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _count(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "")
    return min(int(text), 100) if text.isdecimal() and len(text) < 5 else 0


def _tick(holds: bool) -> str:
    return "yes" if holds else ""
