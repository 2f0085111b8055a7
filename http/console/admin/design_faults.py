"""Which field of the workflow form each fault of a workflow concerns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from baton.http.console.admin.design_forms import Design

#: Code of a fault -> the field of its step that it is about; others are about the step as a whole.
_FIELDS = {
    "duplicate-step": "name",
    "role-unknown": "role",
    "role-without-members": "role",
    "escalation-to-itself": "escalation_role",
    "share-out-of-range": "sla_share",
    "too-few-approvers": "approvals_needed",
    "duplicate-transition": "ways",
    "transition-to-nowhere": "ways",
    "transition-to-itself": "ways",
    "who-unknown": "ways",
    "no-way-to-the-end": "ways",
}
_WHOLE = {"no-name": "name", "end-logic-unknown": "end_logic", "no-rules": "match"}
_WAY = re.compile(r"(steps\.\d+)\.transitions\.\d+\.\w+")


def faults_by_field(design: Design, faults: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return faults by the field they concern: `name`, `match.0`, `steps.2.role`, `steps.2` for a step, "" for the whole."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, step in enumerate(design.steps):
        places[step.name].append(place)
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for fault in faults:
        for name in _fields(design, fault, places):
            found[name].append(fault)
    return found


def errors_by_field(errors: Mapping[str, str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what a service says cannot be read at all, as faults by field."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for name, message in errors.items():
        name = name.removeprefix("definition.")
        within = _WAY.fullmatch(name)
        field = f"{within[1]}.ways" if within else re.sub(r"^(match\.\d+)\..*", r"\1", name)
        found[field].append({"code": "", "severity": "error", "where": "", "message": message, "remedy": ""})
    return found


def _fields(design: Design, fault: Mapping[str, Any], places: Mapping[str, list[int]]) -> list[str]:
    code, where = fault["code"], fault["where"]
    rule = re.fullmatch(r"match (\d+)", where)
    if rule and where not in places:
        return [f"match.{int(rule[1]) - 1}"]
    if not where:
        return [_WHOLE.get(code, "")]
    steps = places.get(where, [])[-1:] if code == "duplicate-step" else places.get(where, [])
    named = [f"steps.{place}.{_field(design, place, fault)}".rstrip(".") for place in steps]
    return named or [""]


def _field(design: Design, place: int, fault: Mapping[str, Any]) -> str:
    step, field = design.steps[place], _FIELDS.get(fault["code"], "")
    about_escalation = repr(step.escalation_role) in fault["message"] and repr(step.role) not in fault["message"]
    return "escalation_role" if field == "role" and step.escalation_role and about_escalation else field
