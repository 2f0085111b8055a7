"""
Workflow definitions as TOML files: what people read, keep under version control, and carry from one installation to another.

    name = "IT Support"
    end_logic = "none"

    [[match]]
    category = "IT Support"

    [[steps]]
    name = "Triage"
    role = "Admin"
    action = "Accept"              # the way to the following step

    [[steps]]
    name = "Resolve"
    role = "IT Manager"
    approvals_needed = 2
    transitions = [
        { name = "Send back", to = "Triage", who = "anyone" },
        { name = "Close" },        # without `to` the task ends
    ]

Reading what was written gives the same definition.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from baton.pipelines.allocation import Rule
from baton.pipelines.definitions import Definition, DefinitionError, StepDefinition, TransitionDefinition, definition_of

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
#: In a text of several lines, newlines and tabs stay, and quotes where three do not meet.
_ESCAPED_IN_LINES = re.compile(r'\\|"(?="")|"\Z|[\x00-\x08\x0b-\x1f\x7f]')


def read_definition(text: str) -> Definition:
    """Return the workflow that a TOML text defines. Raises DefinitionError, naming everything wrong with its shape."""
    try:
        source = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DefinitionError([f"not TOML: {error}"]) from error
    return definition_of(source)


def write_definition(definition: Definition) -> str:
    """Return the TOML text of a definition."""
    return "\n".join(_lines(definition)) + "\n"


def _lines(definition: Definition) -> Iterator[str]:
    yield f"name = {_quoted(definition.name)}"
    if definition.description:
        yield f"description = {_quoted(definition.description)}"
    yield f"end_logic = {_quoted(definition.end_logic)}"
    if not definition.steps:
        yield "steps = []"
    for rule in definition.rules:
        yield from ("", "[[match]]", *_rule(rule))
    for position, step in enumerate(definition.steps):
        yield from ("", "[[steps]]", *_step(step, definition.following(position)))


def _rule(rule: Rule) -> Iterator[str]:
    if rule.category is not None:
        yield f"category = {_quoted(rule.category)}"
    if rule.department is not None:
        yield f"department = {_quoted(rule.department)}"


def _step(step: StepDefinition, following: str | None) -> Iterator[str]:
    yield f"name = {_quoted(step.name)}"
    yield f"role = {_quoted(step.role)}"
    ways = step.transitions
    short = bool(ways) and ways[0].to == following and ways[0].who == "assignee"
    if short:
        yield f"action = {_quoted(ways[0].name)}"
    if step.escalation_role is not None:
        yield f"escalation_role = {_quoted(step.escalation_role)}"
    if step.instructions:
        yield f"instructions = {_quoted(step.instructions)}"
    if step.sla_share is not None:
        yield f"sla_share = {step.sla_share!r}"
    if step.approvals_needed:
        yield f"approvals_needed = {step.approvals_needed}"
    rest = ways[1:] if short else ways
    if rest:
        yield from ("transitions = [", *(f"    {_transition(way)}," for way in rest), "]")
    elif not short:
        yield "transitions = []"


def _transition(way: TransitionDefinition) -> str:
    parts = [f"name = {_quoted(way.name, lines=False)}"]
    if way.to is not None:
        parts.append(f"to = {_quoted(way.to, lines=False)}")
    if way.who != "assignee":
        parts.append(f"who = {_quoted(way.who, lines=False)}")
    return f"{{ {', '.join(parts)} }}"


def _quoted(text: str, *, lines: bool = True) -> str:
    if lines and "\n" in text:
        return '"""\n' + _ESCAPED_IN_LINES.sub(_escape, text) + '"""'
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
