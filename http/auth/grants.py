"""Administration of grants: an admin of a system says who holds its roles."""

from __future__ import annotations

from typing import Any

from baton.http.api import Body, Call, Conflict, Invalid, NotFound, Operation, Page, PageQuery, Reply, View, page
from baton.http.auth.oversight import open_directory, require_other_admin, sees, within_sight
from baton.http.people_found import named
from baton.http.types import Id, Name, ShortText
from baton.models.auth import Grant, Role, System, User, grants
from baton.pipelines.administration import may_manage
from baton.pipelines.credentials import ADMIN


class NewGrant(Body):
    """A user and the role they are to hold."""

    user_id: Id
    role_id: Id


class GrantChange(Body):
    """Whether the grant is given or taken."""

    is_active: bool


class GrantQuery(PageQuery):
    """Grants, by user, role or system. `q` finds by beginnings of the words of the user's name and address."""

    q: ShortText | None = None
    user_id: Id | None = None
    role_id: Id | None = None
    system: Name | None = None
    is_active: bool | None = None


class GrantView(View):
    """A grant. It is in force while it, its user, its role and its system are active."""

    id: int
    user_id: int
    user_full_name: str
    role_id: int
    role: str
    system: str
    is_active: bool
    granted_by: str
    version: int


def list_grants(call: Call, query: GrantQuery) -> Page[Any]:
    """Return the grants of the systems that the caller administers, by id."""
    found = named(within_sight(call, _joined()), User, query.q)
    for given, condition in (
        (query.user_id, Grant.user == query.user_id),
        (query.role_id, Grant.role == query.role_id),
        (query.system, System.slug == query.system),
        (query.is_active, Grant.is_active == query.is_active),
    ):
        if given is not None:
            found = found.where(condition)
    return page(found, key=Grant.id, cursor=query.cursor, limit=query.limit, view=_view)


def read_grant(call: Call) -> Reply:
    """Return one grant."""
    return _reply(_grant(call))


def create_grant(call: Call, body: NewGrant) -> Reply:
    """Have a user hold a role. A grant that was taken before is given again: a user holds a role once."""
    directory = open_directory(call)
    role = Role.select(Role, System).join(System).where(Role.id == body.role_id).first()
    if role is None or not may_manage(call.principal.roles, role.system.slug):
        raise Invalid.of("role_id", "names no role of a system that you administer")
    if not role.is_active:
        raise Conflict("the role is not active")
    user = User.get_or_none(User.id == body.user_id)
    if user is None:
        raise Invalid.of("user_id", "names no user")
    grant, outcome = grants.grant_role(directory, user, role, granted_by=call.principal.subject)
    stored = _joined().where(Grant.id == grant.id).get()
    headers = {"Location": f"/api/v1/grants/{grant.id}"}
    return Reply(_view(stored), status=201 if outcome == "created" else 200, etag=stored.version, headers=headers)


def edit_grant(call: Call, body: GrantChange) -> Reply:
    """Give or take a grant."""
    return _changed(call, body.is_active)


def revoke_grant(call: Call) -> Reply:
    """Take a grant. Its row stays, so that later news about it is known to be later."""
    return _changed(call, False)


def _changed(call: Call, is_active: bool) -> Reply:
    directory = open_directory(call)
    grant = _grant(call)
    call.require_match(grant.version)
    if not is_active and grant.role.name == ADMIN:
        require_other_admin(grant.user, [grant.role.system])
    grants.set_grant_active(directory, grant, is_active, granted_by=call.principal.subject)
    return _reply(grant)


def _joined() -> Any:
    return (
        Grant.select(Grant, User, Role, System).join_from(Grant, User).join_from(Grant, Role).join_from(Role, System)
    )


def _grant(call: Call) -> Grant:
    grant: Grant | None = _joined().where(Grant.id == call.integer("grant_id")).first()
    if grant is None or not sees(call, grant.role.system.slug):
        raise NotFound("no such grant")
    return grant


def _reply(grant: Grant) -> Reply:
    return Reply(_view(grant), etag=grant.version)


def _view(grant: Grant) -> GrantView:
    return GrantView(
        id=grant.id,
        user_id=grant.user.id,
        user_full_name=grant.user.full_name,
        role_id=grant.role.id,
        role=grant.role.name,
        system=grant.role.system.slug,
        is_active=grant.is_active,
        granted_by=grant.granted_by,
        version=grant.version,
    )


_LIST, _ONE = "/api/v1/grants", "/api/v1/grants/{grant_id}"
OPERATIONS = (
    Operation("GET", _LIST, list_grants, permission="roles.read", query=GrantQuery, returns=Page[GrantView],
              summary="List grants", tag="grants"),
    Operation("POST", _LIST, create_grant, permission="grants.write", body=NewGrant, returns=GrantView, status=201,
              problems=(409,), summary="Grant a role to a user",
              description="Answers 200 when the user holds, or once held, the role.", tag="grants"),
    Operation("GET", _ONE, read_grant, permission="roles.read", returns=GrantView, problems=(404,),
              summary="Read a grant", tag="grants"),
    Operation("PATCH", _ONE, edit_grant, permission="grants.write", body=GrantChange, returns=GrantView,
              problems=(404, 409, 412), summary="Give or take a grant", tag="grants"),
    Operation("DELETE", _ONE, revoke_grant, permission="grants.write", returns=GrantView, problems=(404, 409, 412),
              summary="Revoke a grant", tag="grants"),
)  # fmt: skip
