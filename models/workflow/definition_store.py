"""Storing of workflows and their versions: written once, deployed, retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step, Transition, Workflow, WorkflowVersion


def find_workflow(tx: Transaction, name: str) -> Workflow | None:
    """Return the workflow of this name."""
    return Workflow.get_or_none(Workflow.name == name)


def store_workflow(tx: Transaction, definition: Any, roles: Mapping[str, int]) -> Workflow | None:
    """Store a new workflow with its first version as a draft; None when one of this name exists."""
    row = {"name": definition.name, "description": definition.description, "created_at": tx.now}
    made = list(Workflow.insert(row).on_conflict_ignore().returning(Workflow.id).tuples().execute())
    if not made:
        return None
    workflow = Workflow.get_by_id(made[0][0])
    store_version(tx, workflow.id, 1, definition, roles)
    return workflow


def store_version(tx: Transaction, workflow: int, number: int, definition: Any, roles: Mapping[str, int]) -> int:
    """Store a version of a workflow as a draft, with its steps and the transitions between them; return its id."""
    version = WorkflowVersion.create(
        workflow=workflow,
        number=number,
        rules=json.dumps(
            [{"category": rule.category, "department": rule.department} for rule in definition.rules], ensure_ascii=False
        ),
        end_logic=definition.end_logic,
        created_at=tx.now,
    )
    steps = [
        Step.create(
            version=version.id,
            position=position,
            name=step.name,
            role=roles[step.role],
            escalation_role=roles[step.escalation_role] if step.escalation_role else None,
            instructions=step.instructions,
            sla_share=step.sla_share,
        ).id
        for position, step in enumerate(definition.steps, start=1)
    ]
    for step_id, following, step in zip(steps, [*steps[1:], None], definition.steps, strict=True):
        Transition.create(version=version.id, from_step=step_id, to_step=following, name=step.action)
    return int(version.id)


def lock_workflow(tx: Transaction, workflow: int) -> Workflow | None:
    """Return the workflow, locked until the commit, or None."""
    query = Workflow.select().where(Workflow.id == workflow)
    return (query if db.is_sqlite(tx.database) else query.for_update()).first()


def newest_version(tx: Transaction, workflow: int) -> WorkflowVersion | None:
    """Return the newest version of a workflow."""
    query = WorkflowVersion.select().where(WorkflowVersion.workflow == workflow)
    return query.order_by(WorkflowVersion.number.desc()).first()


def deploy_version(tx: Transaction, workflow: Workflow, version: WorkflowVersion) -> None:
    """Give this version to new tickets, and retire the one that they got so far."""
    if workflow.deployed_version is not None and workflow.deployed_version != version.id:
        _retire(tx, workflow.deployed_version)
    WorkflowVersion.update(state="deployed", deployed_at=tx.now, retired_at=None).where(
        WorkflowVersion.id == version.id
    ).execute()
    Workflow.update(deployed_version=version.id).where(Workflow.id == workflow.id).execute()


def retire_workflow(tx: Transaction, workflow: Workflow) -> None:
    """Give this workflow to no new ticket. Its tasks go on."""
    if workflow.deployed_version is not None:
        _retire(tx, workflow.deployed_version)
        Workflow.update(deployed_version=None).where(Workflow.id == workflow.id).execute()


def _retire(tx: Transaction, version: int) -> None:
    WorkflowVersion.update(state="retired", retired_at=tx.now).where(WorkflowVersion.id == version).execute()
