"""The employee register: the people who file tickets."""

from __future__ import annotations

from typing import Any

from baton.models.auth import sessions
from baton.models.auth.directory import Directory, changed_fields, found_by, store_changes
from baton.models.auth.tables import Employee, fold

#: What other services are told about an employee.
TOLD = {"email", "full_name", "department", "job_title", "is_active"}


def employee_of(email: str) -> Employee | None:
    """Return the employee with this address, in whatever case, or None."""
    return Employee.get_or_none(Employee.email_key == fold(email))


def create_employee(
    directory: Directory,
    *,
    email: str,
    full_name: str,
    department: str = "",
    job_title: str = "",
    password_hash: str | None = None,
) -> Employee | None:
    """Return the new employee, announced; None when the address is taken."""
    rows = list(
        Employee.insert(
            email=email.strip(),
            email_key=fold(email),
            full_name=full_name,
            department=department,
            job_title=job_title,
            password_hash=password_hash,
            words=directory.announcements.person_words(full_name=full_name, email=email),
            created_at=directory.now,
            updated_at=directory.now,
        )
        .on_conflict_ignore()
        .returning(Employee)
        .execute()
    )
    if not rows:
        return None
    directory.announce_employee(rows[0])
    return rows[0]


def edit_employee(directory: Directory, employee: Employee, **values: Any) -> bool:
    """
    Change an employee's details, password or `is_active`, announced; return whether anything changed.

    A new password or switching off ends every session.
    """
    if "email" in values:
        values["email"] = values["email"].strip()
        values["email_key"] = fold(values["email"])
    changes = changed_fields(employee, found_by(directory, employee, values))
    if not changes:
        return False
    store_changes(directory, employee, changes)
    if TOLD & changes.keys():
        directory.announce_employee(employee)
    if "password_hash" in changes or not employee.is_active:
        sessions.end_all("employee", employee.id, directory.now, "account changed")
    return True
