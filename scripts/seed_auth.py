"""
Seeding auth: `seed_systems`, `seed_tts`, `seed_hdts`, `seed_employees`, in this order.

Each can be repeated: what exists is left (or brought back to what is written in `seed_people`), passwords are never reset, and
the run says what it created, changed and left. No worker needs to run: the other services are told by message when they are up.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import click

from baton.models import database, migrate
from baton.models.auth import Role, System, User, employees, grants, roles, users
from baton.models.auth.directory import Directory
from baton.models.auth.passwords import passwords
from baton.models.settings import Settings, get_settings
from baton.models.transaction import Transaction, write_tx
from baton.pipelines import announcements
from baton.pipelines.credentials import ADMIN
from baton.pipelines.messages import SeedWorkflows
from baton.scripts import seed_people as people

DEMO_PASSWORD = "Password123"
#: Employees entered per transaction: large enough to be quick, small enough not to hold others up.
EMPLOYEES_PER_TRANSACTION = 200
SEEDER = "seed"

_yes = click.option("--yes", is_flag=True, help="Create demo accounts even in production, with a random password.")


class Tally:
    """Counts what a run created, changed and left, by kind of thing."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, kind: str, outcome: str) -> None:
        """Count one thing as `created`, `changed` or `left`."""
        self._counts.setdefault(kind, Counter())[outcome] += 1

    def created(self, *kinds: str) -> int:
        """Return how many things of these kinds were created."""
        return sum(self._counts.get(kind, Counter())["created"] for kind in kinds)

    def report(self) -> None:
        """Print one line per kind."""
        for kind, counts in self._counts.items():
            click.echo(f"{kind:10} created {counts['created']:<5} changed {counts['changed']:<5} left {counts['left']}")


class Seeding:
    """One run: the settings, the demo password and its hash, and the tally."""

    def __init__(self, yes: bool) -> None:
        self.settings = _settings(yes)
        self.password = secrets.token_urlsafe(12) if self.settings.production else DEMO_PASSWORD
        # One hash for all accounts of a run: they have the same, published password, so separate salts would protect
        # nothing, and hashing each of a hundred and fifty would keep a core busy for seconds.
        self.password_hash = passwords(self.settings.environment == "test").hash(self.password)
        self.tally = Tally()

    def directory(self, tx: Transaction) -> Directory:
        """Return the directory, open in this transaction."""
        return Directory.open(tx, announcements)

    def finish(self) -> None:
        """Print what was done, and a random password, once."""
        self.tally.report()
        if self.settings.production and self.tally.created("users", "employees"):
            click.echo(f"password of the accounts created now (shown once, have it changed): {self.password}")


@click.command()
@_yes
def seed_systems(yes: bool) -> None:
    """Create the systems hdts, tts, ams and bms, each with an Admin role and an admin user (Admin<slug>@example.com)."""
    seeding = Seeding(yes)
    with write_tx("auth") as tx:
        directory = seeding.directory(tx)
        for slug, name in people.SYSTEMS.items():
            system = _ensure_system(directory, seeding.tally, slug, name)
            role = _ensure_role(directory, seeding.tally, system, ADMIN, people.ADMIN_DUTIES[slug])
            _ensure_holder(directory, seeding, system, role, f"{slug.upper()} Admin", f"Admin{slug}@example.com")
    seeding.finish()


@click.command()
@_yes
def seed_tts(yes: bool) -> None:
    """Create the roles of tts and named users for each, and have the workflow side seed its workflows."""
    seeding = Seeding(yes)
    with write_tx("auth") as tx:
        _seed_staff(seeding, tx, "tts", people.TTS_ROLES, people.TTS_STAFF)
        tx.announce(SeedWorkflows())
    seeding.finish()
    click.echo("the workflow side seeds its workflows as soon as its worker runs")


@click.command()
@_yes
def seed_hdts(yes: bool) -> None:
    """Create the roles of hdts and named coordinators and admins; they are synced to helpdesk."""
    seeding = Seeding(yes)
    with write_tx("auth") as tx:
        _seed_staff(seeding, tx, "hdts", people.HDTS_ROLES, people.HDTS_STAFF)
    seeding.finish()


