"""The visitor's notifications, and how they want to be told. Both fronts show these pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from baton.http.web.export import export, pages_of, wants_csv
from baton.http.web.pages import Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError, quietly

_API = "/api/v1/notifications"


def notice_pages(who: str) -> tuple[Page, ...]:
    """Return the pages about notifications for the visitors of a front."""
    return (
        Page("GET", "/notifications", list_notices, who),
        Page("POST", "/notifications/read", mark_read, who),
        Page("GET", "/profile", show_profile, who),
        Page("POST", "/profile/settings", save_settings, who),
        Page("POST", "/profile/preferences", save_preferences, who),
        Page("POST", "/tickets/{number}/mute", mute, who),
    )


def count_unread(visit: Visit) -> int:
    """Return how many notifications are unread; none when the service is away: a page does not fail for its badge."""
    found = quietly(lambda: visit.api.get("notifications", f"{_API}/unread"), {"unread": 0})()
    return int(found["unread"])


def list_notices(visit: Visit) -> Shown | Raw:
    """What the visitor was told, newest first."""
    if wants_csv(visit):
        fetch = pages_of(visit, "notifications", _API, **visit.filters("unread", "type", "ticket"))
        columns = {visit.t(f"export.{name}"): name for name in ("ticket_number", "subject", "message", "why", "created_at")}
        return export(visit, fetch, columns, "notifications")
    found = visit.api.get("notifications", _API, **visit.filters("unread", "type", "ticket", "cursor"))
    template = "notices_part.html" if visit.part else "notices.html"
    return Shown(template, {"notices": found["items"], "next": found["next"], "unread": visit.query("unread")})


def mark_read(visit: Visit) -> Go:
    """The notifications are read: the ones named, or all."""
    ids = [int(each) for each in visit.form.all("id") if each.isdecimal() and len(each) < 19]
    if ids:
        visit.api.post("notifications", f"{_API}/read", {"ids": ids[:200]})
    elif visit.form.get("all"):
        visit.api.post("notifications", f"{_API}/read-all", {})
    return Go("/notifications")


def show_profile(visit: Visit, wrong: dict[str, str] | None = None, status: int = 200) -> Shown:
    """Who the visitor is, and how they are told of what."""
    settings, preferences, muted = visit.api.together(
        quietly(lambda: visit.api.get("notifications", "/api/v1/notification-settings"), None),
        quietly(lambda: visit.api.get("notifications", "/api/v1/notification-preferences"), None),
        quietly(lambda: visit.api.get("notifications", "/api/v1/muted-tickets"), {"items": []}),
    )
    values = {
        "settings": settings,
        "preferences": preferences["items"] if preferences else None,
        "muted": muted["items"],
        "wrong": wrong or {},
    }
    return Shown("profile.html", values, status=status)


def save_settings(visit: Visit) -> Go | Shown:
    """The visitor is told in this language, at these times."""
    body: dict[str, Any] = {name: visit.form.get(name) or None for name in ("quiet_from", "quiet_until")}
    body |= visit.form.filled("time_zone", "language", "digest", "digest_at")
    body["quiet_days"] = [int(day) for day in visit.form.all("quiet_days") if day in "0123456" and len(day) == 1]
    body["breaches_through"] = visit.form.get("breaches_through") == "on"
    try:
        visit.api.call("PUT", "notifications", "/api/v1/notification-settings", body=body)
    except ServiceRefusedError as error:
        if error.status != 422:
            raise
        return show_profile(visit, error.fields or {"": error.detail}, 422)
    return Go("/profile", "profile.saved")


def save_preferences(visit: Visit) -> Go:
    """What the visitor hears of, and by which way."""
    kept = visit.api.get("notifications", "/api/v1/notification-preferences")["items"]
    chosen = []
    for each in kept:
        if not each["always_in_app"]:
            chosen.append(
                {"type": each["type"], "channel": "in_app", "enabled": visit.form.get(f"in_app:{each['type']}") == "on"}
            )
        mail = {"on": True, "off": False}.get(visit.form.get(f"email:{each['type']}"))
        chosen.append({"type": each["type"], "channel": "email", "enabled": mail})
    if chosen:
        visit.api.call("PUT", "notifications", "/api/v1/notification-preferences", body={"preferences": chosen})
    return Go("/profile", "profile.saved")


def mute(visit: Visit) -> Go:
    """The visitor hears of this ticket no more, or again."""
    path = f"/api/v1/muted-tickets/{quote(visit.params['number'], safe='')}"
    visit.api.call("DELETE" if visit.form.get("unmute") else "PUT", "notifications", path)
    return Go("/profile" if visit.form.get("unmute") else f"/tickets/{quote(visit.params['number'], safe='')}", "profile.saved")
