"""What `baton workflows` does to workflows, in a transaction that the command opened."""

from __future__ import annotations

from baton.models.transaction import Transaction
from baton.models.workflow import Workflow, WorkflowVersion, definition_store, design_reading
from baton.models.workflow.allocation_store import read_deployed
from baton.pipelines.allocation import read_deployed as read_rules
from baton.pipelines.definitions import Definition, definition_of, document_of
from baton.pipelines.messages import DrainTriage
from baton.pipelines.validation import Fault, Surroundings, blocking, validate
from baton.scripts.ticket_commands import fail

#: Who changed it, in what is shown of versions.
OPERATOR = "operator"


def find(name: str, number: int | None, *, newest: bool = False) -> tuple[Workflow, WorkflowVersion, Definition]:
    """
    Return a workflow by its name (case does not matter), and its version of this number, the deployed one, or the newest.

    Exits 1 when there is none.
    """
    found = [each for each in Workflow.select() if each.name.casefold() == name.strip().casefold()]
    if not found:
        fail(f"there is no workflow {name!r}; baton workflows list shows those there are")
    workflow = next((each for each in found if each.name == name), found[0])
    if number is not None:
        version = definition_store.find_version(None, workflow.id, number) if 0 < number < 2**31 else None
    elif workflow.deployed_version is not None and not newest:
        version = WorkflowVersion.get_by_id(workflow.deployed_version)
    else:
        version = definition_store.newest_version(None, workflow.id)
    if version is None:
        fail(f"{workflow.name} has no version {number}")
    assert version is not None
    return workflow, version, definition_of(design_reading.documents(workflow.id)[version.id])


def deployed_number(workflow: Workflow) -> int | None:
    """Return the number of the version that new tickets get."""
    return None if workflow.deployed_version is None else WorkflowVersion.get_by_id(workflow.deployed_version).number


def judge(definition: Definition, workflow: Workflow | None = None) -> list[Fault]:
    """Return what is wrong with a definition among the roles and the other workflows there are."""
    own = workflow or definition_store.find_workflow(None, definition.name)
    others = [each for each in read_rules(read_deployed()) if own is None or each.workflow_id != own.id]
    roles = {name: role.people for name, role in design_reading.roles_by_name().items()}
    return validate(definition, Surroundings(roles=roles, deployed=tuple(others)))


def deploy(
    tx: Transaction, workflow: Workflow, version: WorkflowVersion, definition: Definition, *, force: bool
) -> list[Fault]:
    """Deploy a version unless its faults keep it from that; return the faults."""
    faults = judge(definition, workflow)
    if blocking(faults, force=force):
        return faults
    if workflow.deployed_version != version.id:
        roles = {name: role.id for name, role in design_reading.roles_by_name().items()}
        definition_store.compile_version(tx, version, definition, roles)
        definition_store.deploy_version(tx, workflow, version)
    tx.announce(DrainTriage(workflow_id=workflow.id))
    return faults


def bring_in(tx: Transaction, definition: Definition) -> tuple[Workflow, WorkflowVersion, bool]:
    """Store a definition as a draft, unless it is what the newest version of its workflow says; return whether it is new."""
    known = definition_store.find_workflow(tx, definition.name)
    if known is None:
        made = definition_store.store_workflow(tx, definition, document_of(definition), OPERATOR)
        assert made is not None
        return *made, True
    workflow = definition_store.lock_workflow(tx, known.id)
    newest = definition_store.newest_version(tx, known.id)
    assert workflow is not None and newest is not None
    if definition_of(design_reading.documents(workflow.id)[newest.id]) == definition:
        return workflow, newest, False
    return workflow, definition_store.store_version(tx, workflow, definition, document_of(definition), OPERATOR), True
