"""
Workflow definitions: what a workflow's author writes, as values.

1. A workflow has a name, rules for the tickets it is for (`match`: category, department or both), what happens at its end
   (`end_logic`), and steps, each belonging to a role. Tickets begin at the first step.
2. A way out of a step has a name, the step it leads to (none: the task ends) and who may take it. `action` is short for the way
   to the following step, or to the end from the last one; a step that says nothing has the action "Complete".
3. A version is a draft, which can be changed; deployed, which new tickets get; or retired. What was deployed once never changes:
   a change is a new version, and tasks keep theirs until somebody moves them.

The plain form (`definition_of`, `document_of`) has the same names as the TOML form, which `definition_texts` reads and writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from baton.pipelines.allocation import Rule
from baton.pipelines.definition_shapes import Shape

END_LOGICS = ("asset", "budget", "notification", "none")
#: Who may take a way out of a step: whoever has it, the task's owner and coordinators, or every member of the step's role.
WHO = ("assignee", "coordinator", "anyone")
DRAFT, DEPLOYED, RETIRED = "draft", "deployed", "retired"
VERSION_STATES = (DRAFT, DEPLOYED, RETIRED)
DEFAULT_ACTION = "Complete"

#: More than these make a picture nobody can read, and a text nobody means.
MOST_STEPS = 200
MOST_TRANSITIONS = 50
MOST_RULES = 500
MOST_APPROVALS = 1_000


class DefinitionError(Exception):
    """A text or document that defines no workflow; `errors` lists what is wrong with it, a line each."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionDefinition:
    """A way out of a step: `to` names the step it leads to, None ends the task."""

    name: str
    to: str | None = None
    who: str = "assignee"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A step: the role it belongs to, by name within tts, and the ways out of it. `sla_share` is its part of the time, 0 to 1."""

    name: str
    role: str
    transitions: tuple[TransitionDefinition, ...]
    escalation_role: str | None = None
    instructions: str = ""
    sla_share: float | None = None
    approvals_needed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A workflow as its author wrote it."""

    name: str
    rules: tuple[Rule, ...]
    steps: tuple[StepDefinition, ...]
    end_logic: str = "none"
    description: str = ""

    @property
    def roles(self) -> frozenset[str]:
        """The names of the roles its steps need."""
        escalations = {step.escalation_role for step in self.steps if step.escalation_role}
        return frozenset({step.role for step in self.steps} | escalations)

    def following(self, position: int) -> str | None:
        """Return the name of the step after the one at this place (from 0), None after the last."""
        return self.steps[position + 1].name if position + 1 < len(self.steps) else None


def definition_of(source: Any) -> Definition:
    """
    Return the workflow that a document defines: a mapping as TOML or JSON gives it.

    Only the shape is looked at; whether the workflow can work is said by `validation.validate`.

    Raises:
        DefinitionError: something is missing, unknown, of another type, or too long.
    """
    errors: list[str] = []
    shape = Shape(source, "", errors)
    name = shape.name("name")
    steps = [Shape(step, f"steps.{i}", errors) for i, step in enumerate(shape.list("steps", MOST_STEPS), start=1)]
    names = [step.name("name") for step in steps]
    definition = Definition(
        name=name,
        description=shape.text("description"),
        end_logic=shape.text("end_logic", "none"),
        rules=tuple(_rule(each, i, errors) for i, each in enumerate(shape.list("match", MOST_RULES, ()), start=1)),
        steps=tuple(
            _step(step, own, following, errors)
            for step, own, following in zip(steps, names, [*names[1:], None], strict=bool(names))
        )
        if steps
        else (),
    )
    shape.nothing_else()
    if errors:
        raise DefinitionError(errors)
    return definition


def document_of(definition: Definition) -> dict[str, Any]:
    """Return a definition as plain JSON values, from which `definition_of` makes the same definition."""
    return {
        "name": definition.name,
        "description": definition.description,
        "end_logic": definition.end_logic,
        "match": [{"category": rule.category, "department": rule.department} for rule in definition.rules],
        "steps": [
            {
                "name": step.name,
                "role": step.role,
                "escalation_role": step.escalation_role,
                "instructions": step.instructions,
                "sla_share": step.sla_share,
                "approvals_needed": step.approvals_needed,
                "transitions": [{"name": way.name, "to": way.to, "who": way.who} for way in step.transitions],
            }
            for step in definition.steps
        ],
    }


def _rule(source: Any, number: int, errors: list[str]) -> Rule:
    shape = Shape(source, f"match.{number}", errors)
    rule = Rule(shape.optional("category"), shape.optional("department"))
    shape.nothing_else()
    return rule


def _step(shape: Shape, name: str, following: str | None, errors: list[str]) -> StepDefinition:
    step = StepDefinition(
        name=name,
        role=shape.name("role"),
        escalation_role=shape.optional("escalation_role"),
        instructions=shape.text("instructions"),
        sla_share=shape.number("sla_share"),
        approvals_needed=shape.count("approvals_needed", MOST_APPROVALS),
        transitions=_transitions(shape, following, errors),
    )
    shape.nothing_else()
    return step


def _transitions(shape: Shape, following: str | None, errors: list[str]) -> tuple[TransitionDefinition, ...]:
    action = shape.optional("action")
    listed = shape.list("transitions", MOST_TRANSITIONS, None)
    if action is None and listed is None:
        action = DEFAULT_ACTION
    ways = [] if action is None else [TransitionDefinition(name=action, to=following)]
    for number, source in enumerate(listed or (), start=1):
        way = Shape(source, f"{shape.path}.transitions.{number}", errors)
        ways.append(
            TransitionDefinition(name=way.name("name"), to=way.optional("to"), who=way.text("who", "assignee"))
        )
        way.nothing_else()
    return tuple(ways)
