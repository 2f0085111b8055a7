"""The employee register: read by every administrator, changed by those whom auth lets."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refusal, refused
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.permissions import may

_LIST = "/admin/employees"
_FIELDS = ("email", "full_name", "department", "job_title")


def list_employees(visit: Visit) -> Shown | Raw:
    """The register by id, found by what is typed of name or address, department, and whether they are active."""
    filters = visit.filters("q", "email", "department", "is_active")
    if wants_csv(visit):
        columns = titled(visit, "id", "full_name", "email", "department", "job_title", "is_active")
        return export(visit, pages_of(visit, "auth", "/api/v1/employees", **filters), columns, "employees")
    found = visit.api.get("auth", "/api/v1/employees", **filters, **visit.filters("cursor"))
    values = {"employees": found["items"], "next": found["next"], "may_write": _may_write(visit)}
    return Shown("admin/employees_part.html" if visit.part == "list" else "admin/employees.html", values)


def new_employee(visit: Visit) -> Shown:
    """The form for a new employee."""
    return _form(visit, None, {})


def create_employee(visit: Visit) -> Shown | Go:
    """The employee is in the register; with a password they can sign in."""
    given = {name: visit.form.get(name).strip() for name in _FIELDS}
    body = {**given, **({"password": visit.form.get("password")} if visit.form.get("password") else {})}
    try:
        made = visit.api.post("auth", "/api/v1/employees", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        return _form(visit, None, {"given": given, **refusal(visit, error)}, error.status)
    return Go(f"{_LIST}/{made['id']}", "admin.saved")


def show_employee(visit: Visit) -> Shown:
    """One employee."""
    return _form(visit, _found(visit), {})


def change_employee(visit: Visit) -> Shown | Go:
    """The row is as given; a new password signs the employee out everywhere."""
    given = {name: visit.form.get(name).strip() for name in _FIELDS}
    body = {**given, **({"password": visit.form.get("password")} if visit.form.get("password") else {})}
    try:
        _patch(visit, body)
    except ServiceRefusedError as error:
        return _form(visit, _found(visit), {"given": given, **refusal(visit, error)}, error.status)
    return Go(f"{_LIST}/{_id(visit)}", "admin.saved")


def set_active(visit: Visit) -> Shown | Go:
    """The employee is switched off or on."""
    active, back = visit.form.get("active") == "yes", f"{_LIST}/{_id(visit)}"
    title = visit.t("admin.user_activate" if active else "admin.user_deactivate")
    text = visit.t("admin.user_activate_text" if active else "admin.employee_deactivate_text", name=visit.form.get("name"))
    asked = ask_first(visit, title, text, back)
    if asked is not None:
        return asked
    try:
        _patch(visit, {"is_active": active})
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(back, "admin.saved")


def _patch(visit: Visit, body: dict[str, Any]) -> None:
    version = visit.form.get("version") or None
    visit.api.call("PATCH", "auth", f"/api/v1/employees/{_id(visit)}", body=body, version=version)


def _found(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = visit.api.get("auth", f"/api/v1/employees/{_id(visit)}")
    return found


def _form(visit: Visit, employee: dict[str, Any] | None, more: dict[str, Any], status: int = 200) -> Shown:
    given = {name: "" if employee is None else employee[name] for name in _FIELDS}
    values = {"employee": employee, "given": given, "may_write": _may_write(visit), "trouble": "", "wrong": {}}
    return Shown("admin/employee.html", {**values, **more}, status=status)


def _may_write(visit: Visit) -> bool:
    return may(visit.principal, "employees.write")


def _id(visit: Visit) -> str:
    return quote(visit.params["employee"], safe="")


PAGES = (
    Page("GET", _LIST, list_employees, ADMIN),
    Page("GET", f"{_LIST}/new", new_employee, ADMIN),
    Page("POST", f"{_LIST}/new", create_employee, ADMIN),
    Page("GET", f"{_LIST}/{{employee}}", show_employee, ADMIN),
    Page("POST", f"{_LIST}/{{employee}}", change_employee, ADMIN),
    Page("POST", f"{_LIST}/{{employee}}/active", set_active, ADMIN),
)
