"""
Whether a workflow can work: each fault named, with where it is and how it is put right.

1. It has a name and steps; step names differ, and so do the names of the ways out of one step.
2. Every way leads to a step there is, every step can be reached from the first, and from every step the end can be reached.
3. The roles exist and somebody is active in them; as many as a step wants approvals from. Nobody escalates to the same role.
4. Shares of the time lie within 0 and 1 and add up to 1.
5. It matches something, and no deployed workflow matches the same tickets by an equally specific rule.

An error keeps a version from being deployed. Rule 5's second half can be overruled (`force`): allocation then lets the older
workflow decide, which is sometimes meant, for instance while one takes over from another. A warning keeps nothing back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from baton.pipelines.allocation import DeployedWorkflow, Rule, rule_key
from baton.pipelines.definitions import END_LOGICS, WHO, Definition
from baton.pipelines.workflow_graph import Graph, graph_of

ERROR, WARNING = "error", "warning"
#: Faults that whoever deploys may overrule.
FORCEABLE = frozenset({"same-match"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong: `code` is stable, `where` names the step or rule ("" the whole), `remedy` what to do about it."""

    code: str
    severity: str
    where: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    What a workflow will run among: active people per role name (a role that does not exist is missing), and what is deployed.

    `deployed` leaves out the workflow itself. `roles` None: the roles are not known here, and not judged.
    """

    roles: Mapping[str, int] | None = None
    deployed: tuple[DeployedWorkflow, ...] = field(default=())


def validate(definition: Definition, around: Surroundings) -> list[Fault]:
    """Return every fault of a definition, errors first, each kind in the order of the steps."""
    graph = graph_of(definition)
    parts = (
        _names(definition),
        _ways(definition, graph),
        _reach(definition, graph),
        _end(definition),
        _roles(definition, around.roles),
        _shares(definition),
        _rules(definition),
        _rivals(definition, around.deployed),
    )
    return sorted((fault for part in parts for fault in part), key=lambda fault: fault.severity != ERROR)


def blocking(faults: Iterable[Fault], *, force: bool = False) -> list[Fault]:
    """Return those faults that keep the workflow from being deployed."""
    return [each for each in faults if each.severity == ERROR and not (force and each.code in FORCEABLE)]


def _error(code: str, where: str, message: str, remedy: str) -> Fault:
    return Fault(code=code, severity=ERROR, where=where, message=message, remedy=remedy)


def _warning(code: str, where: str, message: str, remedy: str) -> Fault:
    return Fault(code=code, severity=WARNING, where=where, message=message, remedy=remedy)


def _names(definition: Definition) -> Iterator[Fault]:
    if not definition.name.strip():
        yield _error("no-name", "", "the workflow has no name", "give it one")
    if not definition.steps:
        yield _error("no-steps", "", "the workflow has no steps", "add a step")
    for name in _twice(step.name for step in definition.steps):
        yield _error("duplicate-step", name, f"several steps are called {name!r}", "give each step a name of its own")
    for step in definition.steps:
        for name in _twice(way.name for way in step.transitions):
            message = f"several ways out of it are called {name!r}"
            yield _error("duplicate-transition", step.name, message, "give each way a name of its own")


def _twice(names: Iterable[str]) -> list[str]:
    """Return, once each, the names that somebody could not tell from an earlier one."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        key = " ".join(name.split()).casefold()
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            found.append(name)
    return found


def _ways(definition: Definition, graph: Graph) -> Iterator[Fault]:
    names = {step.name for step in definition.steps}
    for step in definition.steps:
        for way in step.transitions:
            if way.to is not None and way.to not in names:
                message = f"{way.name!r} leads to {way.to!r}, which is no step"
                yield _error("transition-to-nowhere", step.name, message, "name a step there is, or leave `to` out to end")
            if way.to == step.name:
                message = f"{way.name!r} leads back to the step itself"
                yield _warning("transition-to-itself", step.name, message, "lead it to another step, unless it is meant")
            if way.who not in WHO:
                message = f"who may take {way.name!r} is {way.who!r}"
                yield _error("who-unknown", step.name, message, f"use one of {', '.join(WHO)}")


