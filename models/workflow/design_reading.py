"""What the design of workflows needs to know: roles and the people in them, versions as their authors wrote them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import peewee as pw

from baton.models.workflow import reading
from baton.models.workflow.definitions import WorkflowVersion
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import tuples

#: The system whose roles work on tickets.
SYSTEM = "tts"


class RoleFacts(NamedTuple):
    """A role's row id, and how many people are active in it."""

    id: int
    people: int


def roles_by_name() -> dict[str, RoleFacts]:
    """Return the active roles by name; of several with one name, the newest."""
    people = pw.fn.COUNT(Member.id)
    query = (
        Role.select(Role.name, Role.id, people)
        .join(Member, pw.JOIN.LEFT_OUTER, on=((Member.role == Role.id) & Member.is_active))
        .where(Role.system == SYSTEM, Role.is_active)
        .group_by(Role.name, Role.id)
        .order_by(Role.id)
    )
    return {name: RoleFacts(role, count) for name, role, count in tuples(query)}


def documents(workflow: int) -> dict[int, dict[str, Any]]:
    """
    Return what was written for each version of a workflow, by version id.

    Roles bear their present names where the version has its steps: those name roles by id, and auth may have renamed them.
    """
    found = {
        version: json.loads(definition)
        for version, definition in tuples(
            WorkflowVersion.select(WorkflowVersion.id, WorkflowVersion.definition).where(WorkflowVersion.workflow == workflow)
        )
    }
    for row in reading.steps(workflow):
        for step in found[row["version"]]["steps"][row["position"] - 1 : row["position"]]:
            step["role"], step["escalation_role"] = row["role_name"], row["escalation_role_name"]
    return found
