"""Accounts as sign-in and sessions see them: a user or an employee, whichever an address or a token names."""

from __future__ import annotations

from dataclasses import dataclass

from baton.http.api import View
from baton.models.auth import Employee, User, employees, grants, users
from baton.pipelines.permissions import Principal

#: What every employee may do follows from this one role; it is not granted row by row.
EMPLOYEE_ROLE = "hdts:Employee"


class SessionView(View):
    """Who is signed in. `roles` are `system:Role`."""

    kind: str
    id: str
    name: str
    email: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can sign in: `kind` is `user` or `employee`."""

    kind: str
    row: User | Employee

    @property
    def principal(self) -> Principal:
        """The principal that this account's tokens stand for, with the roles held now."""
        roles = grants.roles_of(self.row.id) if self.kind == "user" else [EMPLOYEE_ROLE]
        return Principal(self.kind, str(self.row.id), self.row.full_name, self.row.email, frozenset(roles))


def account_of_email(email: str) -> Account | None:
    """Return the account with this address: users first, then employees. Both are looked up, so that both take as long."""
    user, employee = users.user_of(email), employees.employee_of(email)
    if user is not None:
        return Account("user", user)
    return Account("employee", employee) if employee is not None else None


def account_of_id(kind: str, identity: int) -> Account | None:
    """Return the account of this kind and id, active or not."""
    row = (User if kind == "user" else Employee).get_or_none(id=identity)
    return None if row is None else Account(kind, row)


def session_view(principal: Principal) -> SessionView:
    """Return who the principal is."""
    return SessionView(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        email=principal.email,
        roles=sorted(principal.roles),
    )
