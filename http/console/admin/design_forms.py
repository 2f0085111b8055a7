"""
A workflow as a form: read from what was sent, changed by its buttons, written as the document that the service takes.

The whole workflow travels with the form; nothing is kept between two requests. Ways name the step they lead to by its place in
the form, so that a step can be renamed and moved and the ways still lead to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

END = "end"


@dataclass(slots=True, eq=False)
class Way:
    """A way out of a step: `to` is a step of the form, `END`, or a name that no step of the form bears."""

    name: str = ""
    to: StepRow | str = END
    who: str = "assignee"


@dataclass(slots=True, eq=False)
class StepRow:
    """A step as it is typed: `share` in percent and `approvals` as texts."""

    name: str = ""
    role: str = ""
    escalation_role: str = ""
    share: str = ""
    approvals: str = ""
    instructions: str = ""
    ways: list[Way] = field(default_factory=list)


@dataclass(slots=True)
class Design:
    """A workflow as it is typed. `wrong` names fields (`steps.0.sla_share`) that cannot be read as what they should be."""

    name: str = ""
    description: str = ""
    end_logic: str = "none"
    rules: list[tuple[str, str]] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    def place(self, goal: StepRow | str) -> str:
        """Return the value of a way's goal in the form: a step's place, `end`, or `name:` and a name."""
        if isinstance(goal, StepRow):
            return str(self.steps.index(goal)) if goal in self.steps else f"name:{goal.name}"
        return goal if goal == END else f"name:{goal}"


def design_of(document: Mapping[str, Any]) -> Design:
    """Return the form that shows a document as the service gives it."""
    steps = [_row(step) for step in document["steps"]]
    by_name = {row.name: row for row in reversed(steps)}
    for row, step in zip(steps, document["steps"], strict=True):
        for way in step.get("transitions") or ():
            goal = END if way["to"] is None else by_name.get(way["to"], way["to"])
            row.ways.append(Way(way["name"], goal, way["who"]))
    rules = [(rule.get("category") or "", rule.get("department") or "") for rule in document["match"]]
    return Design(document["name"], document["description"], document["end_logic"], rules, steps)


def new_design() -> Design:
    """Return the form for a new workflow: one step with a way to the end."""
    return Design(rules=[("", "")], steps=[StepRow(ways=[Way("Complete")])])


def read_design(given: Mapping[str, str]) -> Design:
    """Return the form as it was sent; `given` are its fields."""
    description = given.get("description", "").replace("\r\n", "\n")
    design = Design(given.get("name", "").strip(), description, given.get("end_logic", "none"))
    for place in range(_count(given, "rules")):
        rule = given.get(f"rule.{place}.category", "").strip(), given.get(f"rule.{place}.department", "").strip()
        design.rules.append(rule)
    names = ("name", "role", "escalation_role", "share", "approvals", "instructions")
    for place in range(_count(given, "steps")):
        typed: dict[str, Any] = {name: given.get(f"step.{place}.{name}", "").replace("\r\n", "\n").strip() for name in names}
        design.steps.append(StepRow(**typed))
    for place, step in enumerate(design.steps):
        for number in range(_count(given, f"step.{place}.ways")):
            at = f"step.{place}.way.{number}"
            goal = _goal(given.get(f"{at}.to", END), design.steps)
            step.ways.append(Way(given.get(f"{at}.name", "").strip(), goal, given.get(f"{at}.who", "assignee")))
    return design


def document_of(design: Design, wrong_number: str) -> dict[str, Any]:
    """Return the form as a document; fields that are no numbers are left out and noted with the text `wrong_number`."""
    design.wrong.clear()
    return {
        "name": design.name,
        "description": design.description,
        "end_logic": design.end_logic,
        "match": [{"category": category or None, "department": department or None} for category, department in design.rules],
        "steps": [_step(design, place, step, wrong_number) for place, step in enumerate(design.steps)],
    }


def drawable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with stand-ins for names that are not typed yet, so that what is there can be drawn."""
    steps = []
    for place, step in enumerate(document["steps"], start=1):
        ways = [{**way, "name": way["name"] or "\u2026", "to": way["to"] or None} for way in step["transitions"]]
        steps.append({**step, "name": step["name"] or f"\u2026 {place}", "role": step["role"] or "\u2026", "transitions": ways})
    return {**document, "name": document["name"] or "\u2026", "match": [], "steps": steps}


def _row(step: Mapping[str, Any]) -> StepRow:
    share = "" if step["sla_share"] is None else f"{round(step['sla_share'] * 100, 6):g}"
    approvals = str(step["approvals_needed"] or "")
    return StepRow(step["name"], step["role"], step["escalation_role"] or "", share, approvals, step["instructions"])


def _step(design: Design, place: int, step: StepRow, wrong_number: str) -> dict[str, Any]:
    share = _number(step.share.removesuffix("%").strip().replace(",", "."))
    if step.share and share is None:
        design.wrong[f"steps.{place}.sla_share"] = wrong_number
    if step.approvals and not step.approvals.isdecimal():
        design.wrong[f"steps.{place}.approvals_needed"] = wrong_number
    return {
        "name": step.name,
        "role": step.role,
        "escalation_role": step.escalation_role or None,
        "instructions": step.instructions,
        "sla_share": None if share is None else round(share / 100, 8),
        "approvals_needed": int(step.approvals) if step.approvals.isdecimal() else 0,
        "transitions": [{"name": way.name, "to": _name(way.to), "who": way.who} for way in step.ways],
    }


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e6 else None


def _name(goal: StepRow | str) -> str | None:
    if isinstance(goal, StepRow):
        return goal.name
    return None if goal == END else goal


def _goal(text: str, steps: list[StepRow]) -> StepRow | str:
    if text.isdecimal() and int(text) < len(steps):
        return steps[int(text)]
    return text.removeprefix("name:") if text.startswith("name:") else END


def _count(given: Mapping[str, str], name: str) -> int:
    """Return how many rows of a kind the form says it has; never more than it has fields."""
    text = given.get(name, "")
    return min(int(text), len(given)) if text.isdecimal() and len(text) < 6 else 0
