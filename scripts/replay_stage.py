"""
The stage of a replay: a role, a department and a workflow of one step for each group of the file, and the people of its rows.

Written as seeders write: into auth, which tells the workflow side by message, and then into the workflow side. What exists is
left. Nobody of the stage can sign in: they have no password.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import click

from baton.models import database
from baton.models.auth import grants, roles, users
from baton.models.auth.directory import Directory
from baton.models.auth.tables import System
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow import Member, definition_store, sync_store
from baton.models.workflow import Role as WorkflowRole
from baton.models.workflow.allocation_store import hold_deployments
from baton.models.workflow.rows import tuples
from baton.pipelines import announcements
from baton.pipelines.allocation import Rule
from baton.pipelines.definitions import Definition, StepDefinition, TransitionDefinition, document_of
from baton.pipelines.messages import DrainTriage
from baton.pipelines.replay import DESK, Case

SYSTEM = "tts"
STAGER = "replay"
#: Seconds that the workflow side may take to hear of the people; its worker must run.
SYNC_SECONDS = 120.0

Holders = Mapping[tuple[str, str], str]


def people_of(cases: Iterable[Case]) -> dict[str, set[str]]:
    """Return the persons of each group; every group has a desk."""
    found: dict[str, set[str]] = {}
    for case in cases:
        for update in case.updates:
            found.setdefault(update.group, {DESK}).add(update.person)
    return found


def build(people: Mapping[str, set[str]], source: str, tell: Callable[[str], None]) -> Holders:
    """Make what is missing of the stage, and wait until the workflow side knows it; return the user id of (group, person)."""
    tell(f"stage: {len(people)} groups, {len(set().union(*people.values())) - 1} people")
    holders: dict[tuple[str, str], str] = {}
    for group in sorted(people):
        with write_tx("auth") as tx:
            holders.update(_enroll(tx, group, people[group], source))
    _await_members({group: len(persons) for group, persons in people.items()})
    with write_tx("workflow") as tx:
        hold_deployments(tx, alone=True)
        made = sum(_deploy(tx, group) for group in sorted(people))
    tell(f"stage: {made} workflows made, {len(people) - made} left")
    return holders


def _enroll(tx: Transaction, group: str, persons: Iterable[str], source: str) -> dict[tuple[str, str], str]:
    directory = Directory.open(tx, announcements)
    system = roles.system_of(SYSTEM)
    if system is None:
        raise click.ClickException(f"there is no system {SYSTEM} yet: run `baton seed_systems` and `baton seed_tts` first")
    role = roles.role_of(system, group) or roles.create_role(directory, system, name=group, description=f"Group of {source}")
    assert role is not None  # the directory is open to nobody else
    found = {}
    for person in sorted(persons):
        name = person or f"{group} desk"
        user = _user(directory, system, name, f"{_slug(name)}@{_slug(source)}.example")
        grants.grant_role(directory, user, role, granted_by=STAGER)
        found[group, person] = str(user.id)
    return found


def _user(directory: Directory, system: System, name: str, email: str) -> users.User:
    user = users.user_of(email) or users.create_user(
        directory, email=email, full_name=name, password_hash=None, home_system=system
    )
    if user is None:
        raise click.ClickException(f"{email} belongs to an employee")
    return user


def _await_members(wanted: Mapping[str, int]) -> None:
    deadline = time.monotonic() + SYNC_SECONDS
    while missing := _missing(wanted):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"the workflow side has not heard of all people of {', '.join(missing[:5])}; is `baton worker workflow` running?"
            )
        time.sleep(0.2)


def _missing(wanted: Mapping[str, int]) -> list[str]:
    with database.read_tx("workflow"):
        ids = dict(tuples(WorkflowRole.select(WorkflowRole.name, WorkflowRole.id).where(WorkflowRole.system == SYSTEM)))
        members = Counter(row[0] for row in tuples(Member.select(Member.role).where(Member.is_active)))
    return [group for group, count in wanted.items() if members[ids.get(group, 0)] < count]


def _deploy(tx: Transaction, group: str) -> bool:
    step = StepDefinition(name="Resolve", role=group, transitions=(TransitionDefinition(name="Resolve"),))
    definition = Definition(name=f"Incidents of {group}", rules=(Rule(None, group),), steps=(step,))
    role = sync_store.role_by_name(tx, SYSTEM, group)
    assert role is not None  # its members are known
    made = definition_store.store_workflow(tx, definition, document_of(definition), STAGER)
    if made is None:
        return False
    workflow, version = made
    definition_store.compile_version(tx, version, definition, {group: role.id})
    definition_store.deploy_version(tx, workflow, version)
    tx.announce(DrainTriage(workflow_id=workflow.id))
    return True


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"
