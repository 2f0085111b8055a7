"""Saved views: lists of the console with their filters, one's own and those shared with one's roles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, Conflict, Forbidden, Invalid, NotFound, Operation, Query, Reply, View
from baton.http.types import Name, storable
from baton.http.workflow.tasks import COORDINATORS
from baton.models.workflow import Role, reading, saved_views

#: The lists that can be saved.
SavedPage = Literal["/", "/tickets", "/search", "/at-risk", "/waiting", "/people"]
MOST_OWN, MOST_SHOWN = 100, 300


class ViewQuery(Query):
    """Which views: of one page, or all."""

    page: SavedPage | None = None


class SavedViewBody(Body):
    """A list of the console under a name. `query` is its query string, `shared_with` the id of a role whose people see it too."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S"), AfterValidator(storable)]
    page: SavedPage
    query: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[\x21-\x7e]*$")] = ""
    shared_with: Name | None = None


class SavedViewView(View):
    """A saved view; `own`: the caller's, who may change and delete it."""

    id: int
    name: str
    page: str
    query: str
    own: bool
    owner_name: str
    shared_with: str | None
    shared_with_role: str | None
    updated_at: datetime


class SavedViewList(View):
    """The caller's views, and those shared with their roles, by name."""

    items: list[SavedViewView]


def list_views(call: Call, query: ViewQuery) -> SavedViewList:
    """The views that the caller sees."""
    rows = saved_views.seen_by(call.principal.subject, _roles(call), query.page, MOST_SHOWN)
    return SavedViewList(items=[_view(call, row) for row in rows])


def create_view(call: Call, body: SavedViewBody) -> Reply:
    """The list is kept under its name."""
    if saved_views.count_of(call.principal.subject) >= MOST_OWN:
        raise Conflict(f"nobody keeps more than {MOST_OWN} views; delete some first")
    values = {"owner": call.principal.subject, "owner_name": call.principal.name, **_values(call, body)}
    view = saved_views.add(call.tx, values)
    if view is None:
        raise Conflict("you have a view of this name")
    return Reply(_view(call, saved_views.find(view) or {}), status=201)


def change_view(call: Call, body: SavedViewBody) -> SavedViewView:
    """The view is as the body says; only its owner changes it."""
    view = _own(call)["id"]
    if saved_views.name_taken(call.principal.subject, body.name, but=view):
        raise Conflict("you have another view of this name")
    saved_views.change(call.tx, view, _values(call, body))
    return _view(call, saved_views.find(view) or {})


def delete_view(call: Call) -> None:
    """The view is gone. Its owner deletes it; coordinators delete what is shared."""
    row = _seen(call)
    if row["owner"] != call.principal.subject and not call.principal.has_role(*COORDINATORS):
        raise Forbidden("only its owner or a coordinator deletes a view")
    saved_views.remove(row["id"])


def _values(call: Call, body: SavedViewBody) -> dict[str, Any]:
    values: dict[str, Any] = {"name": body.name.strip(), "page": body.page, "query": body.query, "shared_with": None}
    if body.shared_with is not None:
        if not call.principal.has_role(*COORDINATORS):
            raise Forbidden("only coordinators share views")
        role = Role.get_or_none(Role.role_id == body.shared_with)
        if role is None:
            raise Invalid.of("shared_with", "is no role", "unknown")
        values["shared_with"] = role.id
    return values


def _roles(call: Call) -> tuple[int, ...]:
    names = [name for system, _, name in (role.partition(":") for role in call.principal.roles) if system == "tts"]
    return reading.roles_named("tts", names)


def _seen(call: Call) -> dict[str, Any]:
    row = saved_views.find(call.integer("view"))
    if row is not None:
        shared = row["shared_with"]
        manages = shared is not None and call.principal.has_role(*COORDINATORS)
        if row["owner"] == call.principal.subject or manages or (shared is not None and shared in _roles(call)):
            return row
    raise NotFound("there is no such view")


def _own(call: Call) -> dict[str, Any]:
    row = _seen(call)
    if row["owner"] != call.principal.subject:
        raise Forbidden("only its owner changes a view")
    return row


def _view(call: Call, row: dict[str, Any]) -> SavedViewView:
    return SavedViewView(
        **{name: row[name] for name in ("id", "name", "page", "query", "owner_name", "updated_at")},
        own=row["owner"] == call.principal.subject,
        shared_with=row["shared_role_id"],
        shared_with_role=row["shared_role"],
    )


_ALL, _ONE = "/api/v1/views", "/api/v1/views/{view}"
OPERATIONS = (
    Operation(
        "GET", _ALL, list_views, permission="views.read", query=ViewQuery, returns=SavedViewList, summary="List saved views"
    ),
    Operation(
        "POST", _ALL, create_view, permission="views.write", body=SavedViewBody, returns=SavedViewView, status=201,
        problems=(403, 409), summary="Save a view",
    ),
    Operation(
        "PUT", _ONE, change_view, permission="views.write", body=SavedViewBody, returns=SavedViewView,
        problems=(403, 404, 409), summary="Change one's own view",
    ),
    Operation(
        "DELETE", _ONE, delete_view, permission="views.write", status=204, problems=(403, 404), summary="Delete a view"
    ),
)  # fmt: skip
