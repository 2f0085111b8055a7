"""The look-ups that other services call: a user, an employee, and the active holders of a role."""

from __future__ import annotations

from baton.http.api import Call, NotFound, Operation, Query, View
from baton.http.types import Name
from baton.models.auth import Employee, User, grants, roles


class UserDetails(View):
    """A user for display. `roles` are `system:Role`."""

    id: int
    email: str
    full_name: str
    is_active: bool
    roles: list[str]


class EmployeeDetails(View):
    """An employee for display."""

    id: int
    email: str
    full_name: str
    department: str
    job_title: str
    is_active: bool


class RoleHolders(View):
    """The ids of the users who hold a role now, in ascending order."""

    user_ids: list[int]


class RoleQuery(Query):
    """A role by name, in whatever case, and its system's slug."""

    role: Name
    system: Name = "tts"


def read_user(call: Call) -> UserDetails:
    """Return a user, active or not: names stay readable in old tickets."""
    user = User.get_or_none(User.id == call.integer("user_id"))
    if user is None:
        raise NotFound("no such user")
    return UserDetails(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        is_active=user.is_active,
        roles=grants.roles_of(user.id),
    )


def read_employee(call: Call) -> EmployeeDetails:
    """Return a row of the employee register, active or not."""
    employee = Employee.get_or_none(Employee.id == call.integer("employee_id"))
    if employee is None:
        raise NotFound("no such employee")
    return EmployeeDetails(
        id=employee.id,
        email=employee.email,
        full_name=employee.full_name,
        department=employee.department,
        job_title=employee.job_title,
        is_active=employee.is_active,
    )


def read_holders(call: Call, query: RoleQuery) -> RoleHolders:
    """Return the active holders of a role."""
    system = roles.system_of(query.system)
    role = roles.role_of(system, query.role) if system is not None else None
    if role is None:
        raise NotFound("no such role")
    return RoleHolders(user_ids=grants.holders_of(role))


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/users/internal/{user_id}/",
        read_user,
        permission="internal.read",
        returns=UserDetails,
        problems=(404,),
        summary="Read a user (services)",
        tag="look-ups",
    ),
    Operation(
        "GET",
        "/api/v1/hdts/employees/internal/{employee_id}/",
        read_employee,
        permission="internal.read",
        returns=EmployeeDetails,
        problems=(404,),
        summary="Read an employee (services)",
        tag="look-ups",
    ),
    Operation(
        "GET",
        "/api/v1/tts/round-robin/",
        read_holders,
        permission="round_robin.read",
        query=RoleQuery,
        returns=RoleHolders,
        problems=(404,),
        summary="Read who holds a role now",
        tag="look-ups",
    ),
)
