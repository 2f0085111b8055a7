"""The order in which policies hold: rearranged on the page, stored at once when it is right."""

from __future__ import annotations

from typing import Any

from baton.http.console.admin.asking import refused
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceRefusedError

_PATH = "/admin/policies/order"
_API = "/api/v1/sla/policies"
#: Pages of the list that are read at most: the service orders no more than a thousand policies at once.
_MOST_PAGES = 5


def show_order(visit: Visit) -> Shown:
    """Policies in force, the one that holds first before all others."""
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = visit.api.get("workflow", _API, state="in_force", limit=200, cursor=cursor)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    found.sort(key=lambda each: (-(each["rank"] or 0), each["name"]))
    return Shown("admin/policy_order.html", {"names": [each["name"] for each in found], "touched": False})


def change_order(visit: Visit) -> Shown | Go:
    """A policy is moved up or down on the page; or the order is stored as it stands there."""
    names = visit.form.all("name")
    button, _, place = visit.form.get("do").partition(":")
    if button == "save":
        try:
            visit.api.call("PUT", "workflow", f"{_API}/order", body={"names": names})
        except ServiceRefusedError as error:
            return refused(visit, error, visit.t("admin.order"), _PATH)
        return Go(_PATH, "admin.order_saved")
    if place.isdecimal() and int(place) < len(names):
        moved = names.pop(int(place))
        goals = {"up": int(place) - 1, "down": int(place) + 1, "top": 0, "bottom": len(names)}
        names.insert(max(0, goals.get(button, int(place))), moved)
    return Shown("admin/policy_order.html", {"names": names, "touched": True})


PAGES = (
    Page("GET", _PATH, show_order, ADMIN),
    Page("POST", _PATH, change_order, ADMIN),
)
