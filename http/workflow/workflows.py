"""Workflows and their versions: read, deployed, retired, and asked which ticket they would get."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from baton.http.api import Call, Conflict, NotFound, Page, PageQuery, Reply, page
from baton.http.workflow.definition_views import (
    AnswerView,
    DefinitionBody,
    Deployment,
    FaultView,
    Question,
    StepView,
    TransitionView,
    VersionDetail,
    VersionView,
    WorkflowSummary,
    WorkflowView,
)
from baton.http.workflow.tasks import find_visible
from baton.models.workflow import Workflow, WorkflowVersion, allocation_store, definition_store, design_reading, reading
from baton.pipelines.allocation import Allocated, match_workflow, read_deployed, write_rule_book
from baton.pipelines.definitions import Definition, definition_of
from baton.pipelines.messages import DrainTriage
from baton.pipelines.validation import Fault, Surroundings, blocking, validate


def list_workflows(call: Call, query: PageQuery) -> Page[WorkflowSummary]:
    """Workflows, oldest first."""
    return page(reading.workflows(), key=Workflow.id, cursor=query.cursor, limit=query.limit, view=_summary)


def read_workflow(call: Call) -> WorkflowView:
    """A workflow with all its versions."""
    return show_workflow(find_workflow(call))


def read_version(call: Call) -> Reply:
    """A version, with its ETag and what is wrong with it."""
    workflow = find_workflow(call)
    return show_version(workflow, find_version(call, workflow))


def deploy(call: Call, body: Deployment) -> WorkflowView:
    """The version is what new tickets get; parked tickets that it matches are allocated next."""
    allocation_store.hold_deployments(call.tx, alone=True)
    workflow = lock_workflow(call)
    version = (
        definition_store.newest_version(call.tx, workflow.id)
        if body.version is None
        else definition_store.find_version(call.tx, workflow.id, body.version)
    )
    if version is None:
        raise NotFound(f"workflow {workflow.name} has no version {body.version}")
    call.require_match(version.revision)
    if workflow.deployed_version != version.id:
        definition = definition_in(workflow, version)
        refuse_faulty(faults_of(workflow, definition), force=body.force)
        roles = {name: role.id for name, role in design_reading.roles_by_name().items()}
        definition_store.compile_version(call.tx, version, definition, roles)
        definition_store.deploy_version(call.tx, workflow, version)
    call.tx.announce(DrainTriage(workflow_id=workflow.id))
    return show_workflow(find_workflow(call))


def retire(call: Call) -> WorkflowView:
    """New tickets get this workflow no more; its tasks go on."""
    allocation_store.hold_deployments(call.tx, alone=True)
    definition_store.retire_workflow(call.tx, lock_workflow(call))
    return show_workflow(find_workflow(call))


def match(call: Call, body: Question) -> AnswerView:
    """What allocation would decide about such a ticket now, and why. Nothing is changed."""
    category, department = body.category, body.department
    if body.ticket_number is not None:
        snapshot, _ = find_visible(call, body.ticket_number)
        category, department = category or snapshot.category, department or snapshot.department
    decision = match_workflow(category, department, write_rule_book(read_deployed(allocation_store.read_deployed())))
    if not isinstance(decision, Allocated):
        near = decision.considered
        return AnswerView(workflow_id=None, workflow=None, version=None, reason=decision.reason, considered=near)
    return AnswerView(
        workflow_id=decision.workflow.workflow_id,
        workflow=decision.workflow.name,
        version=decision.workflow.version_number,
        reason=decision.reason,
        considered=decision.considered,
    )


def find_workflow(call: Call) -> Workflow:
    """Return the workflow that the path names, or raise NotFound."""
    number = call.integer("workflow_id")
    workflow = Workflow.get_or_none(Workflow.id == number)
    if workflow is None:
        raise NotFound(f"there is no workflow {number}")
    return workflow


def lock_workflow(call: Call) -> Workflow:
    """Return the workflow that the path names, locked until the commit, or raise NotFound."""
    number = call.integer("workflow_id")
    workflow = definition_store.lock_workflow(call.tx, number)
    if workflow is None:
        raise NotFound(f"there is no workflow {number}")
    return workflow


def find_version(call: Call, workflow: Workflow) -> WorkflowVersion:
    """Return the version that the path names, or raise NotFound."""
    number = call.integer("version")
    version = definition_store.find_version(None, workflow.id, number) if number < 2**31 else None
    if version is None:
        raise NotFound(f"workflow {workflow.name} has no version {number}")
    return version


def definition_in(workflow: Workflow, version: WorkflowVersion) -> Definition:
    """Return what a version's author wrote."""
    return definition_of(design_reading.documents(workflow.id)[version.id])


def faults_of(workflow: Workflow | None, definition: Definition) -> list[Fault]:
    """Return what is wrong with a definition among the roles and the other workflows there are now."""
    own = None if workflow is None else workflow.id
    others = [each for each in read_deployed(allocation_store.read_deployed()) if each.workflow_id != own]
    roles = {name: role.people for name, role in design_reading.roles_by_name().items()}
    return validate(definition, Surroundings(roles=roles, deployed=tuple(others)))


def refuse_faulty(faults: Iterable[Fault], *, force: bool) -> None:
    """Raise Conflict with the faults that keep a workflow from being deployed, if there are any."""
    errors = blocking(faults, force=force)
    if errors:
        named = "; ".join(f"{fault.where}: {fault.message}" if fault.where else fault.message for fault in errors)
        raise Conflict(f"it cannot be deployed: {named}", faults=[asdict(fault) for fault in errors])


def show_version(workflow: Workflow, version: WorkflowVersion) -> Reply:
    """Return a version with its ETag and its faults."""
    view = next(each for each in _versions(workflow) if each.id == version.id)
    faults = [FaultView(**asdict(each)) for each in faults_of(workflow, definition_in(workflow, version))]
    shown = {name: getattr(view, name) for name in VersionView.model_fields}
    detail = VersionDetail(**shown, workflow_id=workflow.id, faults=faults)
    return Reply(detail, etag=version.revision)


def show_workflow(workflow: Workflow) -> WorkflowView:
    """Return a workflow with all its versions."""
    versions = _versions(workflow)
    deployed = next((version.number for version in versions if version.id == workflow.deployed_version), None)
    return WorkflowView(**_plain(workflow), deployed_number=deployed, versions=versions)


def _summary(workflow: Any) -> WorkflowSummary:
    """Return a row of `reading.workflows`."""
    return WorkflowSummary(**_plain(workflow), deployed_number=workflow.deployed_number)


def _plain(workflow: Workflow) -> dict[str, Any]:
    return {name: getattr(workflow, name) for name in WorkflowSummary.model_fields if name != "deployed_number"}


def _versions(workflow: Workflow) -> list[VersionView]:
    steps, transitions = reading.steps(workflow.id), reading.transitions(workflow.id)
    documents = design_reading.documents(workflow.id)
    return [
        VersionView(
            **{**row, "rules": json.loads(row["rules"]), "definition": DefinitionBody(**documents[row["id"]])},
            steps=[_step(step) for step in steps if step["version"] == row["id"]],
            transitions=[TransitionView(**each) for each in transitions if each["version"] == row["id"]],
        )
        for row in reading.versions(workflow.id)
    ]


def _step(row: dict[str, Any]) -> StepView:
    return StepView(**{**row, "role": row["role_name"], "escalation_role": row["escalation_role_name"]})
