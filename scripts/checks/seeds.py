"""What must be there before anybody can work: systems, an administrator, roles with members, deployed workflows."""

from __future__ import annotations

from collections.abc import Iterator

from baton.models import database as db
from baton.scripts.checks.finding import Finding, fail, ok, some, warn


def check_auth_seeds() -> Iterator[Finding]:
    """Whether the systems exist and somebody holds a role in them."""
    from baton.models.auth import Employee, Grant, System

    with db.read_tx("auth"):
        systems = sorted(row.slug for row in System.select(System.slug))
        granted = Grant.select().where(Grant.is_active).exists()
        employees = Employee.select().exists()
    missing = [slug for slug in ("hdts", "tts") if slug not in systems]
    if missing:
        yield fail("seeds auth", f"there is no system {', '.join(missing)}: nobody can sign in to it", "baton seed_all")
    elif not granted:
        yield fail("seeds auth", "nobody holds a role", "baton seed_all")
    elif not employees:
        yield warn("seeds auth", "there are no employees: only staff and services can file tickets", "baton seed_employees")
    else:
        yield ok("seeds auth", f"systems {', '.join(systems)}, with people in them")


def check_workflow_seeds() -> Iterator[Finding]:
    """Whether workflows are deployed and each role of their steps has an active member."""
    from baton.models.workflow import Member, Role, Step, Workflow

    with db.read_tx("workflow"):
        versions = [row.deployed_version for row in Workflow.select().where(Workflow.deployed_version.is_null(False))]
        steps = Step.select(Step.role).where(Step.version.in_(versions))
        manned = Member.select(Member.role).where(Member.is_active)
        names = Role.select(Role.name).where(Role.id.in_(steps), Role.id.not_in(manned)).order_by(Role.name)
        empty = [row.name for row in names]
    if not versions:
        remedy = "baton seed_workflows"
        yield fail("seeds workflow", "no workflow is deployed: every ticket goes to triage", remedy)
        return
    yield ok("seeds workflow", f"{len(versions)} workflows are deployed")
    if empty:
        remedy = "grant it to somebody in auth (baton seed_tts for the demo people), with relay and workers running"
        yield warn("roles", f"nobody is active in {some(empty)}: its steps wait", remedy)
    else:
        yield ok("roles", "every step's role has an active member")
