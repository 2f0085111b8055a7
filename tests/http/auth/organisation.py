"""A small organisation for auth's tests: three systems, an admin in each, and what was announced about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from baton.models.auth import Grant, Role, System, User, employees, grants, roles, users
from baton.models.auth.directory import Directory
from baton.models.auth.passwords import passwords
from baton.models.database import read_tx
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines import announcements
from baton.pipelines.permissions import Principal
from tests.factories import bearer

PASSWORD = "correct horse battery"


@dataclass
class Organisation:
    """Ids by name. `admins` maps a system's slug to the principal of its one admin."""

    systems: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    employee: int = 0
    admins: dict[str, Principal] = field(default_factory=dict)

    def headers(self, slug: str) -> dict[str, str]:
        """Return the headers that sign a call as the admin of a system."""
        return bearer(self.admins[slug])


def build() -> Organisation:
    """Create it: hdts, tts and ams with an Admin each, some roles of tts and hdts, an employee."""
    made = Organisation()
    password_hash = passwords(True).hash(PASSWORD)
    with write_tx("auth") as tx:
        directory = Directory.open(tx, announcements)
        for slug in ("hdts", "tts", "ams"):
            system = roles.create_system(directory, slug=slug, name=slug.upper())
            assert system is not None
            made.systems[slug] = system.id
            _role(directory, made, system, "Admin")
            admin = _user(directory, made, system, f"Admin{slug}@example.com", password_hash)
            grants.grant_role(directory, admin, Role.get_by_id(made.roles[f"{slug}:Admin"]), granted_by="test")
            made.admins[slug] = Principal("user", str(admin.id), roles=frozenset({f"{slug}:Admin"}))
        _role(directory, made, System.get_by_id(made.systems["tts"]), "IT Manager")
        _role(directory, made, System.get_by_id(made.systems["hdts"]), "Ticket Coordinator")
        employee = employees.create_employee(
            directory, email="Eve@Example.com", full_name="Eve Employee", department="IT", password_hash=password_hash
        )
        assert employee is not None
        made.employee = employee.id
    forget_announcements()
    return made


def _role(directory: Directory, made: Organisation, system: System, name: str) -> None:
    role = roles.create_role(directory, system, name=name)
    assert role is not None
    made.roles[f"{system.slug}:{name}"] = role.id


def _user(directory: Directory, made: Organisation, system: System, email: str, password_hash: str) -> User:
    user = users.create_user(
        directory, email=email, full_name=f"{system.slug} admin", password_hash=password_hash, home_system=system
    )
    assert user is not None
    made.users[email] = user.id
    return user


def announced(name: str | None = None) -> list[tuple[str, dict[str, Any], int | None]]:
    """Return what waits in auth's outbox, oldest first: message name, payload's one value, version."""
    outbox = runtime_tables("auth").Outbox
    with read_tx("auth"):
        rows = list(outbox.select().order_by(outbox.id))
    found = []
    for row in rows:
        payload = json.loads(row.kwargs).get("payload", {})
        value = next(iter(payload.values()), {})
        found.append((row.name, value, json.loads(row.envelope)["version"]))
    return [item for item in found if name in (None, item[0])]


def forget_announcements() -> None:
    """Empty auth's outbox."""
    with write_tx("auth"):
        runtime_tables("auth").Outbox.delete().execute()


def grant_id(user: int, role: int) -> int:
    """Return the id of a user's grant of a role."""
    with read_tx("auth"):
        found: int = Grant.get(Grant.user == user, Grant.role == role).id
        return found
