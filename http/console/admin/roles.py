"""Roles of the systems that the visitor administers, and who holds each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refusal, refused
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.administration import may_manage
from baton.pipelines.credentials import ADMIN as ADMIN_ROLE

_LIST = "/admin/roles"


def list_roles(visit: Visit) -> Shown:
    """Roles by id, and the form for a new one."""
    return _list_page(visit, {})


def create_role(visit: Visit) -> Shown | Go:
    """The role is there; nobody holds it yet."""
    given = {name: visit.form.get(name).strip() for name in ("system", "name", "description")}
    try:
        made = visit.api.post("auth", "/api/v1/roles", given, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        return _list_page(visit, {"given": given, **refusal(visit, error)}, error.status)
    return Go(f"{_LIST}/{made['id']}", "admin.role_created", {"role": made["name"]})


def show_role(visit: Visit) -> Shown | Raw:
    """One role and who holds it, all or those whose name or address is typed."""
    if wants_csv(visit):
        columns = titled(visit, "system", "role", "user_id")
        columns[visit.t("export.full_name")] = "user_full_name"
        filters = {"role_id": _id(visit), "is_active": "true", **visit.filters("q")}
        return export(visit, pages_of(visit, "auth", "/api/v1/grants", **filters), columns, "role-members")
    return _role_page(visit, {})


def change_role(visit: Visit) -> Shown | Go:
    """The role is as given, for its holders too."""
    body = {"description": visit.form.get("description").strip(), **visit.form.filled("name")}
    try:
        visit.api.call("PATCH", "auth", f"/api/v1/roles/{_id(visit)}", body=body, version=visit.form.get("version") or None)
    except ServiceRefusedError as error:
        return _role_page(visit, {"given": body, **refusal(visit, error)}, error.status)
    return Go(f"{_LIST}/{_id(visit)}", "admin.saved")


def set_active(visit: Visit) -> Shown | Go:
    """The role is switched off or on."""
    active, back = visit.form.get("active") == "yes", f"{_LIST}/{_id(visit)}"
    title = visit.t("admin.role_activate" if active else "admin.role_deactivate")
    text = visit.t("admin.role_activate_text" if active else "admin.role_deactivate_text", role=visit.form.get("name"))
    asked = ask_first(visit, title, text, back)
    if asked is not None:
        return asked
    try:
        body, version = {"is_active": active}, visit.form.get("version") or None
        visit.api.call("PATCH", "auth", f"/api/v1/roles/{_id(visit)}", body=body, version=version)
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(back, "admin.saved")


def _list_page(visit: Visit, more: dict[str, Any], status: int = 200) -> Shown:
    filters = visit.filters("system", "is_active", "cursor")
    found, systems = visit.api.together(
        lambda: visit.api.get("auth", "/api/v1/roles", **filters),
        lambda: visit.api.get("auth", "/api/v1/systems", limit=200)["items"],
    )
    ours = [each for each in systems if may_manage(visit.principal.roles, each["slug"])]
    given = {"system": "tts", "name": "", "description": ""}
    values = {"roles": found["items"], "next": found["next"], "systems": ours, "given": given, "trouble": "", "wrong": {}}
    values["slugs"] = [(each["slug"], each["name"]) for each in ours]
    return Shown("admin/roles.html", {**values, **more}, status=status)


def _role_page(visit: Visit, more: dict[str, Any], status: int = 200) -> Shown:
    role, holders = visit.api.together(
        lambda: visit.api.get("auth", f"/api/v1/roles/{_id(visit)}"),
        lambda: visit.api.get("auth", "/api/v1/grants", role_id=_id(visit), is_active="true", **visit.filters("q", "cursor")),
    )
    values = {"role": role, "holders": holders["items"], "next": holders["next"], "is_admin": role["name"] == ADMIN_ROLE}
    template = "admin/role_part.html" if visit.part == "list" else "admin/role.html"
    return Shown(template, {**values, "given": {}, "trouble": "", "wrong": {}, **more}, status=status)


def _id(visit: Visit) -> str:
    return quote(visit.params["role"], safe="")


PAGES = (
    Page("GET", _LIST, list_roles, ADMIN),
    Page("POST", _LIST, create_role, ADMIN),
    Page("GET", f"{_LIST}/{{role}}", show_role, ADMIN),
    Page("POST", f"{_LIST}/{{role}}", change_role, ADMIN),
    Page("POST", f"{_LIST}/{{role}}/active", set_active, ADMIN),
)
