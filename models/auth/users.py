"""Users: members of staff, their accounts and which systems those belong to."""

from __future__ import annotations

from typing import Any

from baton.models.auth import sessions
from baton.models.auth.directory import Directory, changed_fields, found_by, store_changes
from baton.models.auth.tables import Employee, Grant, Role, System, User, fold

#: What other services are told about a user: a change of these is announced with every grant.
TOLD = {"email", "full_name", "is_active"}


def user_of(email: str) -> User | None:
    """Return the user with this address, in whatever case, or None."""
    return User.get_or_none(User.email_key == fold(email))


def email_taken(email: str, *, by_user: int | None = None, by_employee: int | None = None) -> bool:
    """
    Whether another account has this address, in whatever case.

    Users and employees sign in with the same form, so an address belongs to one account only; `by_...` is left out of account.
    """
    key = fold(email)
    if User.select().where(User.email_key == key, User.id != (by_user or 0)).exists():
        return True
    return bool(Employee.select().where(Employee.email_key == key, Employee.id != (by_employee or 0)).exists())


def create_user(
    directory: Directory, *, email: str, full_name: str, password_hash: str | None, home_system: System
) -> User | None:
    """Return the new user, who holds no role yet and is therefore not announced; None when the address is taken."""
    rows = list(
        User.insert(
            email=email.strip(),
            email_key=fold(email),
            full_name=full_name,
            password_hash=password_hash,
            home_system=home_system.id,
            words=directory.announcements.person_words(full_name=full_name, email=email),
            created_at=directory.now,
            updated_at=directory.now,
        )
        .on_conflict_ignore()
        .returning(User)
        .execute()
    )
    return rows[0] if rows else None


def edit_user(directory: Directory, user: User, **values: Any) -> bool:
    """
    Change a user's `email`, `full_name`, `password_hash` or `is_active`; return whether anything changed.

    Other services are told through each of the user's grants. A new password or switching off ends every session.
    """
    if "email" in values:
        values["email"] = values["email"].strip()
        values["email_key"] = fold(values["email"])
    changes = changed_fields(user, found_by(directory, user, values))
    if not changes:
        return False
    store_changes(directory, user, changes)
    if TOLD & changes.keys():
        directory.announce_grants(Grant.user == user.id)
    if "password_hash" in changes or not user.is_active:
        sessions.end_all("user", user.id, directory.now, "account changed")
    return True


def systems_of(user: User) -> set[str]:
    """Return the slugs of the systems an account belongs to: its home, and all in which it was ever granted a role."""
    granted = (
        System.select(System.slug)
        .join_from(System, Role)
        .join_from(Role, Grant)
        .where(Grant.user == user.id)
        .distinct()
    )
    home = System.select(System.slug).where(System.id == user.home_system)
    return {slug for query in (granted, home) for (slug,) in query.tuples().execute()}
