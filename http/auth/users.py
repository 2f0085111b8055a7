"""Administration of users: an admin of a system creates the accounts of that system and answers for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from baton.http.api import (
    Body,
    Call,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Operation,
    Page,
    PageQuery,
    Reply,
    View,
    page,
)
from baton.http.auth.fields import Email, HashedPassword
from baton.http.auth.oversight import (
    open_directory,
    require_account,
    require_other_admin,
    systems_administered,
    visible_systems,
)
from baton.http.people_found import named
from baton.http.types import Name, ShortText
from baton.models.auth import System, User, grants, roles, users
from baton.models.auth.directory import Directory
from baton.models.auth.tables import fold
from baton.pipelines.administration import may_manage


class NewUser(Body):
    """A member of staff. `system` is the account's home; `roles` names roles of that system to grant at once."""

    email: Email
    full_name: Name
    system: Name
    password: HashedPassword | None = None
    roles: Annotated[list[Name], Field(max_length=20, default_factory=list)]


class UserChange(Body):
    """What is to change; what is left out stays. A new password ends the user's sessions."""

    email: Email | None = None
    full_name: Name | None = None
    password: HashedPassword | None = None
    is_active: bool | None = None


class UserQuery(PageQuery):
    """Users; an address is matched whole, in whatever case. `q` finds by beginnings of the words of name and address."""

    q: ShortText | None = None
    email: Name | None = None
    is_active: bool | None = None


class UserView(View):
    """A user. `roles` are `system:Role`, those in force in the systems that the caller administers."""

    id: int
    email: str
    full_name: str
    is_active: bool
    home_system: str
    roles: list[str]
    version: int


def list_users(call: Call, query: UserQuery) -> Page[Any]:
    """Return the users by id: all of them, so that someone known in one system can be granted a role in another."""
    found = User.select(User, System).join(System)
    found = named(found, User, query.q)
    if query.email is not None:
        found = found.where(User.email_key == fold(query.email))
    if query.is_active is not None:
        found = found.where(User.is_active == query.is_active)
    rows = page(found, key=User.id, cursor=query.cursor, limit=query.limit)
    return Page[Any](items=_views(call, rows.items), next=rows.next)


def read_user(call: Call) -> Reply:
    """Return one user."""
    return _reply(call, _user(call))


def create_user(call: Call, body: NewUser) -> Reply:
    """Create a user in a system that the caller administers, with roles of that system."""
    directory = open_directory(call)
    system = roles.system_of(body.system) if may_manage(call.principal.roles, body.system) else None
    if system is None:
        raise Forbidden("you administer no such system")
    if users.email_taken(body.email):
        raise Conflict("there is an account with this address")
    user = users.create_user(
        directory,
        email=body.email,
        full_name=body.full_name,
        password_hash=body.password,
        home_system=system,
    )
    if user is None:
        raise Conflict("there is an account with this address")
    _grant(call, directory, user, system, body.roles)
    return _reply(call, user, headers={"Location": f"/api/v1/users/{user.id}"})


def edit_user(call: Call, body: UserChange) -> Reply:
    """Change a user that the caller answers for."""
    values = body.model_dump(exclude_none=True)
    if "password" in values:
        values["password_hash"] = values.pop("password")
    return _changed(call, values)


def deactivate_user(call: Call) -> Reply:
    """Switch a user off: their sessions end, their grants are out of force, their name stays readable."""
    return _changed(call, {"is_active": False})


def _changed(call: Call, values: dict[str, Any]) -> Reply:
    directory = open_directory(call)
    user = _user(call)
    require_account(call, user)
    call.require_match(user.version)
    if "email" in values and users.email_taken(values["email"], by_user=user.id):
        raise Conflict("there is an account with this address")
    if not values.get("is_active", True):
        require_other_admin(user, systems_administered(user))
    users.edit_user(directory, user, **values)
    return _reply(call, user)


def _grant(call: Call, directory: Directory, user: User, system: System, names: Sequence[str]) -> None:
    for position, name in enumerate(names):
        role = roles.role_of(system, name)
        if role is None or not role.is_active:
            raise Invalid.of(f"roles.{position}", f"{system.slug} has no such role")
        grants.grant_role(directory, user, role, granted_by=call.principal.subject)


def _user(call: Call) -> User:
    user: User | None = User.get_or_none(User.id == call.integer("user_id"))
    if user is None:
        raise NotFound("no such user")
    return user


def _reply(call: Call, user: User, headers: dict[str, str] | None = None) -> Reply:
    return Reply(_views(call, [user])[0], etag=user.version, headers=headers or {})


def _views(call: Call, found: Sequence[User]) -> list[UserView]:
    """Return the users as the caller may see them; one query for all their roles."""
    visible = visible_systems(call)
    held: dict[int, list[str]] = defaultdict(list)
    for user_id, slug, role in grants.roles_in_force([user.id for user in found]):
        if visible is None or slug in visible:
            held[user_id].append(f"{slug}:{role}")
    return [
        UserView(
            id=user.id,
            email=user.email,
            full_name=user.full_name,
            is_active=user.is_active,
            home_system=user.home_system.slug,
            roles=sorted(held[user.id]),
            version=user.version,
        )
        for user in found
    ]


_LIST, _ONE = "/api/v1/users", "/api/v1/users/{user_id}"
OPERATIONS = (
    Operation("GET", _LIST, list_users, permission="users.read", query=UserQuery, returns=Page[UserView],
              summary="List users", tag="users"),
    Operation("POST", _LIST, create_user, permission="users.write", body=NewUser, returns=UserView, status=201,
              problems=(403, 409), summary="Create a user", tag="users"),
    Operation("GET", _ONE, read_user, permission="users.read", returns=UserView, problems=(404,),
              summary="Read a user", tag="users"),
    Operation("PATCH", _ONE, edit_user, permission="users.write", body=UserChange, returns=UserView,
              problems=(403, 404, 409, 412), summary="Edit a user", tag="users"),
    Operation("DELETE", _ONE, deactivate_user, permission="users.write", returns=UserView,
              problems=(403, 404, 409, 412), summary="Deactivate a user", tag="users"),
)  # fmt: skip
