"""Roles and members; when somebody is out of office, and how much they may have at once."""

from __future__ import annotations

from typing import Any

from baton.http.api import Call, Forbidden, Invalid, NotFound, Page, PageQuery, page
from baton.http.people_found import named
from baton.http.workflow.offers import offer_work
from baton.http.workflow.tasks import COORDINATORS
from baton.http.workflow.views import Availability, Capacity, MemberList, MemberQuery, MemberView, RoleView
from baton.models.workflow import (
    Member,
    Role,
    assignment_store,
    reading,
    sync_store,
    waiting_store,
)
from baton.pipelines.assignment import Candidate, is_away
from baton.pipelines.messages import AssignWaiting


def list_roles(call: Call, query: PageQuery) -> Page[RoleView]:
    """Roles as auth tells of them."""
    return page(reading.roles(), key=Role.id, cursor=query.cursor, limit=query.limit, view=_role)


def list_members(call: Call, query: MemberQuery) -> Page[MemberView]:
    """People in their roles."""
    found = reading.members()
    found = named(found, Member, query.q)
    if query.role:
        found = found.where(Role.role_id == query.role)
    if query.user_id:
        found = found.where(Member.user_id == query.user_id)
    if query.is_active is not None:
        found = found.where(Member.is_active == query.is_active)
    return page(
        found, key=Member.id, cursor=query.cursor, limit=query.limit, view=lambda row: _member(call, row)
    )


def set_availability(call: Call, body: Availability) -> MemberList:
    """The person is away from, until, as given; whoever waits for them is served when that makes them eligible."""
    user_id = call.params["user_id"]
    if call.principal.id != user_id and not call.principal.has_role(*COORDINATORS):
        raise Forbidden("only coordinators change when somebody else is away")
    if body.away_from is not None and body.away_to is not None and body.away_to <= body.away_from:
        raise Invalid.of("away_to", "must be after away_from")
    roles = sync_store.roles_of(call.tx, user_id)
    if not roles:
        raise NotFound(f"there is no member {user_id}")
    locked = assignment_store.lock_roles(call.tx, roles)
    sync_store.store_absence(call.tx, user_id, body.away_from, body.away_to)
    for role in waiting_store.roles_that_wait(call.tx, roles):
        call.tx.announce(AssignWaiting(role_id=locked[role].role_id))
    offer_work(call, user_id)
    rows = reading.members().where(Member.user_id == user_id).order_by(Member.id)
    return MemberList(items=[_member(call, row) for row in rows])


def set_capacity(call: Call, body: Capacity) -> MemberView:
    """The person gets no more items of the role than this at once; what waits is served when there is room now."""
    role_id, user_id = call.params["role_id"], call.params["user_id"]
    role = assignment_store.find_role(call.tx, role_id)
    if role is None:
        raise NotFound(f"there is no role {role_id}")
    assignment_store.lock_roles(call.tx, [role])
    if not sync_store.store_capacity(call.tx, role, user_id, body.capacity):
        raise NotFound(f"{user_id} is no member of role {role_id}")
    if waiting_store.roles_that_wait(call.tx, [role]):
        call.tx.announce(AssignWaiting(role_id=role_id))
    return _member(call, reading.members().where(Member.role == role, Member.user_id == user_id).first())


def _role(role: Role) -> RoleView:
    return RoleView(**{name: getattr(role, name) for name in RoleView.model_fields})


def _member(call: Call, row: dict[str, Any]) -> MemberView:
    candidate = Candidate(id=row["id"], user_id=row["user_id"], away_from=row["away_from"], away_to=row["away_to"])
    shown = {**row, "role": row["role_name"], "is_active": row["is_active"] and row["role_is_active"]}
    return MemberView(**shown, is_away=is_away(candidate, call.now))
