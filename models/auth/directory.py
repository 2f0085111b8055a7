"""
The directory: writing what other services keep copies of, and telling them in the same transaction.

A `Directory` is an open write transaction together with the rules that word the announcements. The functions of `roles`,
`users`, `grants` and `employees` take one, so that there is no way to change a role, a grant or an employee without saying so.

Directories are open one at a time (a lock of the whole database, taken first): changes here are rare and small, and so no two
admins can remove each other, no address ends up in both registers, and nothing deadlocks.

Order is kept per thing: every announcement carries a version that grows with each one about the same role, grant, user or
employee. A receiver that has a newer one ignores an older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from baton.models.auth.tables import Employee, Grant, Role, System, User
from baton.models.database import is_sqlite
from baton.models.transaction import Announceable, Transaction


class Announcements(Protocol):
    """
    The wording of announcements, as in `pipelines.announcements`. None: nobody keeps a copy of that system's.

    `person_words` returns the words by which a person is found.
    """

    def about_role(self, *, system: str, role_id: int, name: str, is_active: bool) -> Announceable | None: ...
    def about_grant(
        self, *, system: str, user_id: int, role_id: int, user_full_name: str, user_email: str, is_active: bool
    ) -> Announceable | None: ...
    def about_user(
        self, *, user_id: int, email: str, full_name: str, is_active: bool, hdts_roles: Sequence[str]
    ) -> Announceable: ...
    def about_employee(
        self, *, employee_id: int, email: str, full_name: str, department: str, job_title: str, is_active: bool
    ) -> Announceable: ...
    def person_words(self, *, full_name: str | None, email: str | None) -> str: ...


@dataclass(frozen=True, slots=True)
class Directory:
    """An open write transaction on auth, and the wording of its announcements."""

    tx: Transaction
    announcements: Announcements

    @classmethod
    def open(cls, tx: Transaction, announcements: Announcements) -> Directory:
        """Return the directory once nobody else has it open. Open it before reading what is to be changed."""
        if not is_sqlite(tx.database):
            tx.database.execute_sql("select pg_advisory_xact_lock(hashtext('baton-auth-directory'))")
        return cls(tx, announcements)

    @property
    def now(self) -> datetime:
        """The instant that everything written through this directory bears."""
        return self.tx.now

    def announce_role(self, role: Role, system: System) -> None:
        """Announce a role as it is now, under its own version."""
        news = self.announcements.about_role(
            system=system.slug, role_id=role.id, name=role.name, is_active=role.is_active and system.is_active
        )
        if news is not None:
            self.tx.announce(news, version=role.version)

    def announce_employee(self, employee: Employee) -> None:
        """Announce a row of the employee register as it is now, under its own version."""
        news = self.announcements.about_employee(
            employee_id=employee.id,
            email=employee.email,
            full_name=employee.full_name,
            department=employee.department,
            job_title=employee.job_title,
            is_active=employee.is_active,
        )
        self.tx.announce(news, version=employee.version)

    def announce_grants(self, *which: Any) -> None:
        """
        Announce the grants that match the conditions, as they are now, each under a new version.

        For a grant of hdts it is the user that is announced, with all roles there.
        """
        Grant.update(version=Grant.version + 1, updated_at=self.now).where(*which).execute()
        grants = (
            Grant.select(Grant, User, Role, System)
            .join_from(Grant, User)
            .join_from(Grant, Role)
            .join(System)
            .where(*which)
            .order_by(Grant.id)
        )
        hdts_users: dict[int, User] = {}
        for grant in grants:
            if grant.role.system.slug == "hdts":
                hdts_users[grant.user.id] = grant.user
            else:
                self._announce_grant(grant)
        for user in hdts_users.values():
            self._announce_user(user)

    def _announce_grant(self, grant: Grant) -> None:
        role, user = grant.role, grant.user
        news = self.announcements.about_grant(
            system=role.system.slug,
            user_id=user.id,
            role_id=role.id,
            user_full_name=user.full_name,
            user_email=user.email,
            is_active=grant.is_active and user.is_active and role.is_active and role.system.is_active,
        )
        if news is not None:
            self.tx.announce(news, version=grant.version)

    def _announce_user(self, user: User) -> None:
        held = (
            Role.select(Role.name)
            .join_from(Role, Grant)
            .join_from(Role, System)
            .where(Grant.user == user.id, System.slug == "hdts", Grant.is_active, Role.is_active, System.is_active)
            .order_by(Role.id)
        )
        User.update(hdts_version=User.hdts_version + 1).where(User.id == user.id).execute()
        version = User.select(User.hdts_version).where(User.id == user.id).scalar()
        news = self.announcements.about_user(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            is_active=user.is_active,
            hdts_roles=[role.name for role in held],
        )
        self.tx.announce(news, version=version)


def found_by(directory: Directory, row: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the words by which the person of this row will be found; nothing is added where those stay."""
    if not {"email", "full_name"} & values.keys():
        return values
    told = {name: values.get(name, getattr(row, name)) for name in ("full_name", "email")}
    return {**values, "words": directory.announcements.person_words(**told)}


def changed_fields(row: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return those of the values that differ from the row's."""
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def store_changes(directory: Directory, row: Any, changes: dict[str, Any]) -> None:
    """Write the changes to the row under its next version; the row in hand shows them too."""
    changes = {**changes, "version": row.version + 1, "updated_at": directory.now}
    type(row).update(**changes).where(type(row).id == row.id).execute()
    for name, value in changes.items():
        setattr(row, name, value)
