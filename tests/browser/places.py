"""
The pages that the browser tests open, as data.

Add a page here, and it is opened in light and dark, on a desk and on a phone, checked for accessibility, photographed, and tried
by those who must not see it.

`{...}` in a path is filled from what the stage knows (tests/browser/stage.py): a ticket's number by what became of it, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass

from baton.http import console
from baton.http.web.pages import STAFF

ADAEZE = "adaeze.abara@example.com"
OTHER_EMPLOYEE = "amelia.clarke@example.com"
COORDINATOR = "nadia.haddad@example.com"
ADMIN = "Admintts@example.com"
IT_MANAGER = "kenji.tanaka@example.com"
OTHER_DEPARTMENT = "grace.lim@example.com"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: who looks at it, and who is told that there is no such page. `status` is what it answers."""

    name: str
    front: str
    path: str
    who: str | None
    hidden_from: tuple[str, ...] = ()
    status: int = 200


def _portal(name: str, path: str, *hidden_from: str, status: int = 200) -> Place:
    return Place(f"portal-{name}", "portal", path, ADAEZE, hidden_from, status)


def _console(name: str, path: str, who: str = COORDINATOR, *hidden_from: str, status: int = 200) -> Place:
    return Place(f"console-{name}", "console", path, who, hidden_from, status)


_OWN = (
    Place("portal-sign-in", "portal", "/sign-in", None),
    _portal("tickets", "/"),
    _portal("tickets-none", "/?q=nothing+has+these+words"),
    _portal("new", "/new"),
    _portal("new-it", "/new?category=it"),
    _portal("new-budget", "/new?category=budget"),
    _portal("ticket", "/tickets/{talked}", OTHER_EMPLOYEE),
    _portal("ticket-on-hold", "/tickets/{held}", OTHER_EMPLOYEE),
    _portal("ticket-rated", "/tickets/{rated}", OTHER_EMPLOYEE),
    _portal("ticket-hostile", "/tickets/{hostile}", OTHER_EMPLOYEE),
    _portal("notifications", "/notifications"),
    _portal("profile", "/profile"),
    _portal("unknown", "/tickets/HD-99999999", status=404),
    Place("console-sign-in", "console", "/sign-in", None),
    _console("work", "/", ADMIN),
    _console("work-none", "/?q=nothing+has+these+words", ADMIN),
    _console("ticket", "/tickets/{talked}", COORDINATOR, OTHER_DEPARTMENT),
    _console("ticket-mine", "/tickets/{assigned}", "{assignee}"),
    _console("ticket-finished", "/tickets/{rated}", COORDINATOR),
    _console("ticket-in-triage", "/tickets/{triage}", COORDINATOR, OTHER_DEPARTMENT),
    _console("ticket-hostile", "/tickets/{hostile}", COORDINATOR, OTHER_DEPARTMENT),
    _console("ticket-history", "/tickets/{talked}/history", COORDINATOR, OTHER_DEPARTMENT),
    _console("ticket-why", "/tickets/{talked}/why", COORDINATOR, OTHER_DEPARTMENT),
    _console("clock", "/clocks/{clock}", COORDINATOR, OTHER_DEPARTMENT),
    _console("notifications", "/notifications", ADMIN),
    _console("profile", "/profile"),
    _console("unknown", "/tickets/HD-99999999", status=404),
)

#: Pages of the console that need a name in their address: for coordinators, then for administrators.
_COORDINATION = (
    "/people/{person}", "/handovers/{person}", "/triage/{triage}", "/reports/sla", "/reports/fairness", "/reports/flow",
)  # fmt: skip
_ADMINISTRATION = (
    "/admin/users/5", "/admin/roles/2", "/admin/employees/1", "/admin/workflows/1", "/admin/workflows/1/versions/1",
    "/admin/workflows/1/versions/1/edit", "/admin/workflows/1/versions/1/deploy", "/admin/workflows/1/move",
    "/admin/calendars/1", "/admin/calendars/1/edit", "/admin/policies/1", "/admin/policies/1/edit",
)  # fmt: skip
#: What answers no page of its own: searches, streams, and addresses that lead elsewhere.
_NO_PAGE = ("/find", "/live", "/next", "/reports", "/colleagues")
_LOOKS_AT = {"admin": ADMIN, "coordinator": COORDINATOR, "staff": COORDINATOR}


def _name(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("{", "").replace("}", "")


def _plain() -> tuple[Place, ...]:
    """Return the console's pages that need no more than their address and are not named above: new ones come by themselves."""
    named = {place.path for place in _OWN if place.front == "console"}
    return tuple(
        _console(_name(page.path), page.path, _LOOKS_AT[page.who], *([] if page.who == STAFF else [IT_MANAGER]))
        for page in console.PAGES
        if page.method == "GET" and "{" not in page.path and not page.path.startswith(_NO_PAGE) and page.path not in named
    )


PLACES: tuple[Place, ...] = (
    *_OWN,
    *(_console(_name(path), path, COORDINATOR, IT_MANAGER) for path in _COORDINATION),
    *(_console(_name(path), path, ADMIN, COORDINATOR) for path in _ADMINISTRATION),
    *_plain(),
)
