"""
Allocation: a ticket is matched to a deployed workflow by category and department, or waits in triage where people see it.

1. Names are compared without regard to case, to spacing, and to `-` and `_` for a space: "Check-in" is "check in".
2. A workflow's rule names a category, a department, or both. A rule matches when everything it names is the ticket's.
3. The most specific matching rule decides: category and department, then category alone, then department alone.
4. Between equals the older workflow decides (the lower id): adding a workflow takes no ticket from one that is there.
5. No rule matches: the ticket is parked in triage until a person picks a workflow or one that matches is deployed.
6. A person's pick decides over every rule, as long as that workflow is deployed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baton.pipelines.near_rules import nearest

_SEPARATORS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a workflow matches. None matches whatever the ticket says; a rule names at least one of the two."""

    category: str | None
    department: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedWorkflow:
    """A deployed version, with the step its tickets begin at and the role that step belongs to."""

    workflow_id: int
    name: str
    version_id: int
    version_number: int
    rules: tuple[Rule, ...]
    first_step: int
    first_role: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """The ticket gets this workflow. `considered` lists every rule that matched, the deciding one first."""

    workflow: DeployedWorkflow
    reason: str
    considered: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """No workflow: the ticket waits in triage under these normalised names. `considered` lists the rules that came near."""

    reason: str
    category_key: str
    department_key: str
    considered: list[dict[str, Any]] = field(default_factory=list)


#: (category, department), normalised, None for "any" -> the workflows with such a rule, oldest first.
RuleBook = Mapping[tuple[str | None, str | None], Sequence[DeployedWorkflow]]


def match_workflow(category: str | None, department: str | None, rules: RuleBook) -> Allocated | Parked:
    """Return the workflow a ticket of this category and department gets, or that it is parked, and why."""
    wanted_category, wanted_department = normalise(category), normalise(department)
    matching = find_matching(wanted_category, wanted_department, rules)
    if not matching:
        return park(category, department, wanted_category, wanted_department, rules)
    return choose_most_specific(matching)


def write_rule_book(workflows: Iterable[DeployedWorkflow]) -> RuleBook:
    """Return the deployed workflows by what their rules name, so that a ticket is matched by three look-ups."""
    book: dict[tuple[str | None, str | None], list[DeployedWorkflow]] = {}
    for workflow in sorted(workflows, key=lambda each: each.workflow_id):
        for rule in workflow.rules:
            entries = book.setdefault(rule_key(rule), [])
            if workflow not in entries:
                entries.append(workflow)
    return book


def read_deployed(rows: Iterable[Any]) -> list[DeployedWorkflow]:
    """Return stored rows of deployed versions, whose rules are JSON, as what allocation decides by."""
    return [
        DeployedWorkflow(**{**row._asdict(), "rules": tuple(Rule(**rule) for rule in json.loads(row.rules))}) for row in rows
    ]


def rule_key(rule: Rule) -> tuple[str | None, str | None]:
    """Return a rule's normalised names, None for what it leaves open."""
    return normalise(rule.category) or None, normalise(rule.department) or None


def normalise(name: str | None) -> str:
    """Return a category or department as it is compared; empty for a missing one."""
    return _SEPARATORS.sub(" ", name or "").strip().casefold()


def find_matching(category: str, department: str, rules: RuleBook) -> list[tuple[str, DeployedWorkflow]]:
    """Return every matching rule, most specific first, then the older workflow; each with what it matched by."""
    keys: list[tuple[str, tuple[str | None, str | None]]] = []
    if category and department:
        keys.append(("category and department", (category, department)))
    if category:
        keys.append(("category", (category, None)))
    if department:
        keys.append(("department", (None, department)))
    return [(by, workflow) for by, key in keys for workflow in rules.get(key, ())]


def choose_most_specific(matching: Sequence[tuple[str, DeployedWorkflow]]) -> Allocated:
    """Return the first of the matching rules as the decision, with the others as what was considered."""
    matched_by, workflow = matching[0]
    rivals = sum(1 for by, other in matching if by == matched_by and other is not workflow)
    reason = f"matches by {matched_by}"
    if rivals:
        reason += f"; the oldest of {rivals + 1} workflows that do"
    considered = [
        {"workflow": other.name, "version": other.version_number, "matched_by": by, "chosen": index == 0}
        for index, (by, other) in enumerate(matching)
    ]
    return Allocated(workflow=workflow, reason=reason, considered=considered)


def near_misses(category: str, department: str, rules: RuleBook) -> list[dict[str, Any]]:
    """Return the rules that come nearest to matching, each with why it does not."""
    shown = {
        (key, workflow.workflow_id): {"workflow": workflow.name, "version": workflow.version_number}
        for key, workflows in rules.items()
        for workflow in workflows
    }
    near = nearest((category, department), shown)
    return [{**shown[place], "matched_by": None, "chosen": False, "why": why} for place, why in near]


def choose_by_hand(workflow: DeployedWorkflow, chosen_by: str) -> Allocated:
    """Return a person's pick as the decision."""
    considered = [
        {"workflow": workflow.name, "version": workflow.version_number, "matched_by": "pick", "chosen": True}
    ]
    return Allocated(workflow=workflow, reason=f"picked by {chosen_by}", considered=considered)


def park(category: str | None, department: str | None, category_key: str, department_key: str, rules: RuleBook) -> Parked:
    """Return that the ticket waits in triage, for what, and which rules came near."""
    said = f"category {category!r}" if category else "no category"
    said += f" and department {department!r}" if department else " and no department"
    return Parked(
        reason=f"no deployed workflow matches {said}",
        category_key=category_key,
        department_key=department_key,
        considered=near_misses(category_key, department_key, rules),
    )
