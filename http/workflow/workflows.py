"""Workflows and their versions: read, deployed, retired."""

from __future__ import annotations

import json
from typing import Any

from baton.http.api import Call, Conflict, NotFound, Page, PageQuery, page
from baton.http.workflow.views import StepView, TransitionView, VersionView, WorkflowSummary, WorkflowView
from baton.models.workflow import Workflow, definition_store, reading
from baton.models.workflow.allocation_store import hold_deployments
from baton.pipelines.messages import DrainTriage


def list_workflows(call: Call, query: PageQuery) -> Page[WorkflowSummary]:
    """Workflows, oldest first."""
    return page(reading.workflows(), key=Workflow.id, cursor=query.cursor, limit=query.limit, view=_summary)


def read_workflow(call: Call) -> WorkflowView:
    """A workflow with all its versions."""
    return _view(_find(call))


def deploy(call: Call) -> WorkflowView:
    """The newest version is what new tickets get; parked tickets that it matches are allocated next."""
    hold_deployments(call.tx, alone=True)
    workflow = _find(call)
    version = definition_store.newest_version(call.tx, workflow.id)
    if version is None:
        raise Conflict(f"workflow {workflow.name} has no version to deploy")
    if workflow.deployed_version != version.id:
        definition_store.deploy_version(call.tx, workflow, version)
    call.tx.announce(DrainTriage(workflow_id=workflow.id))
    return _view(_find(call))


def retire(call: Call) -> WorkflowView:
    """New tickets get this workflow no more; its tasks go on."""
    hold_deployments(call.tx, alone=True)
    definition_store.retire_workflow(call.tx, _find(call))
    return _view(_find(call))


def _find(call: Call) -> Workflow:
    number = call.integer("workflow_id")
    workflow = Workflow.get_or_none(Workflow.id == number)
    if workflow is None:
        raise NotFound(f"there is no workflow {number}")
    return workflow


def _summary(workflow: Workflow) -> WorkflowSummary:
    return WorkflowSummary(**{name: getattr(workflow, name) for name in WorkflowSummary.model_fields})


def _view(workflow: Workflow) -> WorkflowView:
    steps, transitions = reading.steps(workflow.id), reading.transitions(workflow.id)
    versions = [
        VersionView(
            **{**row, "rules": json.loads(row["rules"])},
            steps=[_step(step) for step in steps if step["version"] == row["id"]],
            transitions=[TransitionView(**each) for each in transitions if each["version"] == row["id"]],
        )
        for row in reading.versions(workflow.id)
    ]
    return WorkflowView(**_summary(workflow).model_dump(), versions=versions)


def _step(row: dict[str, Any]) -> StepView:
    return StepView(**{**row, "role": row["role_name"], "escalation_role": row["escalation_role_name"]})
