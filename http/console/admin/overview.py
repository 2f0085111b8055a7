"""The administrators' first page, and who is told what."""

from __future__ import annotations

from baton.http.web.pages import ADMIN, Page, Shown, Visit

#: What there is to administer: path, and the key of its name in the catalogue (`admin.SECTION`, and `admin.about_SECTION`).
SECTIONS = ("users", "roles", "employees", "workflows", "policies", "calendars", "changes", "notifications")


def overview(visit: Visit) -> Shown:
    """What there is to administer."""
    return Shown("admin/overview.html", {"sections": SECTIONS})


def notifications(visit: Visit) -> Shown:
    """Who is told what, for which reason, and what of that is mailed unless they choose otherwise."""
    return Shown("admin/notifications.html", {"types": visit.api.get("notifications", "/api/v1/notification-types")})


PAGES = (
    Page("GET", "/admin", overview, ADMIN),
    Page("GET", "/admin/notifications", notifications, ADMIN),
)
