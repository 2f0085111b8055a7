"""
What a web front is made of: pages, and the visit that passes through their handlers.

    PAGES = (Page("GET", "/tickets", list_tickets, who=EMPLOYEE), ...)

    def list_tickets(visit: Visit) -> Shown:
        found = visit.api.get("helpdesk", "/api/v1/tickets", limit=20)
        return Shown("tickets.html", {"tickets": found["items"]})

A handler returns what to show (`Shown`), where to go (`Go`), or bytes as they are (`Raw`, which may stream). What the services
refuse it may let pass: the kit turns it into a page that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon

from baton.http.web.forms import Form
from baton.http.web.services import Services
from baton.http.web.session import Session, Sessions
from baton.http.web.texts import Catalogue
from baton.models.settings import Settings
from baton.pipelines.permissions import ANONYMOUS, Principal

ANYONE, EMPLOYEE, STAFF, COORDINATOR, ADMIN = "anyone", "employee", "staff", "coordinator", "admin"
#: Who may open a page: a word for the documentation, and the rule. What they see there is up to the services.
AUDIENCES: dict[str, Callable[[Principal], bool]] = {
    ANYONE: lambda principal: True,
    EMPLOYEE: lambda principal: principal.kind == "employee",
    STAFF: lambda principal: principal.kind == "user" and any(role.startswith("tts:") for role in principal.roles),
    COORDINATOR: lambda principal: principal.has_role("tts:Admin", "tts:Ticket Coordinator"),
    ADMIN: lambda principal: principal.has_role("tts:Admin"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page or form target: method and path (Falcon's template syntax), its handler, and who may open it."""

    method: str
    path: str
    handler: Callable[[Visit], Shown | Go | Raw]
    who: str


@dataclass(slots=True)
class Shown:
    """A page to render."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Go:
    """Where the browser goes next (303), with a sentence of the catalogue to show there once."""

    path: str
    told: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is no page: a download, a picture, a stream of events."""

    body: bytes | Iterable[bytes]
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    cookies: tuple[str, ...] = ()


@dataclass(slots=True)
class Visit:
    """A request to a web front as a handler sees it: who comes, what they ask, and the services in their name."""

    request: falcon.Request
    page: Page
    settings: Settings
    params: dict[str, str]
    texts: Catalogue
    zone: str
    principal: Principal = ANONYMOUS
    services: Services | None = None
    session: Session | None = None
    sessions: Sessions | None = None
    _form: Form | None = None

    @property
    def api(self) -> Services:
        """The services' HTTP interfaces, called in the visitor's name."""
        assert self.services is not None
        return self.services

    @property
    def form(self) -> Form:
        """What was sent with a form; read once."""
        if self._form is None:
            self._form = Form.read(self.request, self.settings)
        return self._form

    @property
    def part(self) -> str:
        """The id of the element that htmx wants to replace, empty when a whole page is wanted."""
        boosted = self.request.get_header("HX-Boosted") == "true"
        if self.request.get_header("HX-Request") != "true" or boosted:
            return ""
        return self.request.get_header("HX-Target") or ""

    def query(self, name: str, default: str = "") -> str:
        """Return a query parameter, the first where it is given several times."""
        values = self.request.params.get(name)
        found = values[0] if isinstance(values, list) and values else values
        return found if isinstance(found, str) else default

    def filters(self, *names: str) -> dict[str, str]:
        """Return those of these query parameters that are given and not empty."""
        return {name: value for name in names if (value := self.query(name))}

    def t(self, key: str, **values: Any) -> str:
        """Return a text of the catalogue in the visitor's language."""
        return self.texts.text(key, **values)
