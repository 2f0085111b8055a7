"""
Workflow definitions: a TOML text becomes a workflow that can be stored, deployed and retired.

1. A workflow has a name, what it matches (`[[match]]`: category, department or both), what happens at its end (`end_logic`),
   and its steps in order, each belonging to a role.
2. Steps follow each other unless the text says otherwise; the last one ends the task.
3. A version is deployed from draft or brought back from retirement; deploying it retires the one before. Tasks keep theirs.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from baton.pipelines.allocation import Rule

END_LOGICS = ("asset", "budget", "notification", "none")
DRAFT, DEPLOYED, RETIRED = "draft", "deployed", "retired"
VERSION_STATES = (DRAFT, DEPLOYED, RETIRED)


class DefinitionError(Exception):
    """A text that defines no workflow; `str(error)` says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A step: the role it belongs to, by name within tts; `action` names the way to the next step."""

    name: str
    role: str
    action: str = "Complete"
    escalation_role: str | None = None
    instructions: str = ""
    sla_share: float | None = None


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


def read_definition(text: str) -> Definition:
    """Return the workflow that a TOML text defines. Raises DefinitionError, naming what is wrong."""
    try:
        source = tomllib.loads(text)
        definition = Definition(
            name=source["name"],
            description=source.get("description", ""),
            end_logic=source.get("end_logic", "none"),
            rules=tuple(Rule(rule.get("category"), rule.get("department")) for rule in source["match"]),
            steps=tuple(_read_step(step) for step in source["steps"]),
        )
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"not TOML: {error}") from error
    except KeyError as error:
        raise DefinitionError(f"{error.args[0]} is missing") from error
    return check_definition(definition)


def check_definition(definition: Definition) -> Definition:
    """Return the definition. Raises DefinitionError when it has no step, matches nothing by a rule, or ends unknown."""
    if not definition.steps:
        raise DefinitionError("a workflow needs a step")
    if any(rule.category is None and rule.department is None for rule in definition.rules):
        raise DefinitionError("a rule names a category, a department, or both")
    if definition.end_logic not in END_LOGICS:
        raise DefinitionError(f"end_logic must be one of {', '.join(END_LOGICS)}, not {definition.end_logic!r}")
    return definition


def _read_step(source: dict[str, Any]) -> StepDefinition:
    return StepDefinition(
        name=source["name"],
        role=source["role"],
        action=source.get("action", "Complete"),
        escalation_role=source.get("escalation_role"),
        instructions=source.get("instructions", ""),
        sla_share=source.get("sla_share"),
    )
