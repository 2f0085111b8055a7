"""Grants: who holds which role. Giving the Admin role and taking any role are asked once more."""

from __future__ import annotations

from urllib.parse import quote

from baton.http.console.admin.asking import ask_first, refused
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.credentials import ADMIN as ADMIN_ROLE


def grant(visit: Visit) -> Shown | Go:
    """The user holds the role."""
    back, title = _back(visit), visit.t("admin.grant")
    number, _, name = visit.form.get("role").partition(":")
    if not number.isdecimal() or not visit.params["user"].isdecimal():
        return Go(back, "admin.choose_role")
    if name.endswith(f":{ADMIN_ROLE}"):
        text = visit.t("admin.grant_admin_text", name=visit.form.get("name"), role=name)
        asked = ask_first(visit, title, text, back)
        if asked is not None:
            return asked
    try:
        body = {"user_id": int(visit.params["user"]), "role_id": int(number)}
        visit.api.post("auth", "/api/v1/grants", body)
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(back, "admin.granted", {"role": name})


def revoke(visit: Visit) -> Shown | Go:
    """The user holds the role no more; their open work in it goes to others as the service decides."""
    back, title = _back(visit), visit.t("admin.revoke")
    text = visit.t("admin.revoke_text", name=visit.form.get("name"), role=visit.form.get("role"))
    asked = ask_first(visit, title, text, back)
    if asked is not None:
        return asked
    try:
        path = f"/api/v1/grants/{quote(visit.params['grant'], safe='')}"
        visit.api.call("DELETE", "auth", path, version=visit.form.get("version") or None)
    except ServiceRefusedError as error:
        return refused(visit, error, title, back)
    return Go(back, "admin.revoked", {"role": visit.form.get("role")})


def _back(visit: Visit) -> str:
    return f"/admin/users/{quote(visit.params['user'], safe='')}"


PAGES = (
    Page("POST", "/admin/users/{user}/grants", grant, ADMIN),
    Page("POST", "/admin/users/{user}/grants/{grant}", revoke, ADMIN),
)
