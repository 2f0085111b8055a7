"""Seeding: the roles, workflows and service levels of Baton. Repeated, it changes nothing; what people changed stays."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.workflow.service_levels import seed_calendars, seed_policies
from baton.models.transaction import Transaction
from baton.models.workflow import definition_store, sync_store
from baton.models.workflow.allocation_store import hold_deployments
from baton.pipelines.definition_texts import read_definition
from baton.pipelines.definitions import Definition, document_of
from baton.pipelines.messages import DrainTriage, SeedWorkflows

#: The system whose roles work on tickets.
SYSTEM = "tts"


class MissingRolesError(Exception):
    """Workflows cannot be stored because roles that their steps belong to are unknown; `roles` names them."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(f"unknown roles: {', '.join(roles)}")
        self.roles = tuple(roles)


@handles(
    SeedWorkflows,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def run_workflow_seeder(tx: Transaction, deliveries: Sequence[Delivery[SeedWorkflows]]) -> None:
    """Make the roles, the service levels and the workflows that are missing."""
    seed_roles(tx)
    # Before the workflows: what these allocate is to be matched.
    seed_calendars(tx)
    seed_policies(tx)
    seed_workflows(tx)


def seeded_definitions() -> list[Definition]:
    """Return the workflows that Baton comes with, in the order of their files."""
    folder = resources.files("baton.pipelines").joinpath("workflows")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda each: each.name)
    return [read_definition(entry.read_text(encoding="utf-8")) for entry in files]


def seed_roles(tx: Transaction) -> dict[str, bool]:
    """Make the roles that the workflows and the tasks' owners need; return each name and whether it was made now."""
    sync_store.hold_sync(tx)
    names = {sync_store.COORDINATOR}.union(*(definition.roles for definition in seeded_definitions()))
    return {name: sync_store.ensure_role(tx, SYSTEM, name)[1] for name in sorted(names)}


def seed_workflows(tx: Transaction) -> dict[str, bool]:
    """
    Store and deploy the workflows that are missing; tickets in triage that match are allocated.

    Returns each name and whether it was made now.

    Raises:
        MissingRolesError: roles are unknown; seed them first.
    """
    definitions = seeded_definitions()
    found = {name: sync_store.role_by_name(tx, SYSTEM, name) for name in set().union(*(d.roles for d in definitions))}
    missing = sorted(name for name, role in found.items() if role is None)
    if missing:
        raise MissingRolesError(missing)
    roles = {name: role.id for name, role in found.items() if role is not None}
    hold_deployments(tx, alone=True)
    return {definition.name: _seed(tx, definition, roles) for definition in definitions}


def _seed(tx: Transaction, definition: Definition, roles: dict[str, int]) -> bool:
    made = definition_store.store_workflow(tx, definition, document_of(definition), "system")
    if made is None:
        return False
    workflow, version = made
    definition_store.compile_version(tx, version, definition, roles)
    definition_store.deploy_version(tx, workflow, version)
    tx.announce(DrainTriage(workflow_id=workflow.id))
    return True