@click.command()
@click.option("--count", type=click.IntRange(min=0, max=1_000_000), default=150, show_default=True, help="How many.")
@_yes
def seed_employees(count: int, yes: bool) -> None:
    """Enter employees of the IT, Asset and Budget departments into the register; they are synced to helpdesk."""
    seeding = Seeding(yes)
    with database.read_tx("auth"):
        _existing_role("hdts", "Employee")
    everybody = people.employees(count)
    while batch := list(islice(everybody, EMPLOYEES_PER_TRANSACTION)):
        with write_tx("auth") as tx:
            directory = seeding.directory(tx)
            for person in batch:
                _ensure_employee(directory, seeding, person)
    seeding.finish()


def _seed_staff(
    seeding: Seeding,
    tx: Transaction,
    slug: str,
    described: Mapping[str, str],
    staff: Mapping[str, Sequence[tuple[str, str]]],
) -> None:
    directory = seeding.directory(tx)
    system = _existing_role(slug, ADMIN).system
    for name, description in described.items():
        role = _ensure_role(directory, seeding.tally, system, name, description)
        for full_name, email in staff.get(name, ()):
            _ensure_holder(directory, seeding, system, role, full_name, email)


def _ensure_system(directory: Directory, tally: Tally, slug: str, name: str) -> System:
    system = roles.create_system(directory, slug=slug, name=name)
    if system is not None:
        tally.add("systems", "created")
        return system
    found = roles.system_of(slug)
    assert found is not None  # only just found to exist; systems are never deleted
    tally.add("systems", "changed" if roles.edit_system(directory, found, name=name) else "left")
    return found


def _ensure_role(directory: Directory, tally: Tally, system: System, name: str, description: str) -> Role:
    found = roles.role_of(system, name)
    if found is not None:
        changed = roles.edit_role(directory, found, description=description)
        tally.add("roles", "changed" if changed else "left")
        return found
    role = roles.create_role(directory, system, name=name, description=description)
    assert role is not None  # the directory is open to nobody else
    tally.add("roles", "created")
    return role


def _ensure_holder(
    directory: Directory, seeding: Seeding, system: System, role: Role, full_name: str, email: str
) -> None:
    user = _ensure_user(directory, seeding, system, full_name, email)
    _, outcome = grants.grant_role(directory, user, role, granted_by=SEEDER)
    seeding.tally.add("grants", outcome)


def _ensure_user(directory: Directory, seeding: Seeding, system: System, full_name: str, email: str) -> User:
    found = users.user_of(email)
    if found is not None:
        seeding.tally.add("users", "changed" if users.edit_user(directory, found, full_name=full_name) else "left")
        return found
    if users.email_taken(email):
        raise click.ClickException(f"{email} belongs to an employee; change one of the two addresses")
    user = users.create_user(
        directory, email=email, full_name=full_name, password_hash=seeding.password_hash, home_system=system
    )
    assert user is not None  # the directory is open to nobody else
    seeding.tally.add("users", "created")
    return user


def _ensure_employee(directory: Directory, seeding: Seeding, person: people.SeededEmployee) -> None:
    details = {"full_name": person.full_name, "department": person.department, "job_title": person.job_title}
    found = employees.employee_of(person.email)
    if found is not None:
        changed = employees.edit_employee(directory, found, **details)
        seeding.tally.add("employees", "changed" if changed else "left")
        return
    if users.user_of(person.email) is not None:
        # A member of staff has this address; an address belongs to one account.
        seeding.tally.add("employees", "left")
        return
    employees.create_employee(directory, email=person.email, password_hash=seeding.password_hash, **details)
    seeding.tally.add("employees", "created")


def _existing_role(slug: str, name: str) -> Role:
    """Return a role that another seeder creates; end with the name of that seeder when it has not run."""
    system = roles.system_of(slug)
    if system is None:
        raise click.ClickException(f"there is no system {slug} yet: run `baton seed_systems` first")
    role = roles.role_of(system, name)
    if role is None:
        command = "seed_systems" if name == ADMIN else f"seed_{slug}"
        raise click.ClickException(f"{slug} has no role {name} yet: run `baton {command}` first")
    return role


def _settings(yes: bool) -> Settings:
    settings = get_settings()
    if settings.production and not yes:
        raise click.ClickException("this creates demo accounts, and BATON_ENV is production; add --yes if that is meant")
    database.configure(settings, ("auth",))
    if migrate.pending("auth"):
        raise click.ClickException("the auth database lacks its tables: run `baton migrate` first")
    return settings
