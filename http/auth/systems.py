"""Administration of systems: the applications in which people hold roles."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from baton.http.api import Body, Call, Conflict, NotFound, Operation, Page, PageQuery, Reply, View, page
from baton.http.auth.oversight import open_directory
from baton.http.types import Name
from baton.models.auth import System, roles
from baton.pipelines.credentials import ADMIN, slug_refused


def _slug(slug: str) -> str:
    refused = slug_refused(slug)
    if refused:
        raise PydanticCustomError("slug_refused", "{why}", {"why": refused})
    return slug


class NewSystem(Body):
    """A system; its slug is for ever."""

    slug: Annotated[str, StringConstraints(max_length=30), AfterValidator(_slug)]
    name: Name


class SystemChange(Body):
    """What is to change; what is left out stays."""

    name: Name | None = None
    is_active: bool | None = None


class SystemView(View):
    """A system."""

    id: int
    slug: str
    name: str
    is_active: bool
    version: int


def list_systems(call: Call, query: PageQuery) -> Page[Any]:
    """Return the systems by id."""
    return page(System.select(), key=System.id, cursor=query.cursor, limit=query.limit, view=_view)


def read_system(call: Call) -> Reply:
    """Return one system."""
    system = _system(call)
    return Reply(_view(system), etag=system.version)


def create_system(call: Call, body: NewSystem) -> Reply:
    """Create a system with its Admin role."""
    directory = open_directory(call)
    system = roles.create_system(directory, slug=body.slug, name=body.name)
    if system is None:
        raise Conflict(f"there is a system {body.slug}")
    roles.create_role(directory, system, name=ADMIN, description="Administers the system")
    return Reply(_view(system), etag=system.version, headers={"Location": f"/api/v1/systems/{system.id}"})


def edit_system(call: Call, body: SystemChange) -> Reply:
    """Change a system. Switching it off takes every role in it out of force."""
    return _changed(call, body.model_dump(exclude_none=True))


def deactivate_system(call: Call) -> Reply:
    """Switch a system off. It keeps its roles and grants, none of them in force."""
    return _changed(call, {"is_active": False})


def _changed(call: Call, values: dict[str, Any]) -> Reply:
    directory = open_directory(call)
    system = _system(call)
    call.require_match(system.version)
    roles.edit_system(directory, system, **values)
    return Reply(_view(system), etag=system.version)


def _system(call: Call) -> System:
    system = System.get_or_none(System.id == call.integer("system_id"))
    if system is None:
        raise NotFound("no such system")
    return system


def _view(system: System) -> SystemView:
    return SystemView(
        id=system.id, slug=system.slug, name=system.name, is_active=system.is_active, version=system.version
    )


_LIST, _ONE = "/api/v1/systems", "/api/v1/systems/{system_id}"
OPERATIONS = (
    Operation("GET", _LIST, list_systems, permission="systems.read", query=PageQuery, returns=Page[SystemView],
              summary="List systems", tag="systems"),
    Operation("POST", _LIST, create_system, permission="systems.write", body=NewSystem, returns=SystemView, status=201,
              problems=(409,), summary="Create a system", tag="systems"),
    Operation("GET", _ONE, read_system, permission="systems.read", returns=SystemView, problems=(404,),
              summary="Read a system", tag="systems"),
    Operation("PATCH", _ONE, edit_system, permission="systems.write", body=SystemChange, returns=SystemView,
              problems=(404, 412), summary="Edit a system", tag="systems"),
    Operation("DELETE", _ONE, deactivate_system, permission="systems.write", returns=SystemView, problems=(404, 412),
              summary="Deactivate a system", tag="systems"),
)  # fmt: skip
