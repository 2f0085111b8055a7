"""Who oversees what: the caller's systems, as the administration's handlers ask about them."""

from __future__ import annotations

from typing import Any

from baton.http.api import Call, Conflict, Forbidden
from baton.models.auth import Role, System, User, grants, users
from baton.models.auth.directory import Directory
from baton.pipelines import administration as rules
from baton.pipelines import announcements
from baton.pipelines.credentials import ADMIN


def open_directory(call: Call) -> Directory:
    """Return the directory, open for this call's changes."""
    return Directory.open(call.tx, announcements)


def visible_systems(call: Call) -> frozenset[str] | None:
    """Return the slugs of the systems whose roles and grants the caller may see; None: all."""
    if call.principal.kind == "service" or rules.manages_all(call.principal.roles):
        return None
    return rules.managed_systems(call.principal.roles)


def sees(call: Call, system: str) -> bool:
    """Whether the caller may see the system's roles and grants. Where not, answer as if there were none."""
    visible = visible_systems(call)
    return visible is None or system in visible


def within_sight(call: Call, query: Any) -> Any:
    """Return the query, which joins System, reduced to what the caller may see."""
    visible = visible_systems(call)
    return query if visible is None else query.where(System.slug.in_(sorted(visible)))


def require_account(call: Call, user: User) -> None:
    """Raise Forbidden unless the caller may change the account: its home and every system it was ever granted a role in."""
    if not rules.may_change_account(call.principal.roles, users.systems_of(user)):
        raise Forbidden("the account also belongs to systems that you do not administer")


def require_other_admin(user: User, systems: list[System]) -> None:
    """Raise Conflict when one of the systems would have no active admin without this user."""
    admins = {system.slug: grants.admins_of(system.id, ADMIN) for system in systems}
    left = rules.left_without_admin(admins, user.id)
    if left:
        raise Conflict(f"{', '.join(left)} would have no active admin; name another one first", systems=left)


def systems_administered(user: User) -> list[System]:
    """Return the systems in which the user is granted the Admin role."""
    query = System.select().join_from(System, Role).join_from(Role, grants.Grant)
    return list(query.where(grants.Grant.user == user.id, Role.name == ADMIN).distinct())
