"""Administration of the employee register."""

from __future__ import annotations

from typing import Any

from baton.http.api import Body, Call, Conflict, NotFound, Operation, Page, PageQuery, Reply, View, page
from baton.http.auth.fields import Email, HashedPassword
from baton.http.auth.oversight import open_directory
from baton.http.people_found import named
from baton.http.types import Name, ShortText
from baton.models.auth import Employee, employees, users
from baton.models.auth.tables import fold


class NewEmployee(Body):
    """An employee. Without a password they cannot sign in yet."""

    email: Email
    full_name: Name
    department: ShortText = ""
    job_title: ShortText = ""
    password: HashedPassword | None = None


class EmployeeChange(Body):
    """What is to change; what is left out stays. A new password ends the employee's sessions."""

    email: Email | None = None
    full_name: Name | None = None
    department: ShortText | None = None
    job_title: ShortText | None = None
    password: HashedPassword | None = None
    is_active: bool | None = None


class EmployeeQuery(PageQuery):
    """Employees; an address is matched whole, in whatever case. `q` finds by beginnings of the words of name and address."""

    q: ShortText | None = None
    email: Name | None = None
    department: Name | None = None
    is_active: bool | None = None


class EmployeeView(View):
    """A row of the employee register."""

    id: int
    email: str
    full_name: str
    department: str
    job_title: str
    is_active: bool
    version: int


def list_employees(call: Call, query: EmployeeQuery) -> Page[Any]:
    """Return the register by id."""
    found = named(Employee.select(), Employee, query.q)
    if query.email is not None:
        found = found.where(Employee.email_key == fold(query.email))
    if query.department is not None:
        found = found.where(Employee.department == query.department)
    if query.is_active is not None:
        found = found.where(Employee.is_active == query.is_active)
    return page(found, key=Employee.id, cursor=query.cursor, limit=query.limit, view=_view)


def read_employee(call: Call) -> Reply:
    """Return one employee."""
    return _reply(_employee(call))


def create_employee(call: Call, body: NewEmployee) -> Reply:
    """Enter an employee into the register."""
    directory = open_directory(call)
    values = body.model_dump()
    values["password_hash"] = values.pop("password")
    employee = None if users.email_taken(body.email) else employees.create_employee(directory, **values)
    if employee is None:
        raise Conflict("there is an account with this address")
    return _reply(employee, {"Location": f"/api/v1/employees/{employee.id}"})


def edit_employee(call: Call, body: EmployeeChange) -> Reply:
    """Change a row of the register."""
    values = body.model_dump(exclude_none=True)
    if "password" in values:
        values["password_hash"] = values.pop("password")
    return _changed(call, values)


def deactivate_employee(call: Call) -> Reply:
    """Switch an employee off: their sessions end, their tickets and name stay."""
    return _changed(call, {"is_active": False})


def _changed(call: Call, values: dict[str, Any]) -> Reply:
    directory = open_directory(call)
    employee = _employee(call)
    call.require_match(employee.version)
    if "email" in values and users.email_taken(values["email"], by_employee=employee.id):
        raise Conflict("there is an account with this address")
    employees.edit_employee(directory, employee, **values)
    return _reply(employee)


def _employee(call: Call) -> Employee:
    employee: Employee | None = Employee.get_or_none(Employee.id == call.integer("employee_id"))
    if employee is None:
        raise NotFound("no such employee")
    return employee


def _reply(employee: Employee, headers: dict[str, str] | None = None) -> Reply:
    return Reply(_view(employee), etag=employee.version, headers=headers or {})


def _view(employee: Employee) -> EmployeeView:
    return EmployeeView(
        id=employee.id,
        email=employee.email,
        full_name=employee.full_name,
        department=employee.department,
        job_title=employee.job_title,
        is_active=employee.is_active,
        version=employee.version,
    )


_LIST, _ONE = "/api/v1/employees", "/api/v1/employees/{employee_id}"
OPERATIONS = (
    Operation("GET", _LIST, list_employees, permission="employees.read", query=EmployeeQuery,
              returns=Page[EmployeeView], summary="List employees", tag="employees"),
    Operation("POST", _LIST, create_employee, permission="employees.write", body=NewEmployee, returns=EmployeeView,
              status=201, problems=(409,), summary="Enter an employee", tag="employees"),
    Operation("GET", _ONE, read_employee, permission="employees.read", returns=EmployeeView, problems=(404,),
              summary="Read an employee", tag="employees"),
    Operation("PATCH", _ONE, edit_employee, permission="employees.write", body=EmployeeChange, returns=EmployeeView,
              problems=(404, 409, 412), summary="Edit an employee", tag="employees"),
    Operation("DELETE", _ONE, deactivate_employee, permission="employees.write", returns=EmployeeView,
              problems=(404, 412), summary="Deactivate an employee", tag="employees"),
)  # fmt: skip
