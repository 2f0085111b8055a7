"""Systems and their roles: looking them up and changing them, announced through the directory."""

from __future__ import annotations

from typing import Any

from baton.models.auth.directory import Directory, changed_fields, store_changes
from baton.models.auth.tables import Grant, Role, System, fold


def system_of(slug: str) -> System | None:
    """Return the system of this slug, or None."""
    return System.get_or_none(System.slug == slug)


def create_system(directory: Directory, *, slug: str, name: str) -> System | None:
    """Return the new system; None when the slug is taken."""
    values = {"slug": slug, "name": name, "created_at": directory.now, "updated_at": directory.now}
    rows = list(System.insert(**values).on_conflict_ignore().returning(System).execute())
    return rows[0] if rows else None


def edit_system(directory: Directory, system: System, **values: Any) -> bool:
    """
    Change a system's `name` or `is_active`; return whether anything changed.

    Switching it off or on is announced as a change of each of its roles and grants.
    """
    changes = changed_fields(system, values)
    if not changes:
        return False
    store_changes(directory, system, changes)
    if "is_active" in changes:
        roles = list(Role.select().where(Role.system == system.id).order_by(Role.id))
        for role in roles:
            store_changes(directory, role, {})
            directory.announce_role(role, system)
        directory.announce_grants(Grant.role.in_(Role.select(Role.id).where(Role.system == system.id)))
    return True


def role_of(system: System, name: str) -> Role | None:
    """Return the system's role of this name, in whatever case, or None."""
    return Role.get_or_none(Role.system == system.id, Role.name_key == fold(name))


def create_role(directory: Directory, system: System, *, name: str, description: str = "") -> Role | None:
    """Return the new role, announced; None when the system has one of that name."""
    rows = list(
        Role.insert(
            system=system.id,
            name=name,
            name_key=fold(name),
            description=description,
            created_at=directory.now,
            updated_at=directory.now,
        )
        .on_conflict_ignore()
        .returning(Role)
        .execute()
    )
    if not rows:
        return None
    directory.announce_role(rows[0], system)
    return rows[0]


def edit_role(directory: Directory, role: Role, **values: Any) -> bool:
    """
    Change a role's `name`, `description` or `is_active`; return whether anything changed.

    A changed name or state is announced, and with it the grants of the role. A name that is taken raises IntegrityError.
    """
    if "name" in values:
        values["name_key"] = fold(values["name"])
    changes = changed_fields(role, values)
    if not changes:
        return False
    store_changes(directory, role, changes)
    if "name" in changes or "is_active" in changes:
        directory.announce_role(role, role.system)
    # The name is part of what helpdesk is told about a user; workflow is told role ids only.
    if "is_active" in changes or ("name" in changes and role.system.slug == "hdts"):
        directory.announce_grants(Grant.role == role.id)
    return True
