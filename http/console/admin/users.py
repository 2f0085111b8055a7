"""Users: found, shown, created, changed, given a new password, switched off and on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refusal, refused
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly
from baton.pipelines.administration import may_manage

_LIST = "/admin/users"


def list_users(visit: Visit) -> Shown | Raw:
    """Users by id, found by what is typed of their name or address, and by whether they are active."""
    filters = visit.filters("q", "email", "is_active")
    if wants_csv(visit):
        columns = titled(visit, "id", "full_name", "email", "home_system", "is_active")
        columns[visit.t("export.roles")] = lambda user: ", ".join(user["roles"])
        return export(visit, pages_of(visit, "auth", "/api/v1/users", **filters), columns, "users")
    found = visit.api.get("auth", "/api/v1/users", **filters, **visit.filters("cursor"))
    values = {"users": found["items"], "next": found["next"]}
    return Shown("admin/users_part.html" if visit.part == "list" else "admin/users.html", values)


def new_user(visit: Visit) -> Shown:
    """The form for a new user."""
    return _form(visit, {})


def create_user(visit: Visit) -> Shown | Go:
    """The user is there, with the roles that were chosen."""
    given: dict[str, Any] = {name: visit.form.get(name).strip() for name in ("email", "full_name", "system")}
    given["roles"] = visit.form.all("roles")
    body = {**given, **({"password": visit.form.get("password")} if visit.form.get("password") else {})}
    try:
        made = visit.api.post("auth", "/api/v1/users", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        return _form(visit, {"given": given, **refusal(visit, error)}, error.status)
    return Go(f"{_LIST}/{made['id']}", "admin.user_created", {"name": made["full_name"]})


def show_user(visit: Visit) -> Shown:
    """One user with the roles that the visitor may see."""
    return _user_page(visit, {})


def change_user(visit: Visit) -> Shown | Go:
    """Name and address are as given."""
    body = visit.form.filled("email", "full_name")
    return _change(visit, body, "admin.saved")


def set_password(visit: Visit) -> Shown | Go:
    """The user has this password, and is signed out everywhere."""
    if visit.form.get("sure") != "yes" or not visit.form.get("password"):
        wrong = {} if visit.form.get("password") else {"password": visit.t("form.missing")}
        return _user_page(visit, {"trouble": visit.t("admin.tick_sure"), "wrong": wrong}, 422)
    return _change(visit, {"password": visit.form.get("password")}, "admin.password_set")


def set_active(visit: Visit) -> Shown | Go:
    """The user is switched off or on."""
    active = visit.form.get("active") == "yes"
    title = visit.t("admin.user_activate" if active else "admin.user_deactivate")
    text = visit.t("admin.user_activate_text" if active else "admin.user_deactivate_text", name=visit.form.get("name"))
    asked = ask_first(visit, title, text, _here(visit))
    return asked or _change(visit, {"is_active": active}, "admin.saved", title)


def _change(visit: Visit, body: dict[str, Any], told: str, title: str = "") -> Shown | Go:
    version = visit.form.get("version") or None
    try:
        visit.api.call("PATCH", "auth", f"/api/v1/users/{_id(visit)}", body=body, version=version)
    except ServiceRefusedError as error:
        if title:
            return refused(visit, error, title, _here(visit))
        given = {name: value for name, value in body.items() if name != "password"}
        return _user_page(visit, {"given": given, **refusal(visit, error)}, error.status)
    return Go(_here(visit), told)


def _user_page(visit: Visit, more: dict[str, Any], status: int = 200) -> Shown:
    user, grants, roles = visit.api.together(
        lambda: visit.api.get("auth", f"/api/v1/users/{_id(visit)}"),
        lambda: visit.api.get("auth", "/api/v1/grants", user_id=_id(visit), is_active="true", limit=200)["items"],
        quietly(lambda: _roles(visit), []),
    )
    held = {grant["role_id"] for grant in grants}
    values = {
        "user": user,
        "grants": grants,
        "roles": [role for role in roles if role["id"] not in held],
        "ours": may_manage(visit.principal.roles, user["home_system"]),
        "given": {},
        "trouble": "",
        "wrong": {},
    }
    return Shown("admin/user.html", {**values, **more}, status=status)


def _form(visit: Visit, more: dict[str, Any], status: int = 200) -> Shown:
    systems, roles = visit.api.together(
        lambda: visit.api.get("auth", "/api/v1/systems", limit=200)["items"],
        lambda: _roles(visit),
    )
    ours = [each for each in systems if each["is_active"] and may_manage(visit.principal.roles, each["slug"])]
    given = {"email": "", "full_name": "", "system": "tts", "roles": []}
    slugs = [(each["slug"], each["name"]) for each in ours]
    values = {"slugs": slugs, "roles": roles, "given": given, "trouble": "", "wrong": {}}
    return Shown("admin/user_new.html", {**values, **more}, status=status)


def _roles(visit: Visit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = visit.api.get("auth", "/api/v1/roles", is_active="true", limit=200)["items"]
    return found


def _id(visit: Visit) -> str:
    return quote(visit.params["user"], safe="")


def _here(visit: Visit) -> str:
    return f"{_LIST}/{_id(visit)}"


PAGES = (
    Page("GET", _LIST, list_users, ADMIN),
    Page("GET", f"{_LIST}/new", new_user, ADMIN),
    Page("POST", f"{_LIST}/new", create_user, ADMIN),
    Page("GET", f"{_LIST}/{{user}}", show_user, ADMIN),
    Page("POST", f"{_LIST}/{{user}}", change_user, ADMIN),
    Page("POST", f"{_LIST}/{{user}}/password", set_password, ADMIN),
    Page("POST", f"{_LIST}/{{user}}/active", set_active, ADMIN),
)
