"""Storing of what auth tells: roles, members and grants that wait for their role; and of availability and capacity."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.definitions import Step
from baton.models.workflow.people import Member, PendingGrant, Role
from baton.models.workflow.rows import tuples
from baton.models.workflow.work import AssignmentPick, TaskItem, WaitingEntry

_SYNC_LOCK = 0x6261746F
COORDINATOR = "Ticket Coordinator"


def hold_sync(tx: Transaction) -> None:
    """
    Let no other transaction apply roles or grants, or play a rotation, until the commit.

    A grant and its role must not pass each other unseen. All roles, which are few, are locked at once in the order of their ids:
    news arrive in another order than rotations lock their roles in.
    """
    if not db.is_sqlite(tx.database):
        tx.database.execute_sql("select pg_advisory_xact_lock(%s, 1)", (_SYNC_LOCK,))
        tuples(Role.select(Role.id).order_by(Role.id).for_update())


def role_by_id(tx: Transaction, role_id: str) -> Role | None:
    """Return the role that bears auth's (or a provisional) id."""
    return Role.get_or_none(Role.role_id == role_id)


def role_by_name(tx: Transaction, system: str, name: str) -> Role | None:
    """Return the role of this name: an active one first, then the newest."""
    query = Role.select().where(Role.system == system, Role.name == name)
    return query.order_by(Role.is_active.desc(), Role.id.desc()).first()


def provisional_role(tx: Transaction, system: str, name: str) -> Role | None:
    """Return the role of this name that was seeded here and that auth has not told of yet."""
    return Role.get_or_none(Role.system == system, Role.name == name, Role.is_provisional)


def ensure_role(tx: Transaction, system: str, name: str) -> tuple[Role, bool]:
    """Return the role of this name and whether it was made now, under a provisional id that auth's news replaces."""
    role = role_by_name(tx, system, name)
    if role is not None:
        return role, False
    row = {"role_id": f"{system}:{name}", "system": system, "name": name, "is_provisional": True}
    Role.insert(row).on_conflict_ignore().execute()
    role = role_by_name(tx, system, name)
    assert role is not None
    return role, True


def find_owner_role(tx: Transaction) -> int:
    """Return the role whose members own tickets. Made when missing, so that tasks can wait for an owner."""
    query = Role.select(Role.id).where(Role.system == "tts", Role.name == COORDINATOR)
    row = query.order_by(Role.is_active.desc(), Role.id.desc()).tuples().first()
    return row[0] if row else ensure_role(tx, "tts", COORDINATOR)[0].id


def store_role(tx: Transaction, role: Role | None, news: Any, version: int | None) -> Role:
    """Write a role as auth has it; `role` is the row that becomes it, None for a new one."""
    role = role or Role(turn=0)
    role.role_id, role.system, role.name = news.role_id, news.system, news.name
    role.is_active, role.is_provisional = news.is_active, False
    role.version = role.version if version is None else version
    role.save()
    return role


def merge_roles(tx: Transaction, provisional: Role, role: Role) -> None:
    """Put `role` wherever the provisional one stands, and drop that."""
    Step.update(role=role.id).where(Step.role == provisional.id).execute()
    Step.update(escalation_role=role.id).where(Step.escalation_role == provisional.id).execute()
    for table in (TaskItem, WaitingEntry, AssignmentPick):
        table.update(role=role.id).where(table.role == provisional.id).execute()
    provisional.delete_instance()


class WordsOf(Protocol):
    """Returns the words by which a person is found, as `searching.person_words` does."""

    def __call__(self, *, full_name: str | None, email: str | None) -> str: ...


def find_member(tx: Transaction, role: int, user_id: str) -> Member | None:
    """Return the person's row in the role, active or not."""
    return Member.get_or_none(Member.role == role, Member.user_id == user_id)


def store_member(
    tx: Transaction, role: int, member: Member | None, news: Any, version: int | None, words_of: WordsOf
) -> Member:
    """
    Write a grant as auth has it. Somebody who comes back keeps their turn; somebody new brings their absence along.

    `words_of` returns the words by which a person is found.
    """
    if member is None:
        member = Member(role=role, user_id=news.user_id)
        other = Member.get_or_none(Member.user_id == news.user_id)
        if other is not None:
            member.away_from, member.away_to, member.email = other.away_from, other.away_to, other.email
    member.name = news.name or member.name
    member.email = news.email or member.email
    member.words = words_of(full_name=member.name, email=member.email)
    member.is_active = news.is_active
    member.version = member.version if version is None else version
    member.save()
    return member


def keep_grant(tx: Transaction, news: Any, version: int | None) -> None:
    """Keep a grant until its role arrives, in place of an older one for the same person."""
    PendingGrant.insert(
        role_id=news.role_id,
        user_id=news.user_id,
        name=news.name,
        email=news.email,
        is_active=news.is_active,
        version=version,
        received_at=tx.now,
    ).on_conflict(
        conflict_target=[PendingGrant.role_id, PendingGrant.user_id],
        preserve=[
            PendingGrant.name,
            PendingGrant.email,
            PendingGrant.is_active,
            PendingGrant.version,
            PendingGrant.received_at,
        ],
    ).execute()


def pending_grant(tx: Transaction, role_id: str, user_id: str) -> PendingGrant | None:
    """Return the grant that waits for this role, for this person."""
    return PendingGrant.get_or_none(PendingGrant.role_id == role_id, PendingGrant.user_id == user_id)


def take_pending_grants(tx: Transaction, role_id: str) -> list[PendingGrant]:
    """Return the grants that waited for this role, in the order they came, and keep them no longer."""
    grants = list(PendingGrant.select().where(PendingGrant.role_id == role_id).order_by(PendingGrant.id))
    PendingGrant.delete().where(PendingGrant.role_id == role_id).execute()
    return grants


def roles_of(tx: Transaction, user_id: str) -> list[int]:
    """Return the roles in which this person has a row."""
    return sorted(row[0] for row in tuples(Member.select(Member.role).where(Member.user_id == user_id)))


def store_absence(tx: Transaction, user_id: str, away_from: datetime | None, away_to: datetime | None) -> None:
    """Write when the person is out of office, in every role. Hold the roles' locks."""
    Member.update(away_from=away_from, away_to=away_to).where(Member.user_id == user_id).execute()


def store_capacity(tx: Transaction, role: int, user_id: str, capacity: int | None) -> int:
    """Write how many items of the role the person may have at once (None: no limit); return how many rows that was."""
    return Member.update(capacity=capacity).where(Member.role == role, Member.user_id == user_id).execute()


def role_ids(tx: Transaction, roles: Iterable[int]) -> list[str]:
    """Return auth's ids of these roles."""
    query = Role.select(Role.role_id).where(Role.id.in_(sorted(set(roles)))).order_by(Role.id)
    return [row[0] for row in tuples(query)]
