"""
What auth tells the other services when people, roles or grants change.

1. A role of tts, new or changed, is told to workflow (`tts.role.sync`).
2. A grant of a tts role, given, taken or affected by a change of its user or role, is told to workflow.
3. A user whose hdts roles or details changed is told to helpdesk, with the role that counts there.
4. A row of the employee register is told to helpdesk.

Roles and grants of systems outside this project (ams, bms) have no receiver here: nothing is announced about them.
"""

from __future__ import annotations

from collections.abc import Sequence

from baton.pipelines.messages import SyncEmployee, SyncHdtsUser, SyncRole, SyncUserSystemRole
from baton.pipelines.searching import person_words

__all__ = ["about_employee", "about_grant", "about_role", "about_user", "person_words"]

#: A user may hold several hdts roles; helpdesk is told the first of these as "the" role, and all of them as `roles`.
HDTS_PRECEDENCE = ("Admin", "Ticket Coordinator", "Employee")


def about_role(*, system: str, role_id: int, name: str, is_active: bool) -> SyncRole | None:
    """Return the news about a role, or None where no other service keeps a copy of that system's roles."""
    if system != "tts":
        return None
    return SyncRole(payload={"role": {"id": role_id, "name": name, "system": system, "is_active": is_active}})


def about_grant(
    *, system: str, user_id: int, role_id: int, user_full_name: str, user_email: str, is_active: bool
) -> SyncUserSystemRole | None:
    """
    Return the news about a grant (`is_active`: grant, user, role and system all are), or None as for roles.

    The address is told so that nobody is given work on a ticket that they filed themselves.
    """
    if system != "tts":
        return None
    grant = {
        "user_id": user_id,
        "role_id": role_id,
        "user_full_name": user_full_name,
        "user_email": user_email,
        "is_active": is_active,
    }
    return SyncUserSystemRole(payload={"user_system_role": grant})


def about_user(*, user_id: int, email: str, full_name: str, is_active: bool, hdts_roles: Sequence[str]) -> SyncHdtsUser:
    """Return the news about a user with their active hdts roles; without one they are inactive as far as helpdesk goes."""
    roles = sorted(hdts_roles, key=_precedence)
    return SyncHdtsUser(
        payload={
            "user": {
                "id": user_id,
                "email": email,
                "full_name": full_name,
                "role": roles[0] if roles else None,
                "roles": roles,
                "is_active": is_active and bool(roles),
            }
        }
    )


def about_employee(
    *, employee_id: int, email: str, full_name: str, department: str, job_title: str, is_active: bool
) -> SyncEmployee:
    """Return the news about a row of the employee register."""
    return SyncEmployee(
        payload={
            "employee": {
                "id": employee_id,
                "email": email,
                "full_name": full_name,
                "department": department,
                "job_title": job_title,
                "is_active": is_active,
            }
        }
    )


def _precedence(role: str) -> tuple[int, str]:
    return (HDTS_PRECEDENCE.index(role) if role in HDTS_PRECEDENCE else len(HDTS_PRECEDENCE), role)
