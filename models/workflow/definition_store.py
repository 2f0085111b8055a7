"""Storing of workflows and their versions: drafted, changed while they are drafts, deployed, retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Transition, Workflow, WorkflowVersion


class ImmutableVersionError(Exception):
    """A version that was deployed cannot be changed."""


def find_workflow(tx: Transaction | None, name: str) -> Workflow | None:
    """Return the workflow of this name."""
    return Workflow.get_or_none(Workflow.name == name)


def store_workflow(
    tx: Transaction, definition: Any, document: Mapping[str, Any], created_by: str
) -> tuple[Workflow, WorkflowVersion] | None:
    """Store a new workflow with its first version as a draft; None when one of this name exists."""
    row = {"name": definition.name, "description": definition.description, "created_at": tx.now}
    made = list(Workflow.insert(row).on_conflict_ignore().returning(Workflow.id).tuples().execute())
    if not made:
        return None
    workflow = Workflow.get_by_id(made[0][0])
    return workflow, store_version(tx, workflow, definition, document, created_by)


def store_version(
    tx: Transaction, workflow: Workflow, definition: Any, document: Mapping[str, Any], created_by: str
) -> WorkflowVersion:
    """Store the next version of a workflow as a draft. Hold the workflow's lock."""
    newest = newest_version(tx, workflow.id)
    return WorkflowVersion.create(
        workflow=workflow.id,
        number=1 if newest is None else newest.number + 1,
        created_by=created_by,
        created_at=tx.now,
        **_columns(definition, document),
    )


def change_draft(tx: Transaction, version: WorkflowVersion, definition: Any, document: Mapping[str, Any]) -> WorkflowVersion:
    """Write a draft anew, one revision further. Raises ImmutableVersionError unless it is a draft that never was deployed."""
    changed = WorkflowVersion.update(revision=WorkflowVersion.revision + 1, **_columns(definition, document)).where(
        WorkflowVersion.id == version.id, WorkflowVersion.state == "draft", WorkflowVersion.deployed_at.is_null()
    )
    if not changed.execute():
        raise ImmutableVersionError(f"version {version.number} is {version.state}")
    return WorkflowVersion.get_by_id(version.id)


def _columns(definition: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    rules = [{"category": rule.category, "department": rule.department} for rule in definition.rules]
    return {
        "definition": json.dumps(document, ensure_ascii=False),
        "rules": json.dumps(rules, ensure_ascii=False),
        "end_logic": definition.end_logic,
    }


def compile_version(tx: Transaction, version: WorkflowVersion, definition: Any, roles: Mapping[str, int]) -> None:
    """
    Write a version's steps and the transitions between them; a version that has them keeps them as they are.

    `roles` are the row ids of the roles that the definition names. Step names must differ, and ways lead to steps there are.
    """
    if Step.select(Step.id).where(Step.version == version.id).exists():
        return
    ids = {}
    for position, step in enumerate(definition.steps, start=1):
        ids[step.name] = Step.create(
            version=version.id,
            position=position,
            name=step.name,
            role=roles[step.role],
            escalation_role=roles[step.escalation_role] if step.escalation_role else None,
            instructions=step.instructions,
            sla_share=step.sla_share,
            approvals_needed=step.approvals_needed,
        ).id
    for step in definition.steps:
        for way in step.transitions:
            Transition.create(
                version=version.id,
                from_step=ids[step.name],
                to_step=None if way.to is None else ids[way.to],
                name=way.name,
                who=way.who,
            )


def lock_workflow(tx: Transaction, workflow: int) -> Workflow | None:
    """Return the workflow, locked until the commit, or None. Its versions change only under this lock."""
    query = Workflow.select().where(Workflow.id == workflow)
    return (query if db.is_sqlite(tx.database) else query.for_update()).first()


def find_version(tx: Transaction | None, workflow: int, number: int) -> WorkflowVersion | None:
    """Return a version of a workflow by its number."""
    return WorkflowVersion.get_or_none(WorkflowVersion.workflow == workflow, WorkflowVersion.number == number)


def newest_version(tx: Transaction | None, workflow: int) -> WorkflowVersion | None:
    """Return the newest version of a workflow."""
    query = WorkflowVersion.select().where(WorkflowVersion.workflow == workflow)
    return query.order_by(WorkflowVersion.number.desc()).first()


def deploy_version(tx: Transaction, workflow: Workflow, version: WorkflowVersion) -> None:
    """Give this version, which has its steps, to new tickets, and retire the one that they got so far."""
    if workflow.deployed_version is not None and workflow.deployed_version != version.id:
        _retire(tx, workflow.deployed_version)
    WorkflowVersion.update(state="deployed", deployed_at=tx.now, retired_at=None).where(
        WorkflowVersion.id == version.id
    ).execute()
    description = json.loads(version.definition)["description"]
    Workflow.update(deployed_version=version.id, description=description).where(Workflow.id == workflow.id).execute()


def retire_workflow(tx: Transaction, workflow: Workflow) -> None:
    """Give this workflow to no new ticket. Its tasks go on."""
    if workflow.deployed_version is not None:
        _retire(tx, workflow.deployed_version)
        Workflow.update(deployed_version=None).where(Workflow.id == workflow.id).execute()


def _retire(tx: Transaction, version: int) -> None:
    WorkflowVersion.update(state="retired", retired_at=tx.now).where(WorkflowVersion.id == version).execute()
