"""
What auth owns: systems, roles, users, grants, the employee register, signing keys, sessions and sign-in counters.

Everything that other services keep a copy of is changed through a `Directory` (`directory.py`), which announces the change in
the same transaction. Nothing else writes those tables.
"""

from __future__ import annotations

from typing import Any

from baton.models.auth.tables import (
    TABLES,
    Employee,
    Grant,
    RefreshFamily,
    RefreshToken,
    Role,
    SignInAttempt,
    SigningKey,
    System,
    User,
)


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return auth's part in a ticket's journey: none, it knows no tickets."""
    return []


__all__ = [
    "TABLES",
    "Employee",
    "Grant",
    "RefreshFamily",
    "RefreshToken",
    "Role",
    "SignInAttempt",
    "SigningKey",
    "System",
    "User",
    "journey",
]
