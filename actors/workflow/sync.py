"""Sync: roles and members follow what auth says of them, in whatever order the news arrive."""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.transaction import Transaction
from baton.models.workflow import sync_store as store
from baton.models.workflow.people import Role
from baton.pipelines.messages import AssignWaiting, SyncRole, SyncUserSystemRole
from baton.pipelines.searching import person_words
from baton.pipelines.status_sync import is_news
from baton.pipelines.sync import GrantNews, RoleNews, UnusableNewsError, read_grant, read_role


@handles(
    SyncRole,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def sync_role(tx: Transaction, deliveries: Sequence[Delivery[SyncRole]]) -> None:
    """Make each role what auth says it is, with the grants that waited for it."""
    store.hold_sync(tx)
    for delivery in deliveries:
        try:
            apply_role(tx, read_role(delivery.message.payload), delivery.envelope.version)
        except UnusableNewsError as error:
            delivery.refuse(str(error))


@handles(
    SyncUserSystemRole,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def sync_user_system_role(tx: Transaction, deliveries: Sequence[Delivery[SyncUserSystemRole]]) -> None:
    """Make each grant what auth says it is; one whose role is unknown waits for it."""
    store.hold_sync(tx)
    for delivery in deliveries:
        try:
            apply_grant(tx, read_grant(delivery.message.payload), delivery.envelope.version)
        except UnusableNewsError as error:
            delivery.refuse(str(error))


def apply_role(tx: Transaction, news: RoleNews, version: int | None) -> None:
    """Apply news of one role: as its row, as what a provisional one becomes, or as a new one."""
    role = store.role_by_id(tx, news.role_id)
    provisional = store.provisional_role(tx, news.system, news.name)
    if role is None and provisional is not None:
        role, provisional = provisional, None
    elif role is not None and not is_news(version, role.version):
        return
    role = store.store_role(tx, role, news, version)
    if provisional is not None and provisional.id != role.id:
        store.merge_roles(tx, provisional, role)
    for grant in store.take_pending_grants(tx, news.role_id):
        waited = GrantNews(
            role_id=grant.role_id,
            user_id=grant.user_id,
            name=grant.name,
            email=grant.email,
            is_active=grant.is_active,
        )
        _apply_to_member(tx, role, waited, grant.version)
    if role.is_active:
        tx.announce(AssignWaiting(role_id=role.role_id))


def apply_grant(tx: Transaction, news: GrantNews, version: int | None) -> None:
    """Apply news of one grant to its member, or keep it until its role arrives."""
    role = store.role_by_id(tx, news.role_id)
    if role is None:
        waiting = store.pending_grant(tx, news.role_id, news.user_id)
        if waiting is None or is_news(version, waiting.version):
            store.keep_grant(tx, news, version)
        return
    if _apply_to_member(tx, role, news, version) and news.is_active:
        tx.announce(AssignWaiting(role_id=role.role_id))


def _apply_to_member(tx: Transaction, role: Role, news: GrantNews, version: int | None) -> bool:
    member = store.find_member(tx, role.id, news.user_id)
    if member is not None and not is_news(version, member.version):
        return False
    store.store_member(tx, role.id, member, news, version, person_words)
    return True

