"""Grants: which user holds which role, who holds a role, and what someone may therefore do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baton.models.auth.directory import Directory, store_changes
from baton.models.auth.tables import Grant, Role, System, User


def _effective(*columns: Any) -> Any:
    """Return the query for grants in force: grant, user, role and system are all active."""
    return (
        Grant.select(*columns)
        .join_from(Grant, User)
        .join_from(Grant, Role)
        .join_from(Role, System)
        .where(Grant.is_active, User.is_active, Role.is_active, System.is_active)
    )


def roles_of(user_id: int) -> list[str]:
    """Return the roles a user holds now, as `system:Role`, sorted."""
    pairs = _effective(System.slug, Role.name).where(Grant.user == user_id).tuples().execute()
    return sorted(f"{slug}:{name}" for slug, name in pairs)


def roles_in_force(user_ids: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return (user id, system slug, role name) of what these users hold now."""
    if not user_ids:
        return []
    columns = (Grant.user, System.slug, Role.name)
    return list(_effective(*columns).where(Grant.user.in_(list(user_ids))).tuples().execute())


def holders_of(role: Role) -> list[int]:
    """Return the ids of the users who hold a role now, in ascending order."""
    rows = _effective(Grant.user).where(Grant.role == role.id).order_by(Grant.user).tuples().execute()
    return [user_id for (user_id,) in rows]


def admins_of(system_id: int, admin_role: str) -> frozenset[int]:
    """Return the ids of a system's active admins who can sign in."""
    rows = (
        _effective(Grant.user)
        .where(Role.system == system_id, Role.name == admin_role, User.password_hash.is_null(False))
        .tuples()
        .execute()
    )
    return frozenset(user_id for (user_id,) in rows)


def grant_role(directory: Directory, user: User, role: Role, *, granted_by: str) -> tuple[Grant, str]:
    """Have the user hold the role, announced; return the grant and whether it was `created`, `changed` (revived) or `left`."""
    rows = list(
        Grant.insert(
            user=user.id,
            role=role.id,
            granted_by=granted_by,
            # The announcement takes the next version, so that a grant's first is 1.
            version=0,
            created_at=directory.now,
            updated_at=directory.now,
        )
        .on_conflict_ignore()
        .returning(Grant)
        .execute()
    )
    if rows:
        directory.announce_grants(Grant.id == rows[0].id)
        return Grant.get_by_id(rows[0].id), "created"
    grant = Grant.get(Grant.user == user.id, Grant.role == role.id)
    changed = set_grant_active(directory, grant, True, granted_by=granted_by)
    return grant, "changed" if changed else "left"


def set_grant_active(directory: Directory, grant: Grant, is_active: bool, *, granted_by: str) -> bool:
    """Give or take a grant, announced; return whether that changed anything."""
    if grant.is_active == is_active:
        return False
    store_changes(directory, grant, {"is_active": is_active, "granted_by": granted_by})
    directory.announce_grants(Grant.id == grant.id)
    grant.version = Grant.select(Grant.version).where(Grant.id == grant.id).scalar()
    return True