def _reach(definition: Definition, graph: Graph) -> Iterator[Fault]:
    reached, ending = graph.reached(), graph.ending()
    for index, step in enumerate(definition.steps):
        if index not in reached:
            remedy = "lead a way to it from a step that is reached, or remove it"
            yield _error("unreachable", step.name, "no way leads here from the first step", remedy)
        if index not in ending:
            remedy = "add a way that ends the task (without `to`) or leads to a step from which the end is reached"
            yield _error("no-way-to-the-end", step.name, "the end cannot be reached from here", remedy)


def _end(definition: Definition) -> Iterator[Fault]:
    if definition.end_logic not in END_LOGICS:
        message = f"end_logic {definition.end_logic!r} is not known"
        yield _error("end-logic-unknown", "", message, f"use one of {', '.join(END_LOGICS)}")


def _roles(definition: Definition, roles: Mapping[str, int] | None) -> Iterator[Fault]:
    for step in definition.steps:
        if step.escalation_role == step.role:
            message = f"it escalates to its own role, {step.role!r}"
            yield _error("escalation-to-itself", step.name, message, "name another role, or leave escalation_role out")
        if roles is None:
            continue
        for name in dict.fromkeys([step.role, step.escalation_role]):
            if name is None:
                continue
            if name not in roles:
                yield _error("role-unknown", step.name, f"there is no role {name!r}", "make the role in auth, or name another")
            elif roles[name] == 0:
                message = f"nobody is active in the role {name!r}: work will wait"
                yield _warning("role-without-members", step.name, message, "grant the role to somebody in auth")
        people = roles.get(step.role, 0)
        if 0 < people < step.approvals_needed:
            message = f"it wants {step.approvals_needed} approvals, and {people} are active in the role {step.role!r}"
            yield _warning("too-few-approvers", step.name, message, "grant the role to more people, or want fewer approvals")


def _shares(definition: Definition) -> Iterator[Fault]:
    shares = {index: step.sla_share for index, step in enumerate(definition.steps) if step.sla_share is not None}
    off = [index for index, share in shares.items() if not 0 <= share <= 1]
    for index in off:
        message = f"its share of the time is {shares[index]:g}"
        yield _error("share-out-of-range", definition.steps[index].name, message, "give a share from 0 to 1")
    if not shares or off:
        return
    total = math.fsum(shares.values())
    without = [step.name for step in definition.steps if step.sla_share is None]
    if total > 1 + 1e-6 or (not without and total < 1 - 1e-6):
        yield _error("shares-do-not-add-up", "", f"the shares of the time add up to {total:g}", "make them add up to 1")
    elif without:
        message = f"without a share of the time, while others have one: {', '.join(map(repr, without))}"
        yield _warning("share-missing", "", message, "give every step a share, or none")


def _rules(definition: Definition) -> Iterator[Fault]:
    if not definition.rules:
        message = "it matches no ticket: it can only be picked by hand"
        yield _warning("no-rules", "", message, "add a [[match]] with a category, a department, or both")
    seen = set()
    for number, rule in enumerate(definition.rules, start=1):
        key = rule_key(rule)
        if key == (None, None):
            message = "it names neither a category nor a department"
            yield _error("empty-rule", f"match {number}", message, "name a category, a department, or both, or remove it")
        elif key in seen:
            yield _warning("duplicate-rule", f"match {number}", f"{said(rule)} is there before", "remove it")
        seen.add(key)


def _rivals(definition: Definition, deployed: Iterable[DeployedWorkflow]) -> Iterator[Fault]:
    theirs: dict[tuple[str | None, str | None], list[str]] = {}
    for workflow in sorted(deployed, key=lambda each: each.workflow_id):
        for key in {rule_key(rule) for rule in workflow.rules}:
            theirs.setdefault(key, []).append(workflow.name)
    seen = set()
    for number, rule in enumerate(definition.rules, start=1):
        key = rule_key(rule)
        if key in theirs and key != (None, None) and key not in seen:
            seen.add(key)
            message = f"{said(rule)} is matched equally by {', '.join(map(repr, theirs[key]))}, which is deployed"
            remedy = "change the rule, retire the other workflow, or deploy by force: the older of the two then decides"
            yield _error("same-match", f"match {number}", message, remedy)


def said(rule: Rule) -> str:
    """Return a rule in words."""
    parts = [("category", rule.category), ("department", rule.department)]
    return " and ".join(f"{name} {value!r}" for name, value in parts if value) or "a rule that names nothing"
