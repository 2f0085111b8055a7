"""A workflow as lines of text: what it matches, and its steps with what leads where. For terminals."""

from __future__ import annotations

from collections.abc import Iterator

from baton.pipelines.definitions import Definition, StepDefinition
from baton.pipelines.validation import said
from baton.pipelines.workflow_graph import graph_of

#: Characters that would act on a terminal instead of being shown.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")


def outline(definition: Definition) -> Iterator[str]:
    """Yield the lines that show a definition."""
    reached = graph_of(definition).reached()
    yield f"matches  {'; '.join(said(rule) for rule in definition.rules) or 'nothing: picked by hand'}".translate(_CONTROLS)
    yield f"at the end  {definition.end_logic}".translate(_CONTROLS)
    places: dict[str, int] = {}
    for number, step in enumerate(definition.steps, start=1):
        places.setdefault(step.name, number)
    for number, step in enumerate(definition.steps, start=1):
        yield ""
        arrow = "\u25b6" if number == 1 else " "
        lost = "" if number - 1 in reached else "  (no way leads here)"
        yield f"{arrow} {number} {step.name}  [{step.role}]{_notes(step)}{lost}".translate(_CONTROLS)
        yield from (line.translate(_CONTROLS) for line in _ways(step, places, number))


def _notes(step: StepDefinition) -> str:
    notes = []
    if step.escalation_role:
        notes.append(f"escalates to {step.escalation_role}")
    if step.approvals_needed:
        notes.append(f"{step.approvals_needed} approval{'s' if step.approvals_needed != 1 else ''}")
    if step.sla_share is not None:
        notes.append(f"{step.sla_share:.0%} of the time")
    return f"  {', '.join(notes)}" if notes else ""


def _ways(step: StepDefinition, places: dict[str, int], number: int) -> Iterator[str]:
    if not step.transitions:
        yield "    \u2514\u2500 no way out"
    for index, way in enumerate(step.transitions, start=1):
        corner = "\u2514" if index == len(step.transitions) else "\u251c"
        goal = f"{places.get(way.to, '?')} {way.to}" if way.to is not None else "\u25a0 end"
        arrow = "\u2500\u25b6" if way.to is None or places.get(way.to, number + 1) > number else "\u25c0\u2500"
        who = "" if way.who == "assignee" else f"  ({way.who})"
        yield f"    {corner}\u2500 {way.name} {arrow} {goal}{who}"
