"""Administration of roles: an admin of a system names the roles of that system."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from baton.http.api import (
    Body,
    Call,
    Conflict,
    Forbidden,
    NotFound,
    Operation,
    Page,
    PageQuery,
    Reply,
    View,
    page,
)
from baton.http.auth.oversight import open_directory, sees, within_sight
from baton.http.types import Name, ShortText, storable
from baton.models.auth import Role, System, roles
from baton.pipelines.administration import may_manage
from baton.pipelines.credentials import LONGEST_ROLE_NAME, role_edit_refused, role_name_refused


def _named(name: str) -> str:
    refused = role_name_refused(name)
    if refused:
        raise PydanticCustomError("role_name_refused", "{why}", {"why": refused})
    return name


RoleName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_ROLE_NAME),
    AfterValidator(storable),
    AfterValidator(_named),
]


class NewRole(Body):
    """A role of a system, which is named by its slug."""

    system: Name
    name: RoleName
    description: ShortText = ""


class RoleChange(Body):
    """What is to change; what is left out stays."""

    name: RoleName | None = None
    description: ShortText | None = None
    is_active: bool | None = None


class RoleQuery(PageQuery):
    """Roles, of one system if its slug is given."""

    system: Name | None = None
    is_active: bool | None = None


class RoleView(View):
    """A role."""

    id: int
    system: str
    name: str
    description: str
    is_active: bool
    version: int


def list_roles(call: Call, query: RoleQuery) -> Page[Any]:
    """Return the roles of the systems that the caller administers, by id."""
    found = within_sight(call, Role.select(Role, System).join(System))
    if query.system is not None:
        found = found.where(System.slug == query.system)
    if query.is_active is not None:
        found = found.where(Role.is_active == query.is_active)
    return page(found, key=Role.id, cursor=query.cursor, limit=query.limit, view=_view)


def read_role(call: Call) -> Reply:
    """Return one role."""
    role = _role(call)
    return Reply(_view(role), etag=role.version)


def create_role(call: Call, body: NewRole) -> Reply:
    """Create a role in a system that the caller administers."""
    directory = open_directory(call)
    system = roles.system_of(body.system) if may_manage(call.principal.roles, body.system) else None
    if system is None:
        raise Forbidden("you administer no such system")
    role = roles.create_role(directory, system, name=body.name, description=body.description)
    if role is None:
        raise Conflict(f"{body.system} has a role of that name")
    return Reply(_view(role), etag=role.version, headers={"Location": f"/api/v1/roles/{role.id}"})


def edit_role(call: Call, body: RoleChange) -> Reply:
    """Change a role. Its holders' grants follow."""
    return _changed(call, body.model_dump(exclude_none=True))


def deactivate_role(call: Call) -> Reply:
    """Switch a role off: nobody holds it any more, until it is switched on again."""
    return _changed(call, {"is_active": False})


def _changed(call: Call, values: dict[str, Any]) -> Reply:
    directory = open_directory(call)
    role = _role(call)
    call.require_match(role.version)
    name = values.get("name", role.name)
    refused = role_edit_refused(role.name, name, values.get("is_active", role.is_active))
    if refused:
        raise Conflict(refused)
    namesake = roles.role_of(role.system, name)
    if namesake is not None and namesake.id != role.id:
        raise Conflict(f"{role.system.slug} has a role of that name")
    roles.edit_role(directory, role, **values)
    return Reply(_view(role), etag=role.version)


def _role(call: Call) -> Role:
    role = Role.select(Role, System).join(System).where(Role.id == call.integer("role_id")).first()
    if role is None or not sees(call, role.system.slug):
        raise NotFound("no such role")
    found: Role = role
    return found


def _view(role: Role) -> RoleView:
    return RoleView(
        id=role.id,
        system=role.system.slug,
        name=role.name,
        description=role.description,
        is_active=role.is_active,
        version=role.version,
    )


_LIST, _ONE = "/api/v1/roles", "/api/v1/roles/{role_id}"
OPERATIONS = (
    Operation("GET", _LIST, list_roles, permission="roles.read", query=RoleQuery, returns=Page[RoleView],
              summary="List roles", tag="roles"),
    Operation("POST", _LIST, create_role, permission="roles.write", body=NewRole, returns=RoleView, status=201,
              problems=(403, 409), summary="Create a role", tag="roles"),
    Operation("GET", _ONE, read_role, permission="roles.read", returns=RoleView, problems=(404,),
              summary="Read a role", tag="roles"),
    Operation("PATCH", _ONE, edit_role, permission="roles.write", body=RoleChange, returns=RoleView,
              problems=(404, 409, 412), summary="Edit a role", tag="roles"),
    Operation("DELETE", _ONE, deactivate_role, permission="roles.write", returns=RoleView, problems=(404, 409, 412),
              summary="Deactivate a role", tag="roles"),
)  # fmt: skip
