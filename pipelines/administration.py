"""
Administration: who may change whom.

1. `X:Admin` manages system X: its roles, the grants of its roles, and the accounts that belong to it alone.
2. `auth:Admin` manages every system. Only they create systems or switch them off.
3. An account's name, address, password and whether it is active may be changed by whoever manages its home system *and* every
   system in which it was ever granted a role: otherwise an admin of one system could take over an admin of another by
   setting their password.
4. The last active admin of a system cannot be removed, in whatever way: by taking the grant or by switching off the account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from baton.pipelines.credentials import ADMIN

#: Holders manage every system.
PLATFORM_ADMIN = f"auth:{ADMIN}"


def manages_all(roles: Collection[str]) -> bool:
    """Whether someone with these roles (`system:Role`) manages every system."""
    return PLATFORM_ADMIN in roles


def managed_systems(roles: Iterable[str]) -> frozenset[str]:
    """Return the slugs of the systems that someone with these roles administers."""
    return frozenset(system for system, _, role in (pair.partition(":") for pair in roles) if role == ADMIN)


def may_manage(roles: Collection[str], system: str) -> bool:
    """Whether someone with these roles administers the system."""
    return manages_all(roles) or system in managed_systems(roles)


def may_change_account(roles: Collection[str], account_systems: Collection[str]) -> bool:
    """Whether someone with these roles may change an account that belongs to these systems (home, and all it was granted in)."""
    return manages_all(roles) or frozenset(account_systems) <= managed_systems(roles)


def left_without_admin(admins: dict[str, frozenset[int]], removed_user: int) -> list[str]:
    """
    Return the systems that would have no active admin without this user.

    `admins` maps each system in question to the ids of its active admins.
    """
    return sorted(system for system, holders in admins.items() if holders == frozenset({removed_user}))
